/** A frame as a firewall sees it: the headers that rules ask about. */
export interface Packet {
  /** Hardware addresses. */
  from: string;
  to: string;
  /** Of what the frame carries, behind one VLAN tag at most: the kernel takes one off before the bridge's rules. */
  etherType: number;
  /** Absent where it is no IP. */
  ip?: IpPacket;
  /** Who asks in ARP, an IPv4 address. */
  arpSender?: string;
}

export interface IpPacket {
  family: "ipv4" | "ipv6";
  source: string;
  destination: string;
  /** Behind the extension headers of IPv6. */
  protocol: number;
  /** In units of 8 bytes; of IPv6 absent where there is no such header. */
  fragmentOffset?: number;
  /** From the first byte of TCP, UDP, ICMP and so on; absent in later fragments, which have none. */
  transport?: Buffer;
}

export const ETHER_TYPES = { ip: 0x0800, arp: 0x0806, ip6: 0x86dd } as const;
const VLAN = 0x8100;
/** Hop-by-hop, routing and destination options: what is of one length field, in 8 bytes after the first 8. */
const OPTIONS = [0, 43, 60];
const FRAGMENT = 44;

const DECODED = new WeakMap<Buffer, Packet>();

/** Reads a frame, each once: the corpus is judged by many rules. */
export function decode(frame: Buffer): Packet {
  const packet = DECODED.get(frame) ?? read(frame);
  DECODED.set(frame, packet);
  return packet;
}

function read(frame: Buffer): Packet {
  const tagged = frame.readUInt16BE(12) === VLAN;
  const etherType = frame.readUInt16BE(tagged ? 16 : 12);
  const payload = frame.subarray(tagged ? 18 : 14);
  const packet: Packet = { from: mac(frame.subarray(6, 12)), to: mac(frame.subarray(0, 6)), etherType };
  if (etherType === ETHER_TYPES.ip) return { ...packet, ip: ipv4(payload) };
  if (etherType === ETHER_TYPES.ip6) return { ...packet, ip: ipv6(payload) };
  return etherType === ETHER_TYPES.arp ? { ...packet, arpSender: dotted(payload.subarray(14, 18)) } : packet;
}

function ipv4(bytes: Buffer): IpPacket {
  const fragmentOffset = bytes.readUInt16BE(6) & 0x1fff;
  const transport = bytes.subarray(((bytes[0] ?? 0) & 0x0f) * 4);
  return {
    ...{ family: "ipv4", source: dotted(bytes.subarray(12, 16)), destination: dotted(bytes.subarray(16, 20)) },
    ...{ protocol: bytes[9] ?? 0, fragmentOffset },
    ...(fragmentOffset === 0 && { transport }),
  };
}

function ipv6(bytes: Buffer): IpPacket {
  let [protocol = 0, at, fragmentOffset] = [bytes[6], 40, undefined as number | undefined];
  // What is behind a later fragment's header is not the next header.
  while (OPTIONS.includes(protocol) || (protocol === FRAGMENT && !fragmentOffset)) {
    if (protocol === FRAGMENT) fragmentOffset = bytes.readUInt16BE(at + 2) >> 3;
    const size = protocol === FRAGMENT ? 8 : 8 + (bytes[at + 1] ?? 0) * 8;
    protocol = bytes[at] ?? 0;
    at += size;
    if (fragmentOffset) break;
  }
  return {
    ...{ family: "ipv6", source: colons(bytes.subarray(8, 24)), destination: colons(bytes.subarray(24, 40)) },
    protocol,
    ...(fragmentOffset !== undefined && { fragmentOffset }),
    ...(!fragmentOffset && { transport: bytes.subarray(at) }),
  };
}

function dotted(bytes: Buffer): string {
  return [...bytes].join(".");
}

function colons(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16)).join(":");
}

function mac(bytes: Buffer): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
