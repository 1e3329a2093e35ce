import { isIPv6 } from "node:net";

// Frames as they stand on a wire, built by hand. Checksums are left 0: tcpdump says so and reads on.

/** TCP with PSH and ACK. */
export function tcp(sport: number, dport: number, data: string): Buffer {
  return Buffer.concat([u16(sport, dport), u32(1000, 2000), u16(0x5018, 512, 0, 0), Buffer.from(data)]);
}

export function udp(sport: number, dport: number, data: Buffer | string): Buffer {
  return Buffer.concat([u16(sport, dport, 8 + data.length, 0), Buffer.from(data)]);
}

export function esp(spi: number, sequence: number, size = 60): Buffer {
  return Buffer.concat([u32(spi, sequence), Buffer.alloc(size, 0xa5)]);
}

export const echo = Buffer.from("0800000000010001", "hex");
export const protocols = { icmp: 1, ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, esp: 50, icmpv6: 58, other: 253 };

interface Ipv4Fields {
  id?: number;
  /** In bytes. */
  offset?: number;
  more?: boolean;
  options?: Buffer;
}

/** An IPv4 or IPv6 packet, by the family of the addresses. */
export function ip(src: string, dst: string, protocol: keyof typeof protocols, payload: Buffer, v4: Ipv4Fields = {}) {
  if (isIPv6(src)) return ipv6(src, dst, protocols[protocol], payload);
  const { id = 1, offset = 0, more = false, options = Buffer.alloc(0) } = v4;
  const size = 20 + options.length;
  const header = Buffer.concat([
    Buffer.from([0x40 + size / 4, 0]),
    u16(size + payload.length, id, (more ? 0x2000 : 0) + offset / 8),
    Buffer.from([64, protocols[protocol], 0, 0]),
    address(src),
    address(dst),
    options,
  ]);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, payload]);
}

/** A fragment by the extension header of IPv6. */
export function ipv6Fragment(
  src: string,
  dst: string,
  protocol: keyof typeof protocols,
  payload: Buffer,
  { id, offset, more }: { id: number; offset: number; more: boolean },
): Buffer {
  const extension = Buffer.concat([Buffer.from([protocols[protocol], 0]), u16(offset + (more ? 1 : 0)), u32(id)]);
  return ipv6(src, dst, 44, Buffer.concat([extension, payload]));
}

/** A packet with empty hop-by-hop options. */
export function ipv6Options(src: string, dst: string, protocol: keyof typeof protocols, payload: Buffer): Buffer {
  return ipv6(src, dst, 0, Buffer.concat([Buffer.from([protocols[protocol], 0, 1, 4, 0, 0, 0, 0]), payload]));
}

function ipv6(src: string, dst: string, next: number, payload: Buffer): Buffer {
  const header = Buffer.concat([u32(0x60000000), u16(payload.length), Buffer.from([next, 64])]);
  return Buffer.concat([header, address(src), address(dst), payload]);
}

/** An Ethernet frame; the type is the packet's own where none is given. */
export function ethernet(packet: Buffer, type = (packet[0] ?? 0) >> 4 === 6 ? 0x86dd : 0x0800): Buffer {
  return Buffer.concat([Buffer.from("020000000001020000000002", "hex"), u16(type), packet]);
}

export function vlan(packet: Buffer): Buffer {
  return ethernet(Buffer.concat([u16(100, 0x0800), packet]), 0x8100);
}

export function arp(asking: string, asked: string): Buffer {
  const mac = Buffer.from("020000000001", "hex");
  const parts = [Buffer.from("0001080006040001", "hex"), mac, address(asking), Buffer.alloc(6), address(asked)];
  return ethernet(Buffer.concat(parts), 0x0806);
}

/** VXLAN between the two; port 8472 is Cilium's. */
export function vxlan(src: string, dst: string, frame: Buffer, port = 8472, sport = 50_000): Buffer {
  return ethernet(ip(src, dst, "udp", udp(sport, port, Buffer.concat([u32(0x08000000, 2 << 8), frame]))));
}

/** Geneve between the two; the options hold one of 8 bytes, as Cilium's DSR has. */
export function geneve(src: string, dst: string, frame: Buffer, options = false): Buffer {
  const option = options ? Buffer.from("014b01020101010101010101", "hex") : Buffer.alloc(0);
  const header = Buffer.concat([Buffer.from([option.length / 4, 0]), u16(0x6558), u32(2 << 8), option]);
  return ethernet(ip(src, dst, "udp", udp(50_000, 6081, Buffer.concat([header, frame]))));
}

function u16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => {
    bytes.writeUInt16BE(value, index * 2);
  });
  return bytes;
}

function u32(...values: number[]): Buffer {
  return u16(...values.flatMap((value) => [Math.floor(value / 65536), value % 65536]));
}

function address(text: string): Buffer {
  if (!isIPv6(text)) return Buffer.from(text.split(".").map(Number));
  const [head = "", tail = ""] = text.split("::");
  const words = (part: string) => (part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16)));
  return u16(...words(head), ...Array<number>(8 - words(head).length - words(tail).length).fill(0), ...words(tail));
}

function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at);
  return ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
}
