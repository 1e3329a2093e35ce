import type { Packet } from "./packet.ts";

/** Reads the text of `tcpdump -l -nn -v -xx -tt` as it comes. */
export class TcpdumpReader {
  /** The packets that this text, cut anywhere, completes. A packet is complete when the next one begins. */
  push(_text: string): Packet[] {
    return [];
  }

  /** The last packet. */
  end(): Packet[] {
    return [];
  }
}

/** Packets that the kernel dropped before tcpdump saw them; null where tcpdump did not say, as when it was killed. */
export function packetsDropped(stderr: string): number | null {
  const dropped = /(\d+) packets? dropped by kernel/.exec(stderr)?.[1];
  return dropped === undefined ? null : Number(dropped);
}

/** tcpdump has opened the device: from here on it sees every packet. */
export function isListening(stderr: string): boolean {
  return /listening on \S+, link-type/.test(stderr);
}
