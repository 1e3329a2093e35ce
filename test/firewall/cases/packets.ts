import { esp, ethernet, ip, tcp, udp } from "../../wire/frames.ts";
import type { Addresses } from "../addresses.ts";

// Frames that several parts of the corpus are made of.

/** TCP that anybody can read. */
export function text(src: string, dst: string, sport = 40_000, dport = 8080): Buffer {
  return ethernet(ip(src, dst, "tcp", tcp(sport, dport, "in clear")));
}

export function query(src: string, dst: string, sport = 5000, dport = 53): Buffer {
  return ethernet(ip(src, dst, "udp", udp(sport, dport, "query")));
}

/** One of WireGuard's messages, of which there are types 1 to 4. */
export function wireguard(src: string, dst: string, type = 4): Buffer {
  const message = Buffer.from([type, 0, 0, 0, ...Buffer.alloc(60, 0xa5)]);
  return ethernet(ip(src, dst, "udp", udp(51_871, 51_871, message)));
}

export function ciphertext(src: string, dst: string): Buffer {
  return ethernet(ip(src, dst, "esp", esp(3, 1)));
}

export function ping(family: Addresses["family"], src: string, dst: string, answer = false): Buffer {
  const type = family === "IPv4" ? (answer ? 0 : 8) : answer ? 129 : 128;
  return icmp(family, src, dst, Buffer.from([type, 0, 0, 0, 0, 1, 0, 1]));
}

export function icmp(family: Addresses["family"], src: string, dst: string, message: Buffer): Buffer {
  return ethernet(ip(src, dst, family === "IPv4" ? "icmp" : "icmpv6", message));
}

/** Of an ICMP error: what it is called, its type and its code. */
type ErrorKind = "unreachable" | "exceeded" | "too big" | "parameter";
const ERRORS: Record<Addresses["family"], Record<ErrorKind, [number, number]>> = {
  IPv4: { unreachable: [3, 3], exceeded: [11, 0], "too big": [3, 4], parameter: [12, 0] },
  IPv6: { unreachable: [1, 4], exceeded: [3, 0], "too big": [2, 0], parameter: [4, 0] },
};

/** An error with the first 64 bytes of the packet that it is about. */
export function icmpError(
  family: Addresses["family"],
  kind: ErrorKind,
  src: string,
  dst: string,
  about: Buffer,
): Buffer {
  return icmp(family, src, dst, quoting(ERRORS[family][kind], packetOf(about)));
}

export function quoting([type, code]: [number, number], packet: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, code, 0, 0, 0, 0, 0, 0]), packet.subarray(0, 64)]);
}

/** What an Ethernet frame carries. */
export function packetOf(frame: Buffer): Buffer {
  return frame.subarray(14);
}
