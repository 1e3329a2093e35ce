import { isIPv6 } from "node:net";
import { parseRange } from "./addresses.ts";
import type { ControlSeen } from "./observation.ts";

/** A packet of the form of a leak, for the positive control. */
export interface ControlFrame {
  form: ControlSeen["form"];
  /** The sender's own: source and destination, so that no bridge forwards it. */
  mac: string;
  nodeIp: string;
  /** Pod addresses, inside the overlay; not used in the form `bare`. */
  innerSrc: string;
  innerDst: string;
  markerPort: number;
  /** UDP port of the overlay; not used in the form `bare`. */
  overlayPort: number;
  marker: string;
}

/** Addresses for documentation (RFC 5737, RFC 3849): nobody's, so no Cilium encrypts for them. */
export const nowhere = { ipv4: "192.0.2.1", ipv6: "2001:db8::1" };

/** The Ethernet frame, for a packet socket. */
export function controlFrame(frame: ControlFrame): Buffer {
  const { form, mac, nodeIp, innerSrc, innerDst, markerPort, overlayPort, marker } = frame;
  const target = isIPv6(nodeIp) ? nowhere.ipv6 : nowhere.ipv4;
  const carry = (src: string, dst: string, sport: number, dport: number, payload: Buffer) =>
    ethernet(mac, src, ip(src, dst, udp(src, dst, sport, dport, payload)));
  if (form === "bare") return carry(nodeIp, target, markerPort, markerPort, Buffer.from(marker, "latin1"));
  const inner = carry(innerSrc, innerDst, markerPort, markerPort, Buffer.from(marker, "latin1"));
  return carry(nodeIp, target, sourcePort, overlayPort, Buffer.concat([overlayHeader(form), inner]));
}

/** Any of those that Linux takes for overlay packets but 49152, by which tcpdump goes (BCM-LI) rather than by 8472. */
const sourcePort = 50_000;

/** VXLAN (RFC 7348) and Geneve (RFC 8926, an Ethernet frame inside), both with network id 2, as Cilium's world identity. */
function overlayHeader(form: "vxlan" | "geneve"): Buffer {
  return Buffer.from(form === "vxlan" ? "0800000000000200" : "0000655800000200", "hex");
}

function ethernet(mac: string, src: string, packet: Buffer): Buffer {
  const address = Buffer.from(mac.replaceAll(":", ""), "hex");
  return Buffer.concat([address, address, Buffer.from(isIPv6(src) ? "86dd" : "0800", "hex"), packet]);
}

function ip(src: string, dst: string, payload: Buffer): Buffer {
  const ends = Buffer.concat([addressBytes(src), addressBytes(dst)]);
  if (isIPv6(src)) {
    const header = Buffer.from("6000000000001140", "hex");
    header.writeUInt16BE(payload.length, 4);
    return Buffer.concat([header, ends, payload]);
  }
  const header = Buffer.concat([Buffer.from("450000000000000040110000", "hex"), ends]);
  header.writeUInt16BE(header.length + payload.length, 2);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, payload]);
}

function udp(src: string, dst: string, sport: number, dport: number, payload: Buffer): Buffer {
  const datagram = Buffer.concat([Buffer.alloc(8), payload]);
  datagram.writeUInt16BE(sport, 0);
  datagram.writeUInt16BE(dport, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  // Source, destination, length and protocol count too; 0 would mean "no checksum".
  const pseudo = Buffer.alloc(4);
  pseudo.writeUInt16BE(datagram.length, 0);
  pseudo.writeUInt16BE(17, 2);
  datagram.writeUInt16BE(
    checksum(Buffer.concat([addressBytes(src), addressBytes(dst), pseudo, datagram])) || 0xffff,
    6,
  );
  return datagram;
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
  let sum = 0;
  for (let at = 0; at < even.length; at += 2) sum += even.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function addressBytes(address: string): Buffer {
  const range = parseRange(address);
  if (!range) throw new TypeError(`not an IP address: ${address}`);
  return Buffer.from(range.first.toString(16).padStart(range.family === 4 ? 8 : 32, "0"), "hex");
}
