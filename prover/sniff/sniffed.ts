import type { Workload } from "./workload.ts";

/** What a sniff saw: plain data, with no judgement in it. */
export interface Sniffed {
  text: string;
  from: Workload;
  /** Null: everything that the sender sends to other nodes. */
  to: Workload | null;
  /** What ran in the sender's container meanwhile, and why it failed, null where it did not; null: nothing ran. */
  command: { text: string; failed: string | null } | null;
  /** Inside the sender's node, before encryption. */
  before: PlaceSniffed;
  /** Where packets leave the nodes. */
  wire: WireSniffed[];
}

/** What one place saw. */
export interface PlaceSniffed {
  node: string;
  device: string;
  /** Why nothing could be captured there; null where it could. */
  silent: string | null;
  /** The capture listened to its end, and says how much it missed. */
  complete: boolean;
  dropped: number;
  /** Packets with the text in them. */
  packets: number;
  /** The first of them. */
  example: PacketExample | null;
}

export interface WireSniffed extends PlaceSniffed {
  /** Packets in clear of our own, sent to see whether this capture sees any; each must be seen. */
  controls: { sent: number; seen: number };
  /** ESP and WireGuard to the other node. */
  encrypted: { packets: number; example: PacketExample | null };
}

/** A packet for people. */
export interface PacketExample {
  /** Its headers as tcpdump read them. */
  headers: string;
  /** Bytes of its load as characters, those without one as dots; `text` is what was looked for, empty where it is not there. */
  load: { before: string; text: string; after: string };
}
