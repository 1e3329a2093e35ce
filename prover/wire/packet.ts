import type { ControlSeen } from "./observation.ts";

/** A header that tunnels an Ethernet frame. */
export type Overlay = Exclude<ControlSeen["form"], "bare">;

/** One packet as tcpdump tells it: plain data. */
export interface Packet {
  /** Seconds since 1970, as captured. */
  time: number;
  /** From the outermost IP header to the innermost one that tcpdump could read; empty where it could read none. */
  layers: Layer[];
  /** The innermost ESP header. */
  esp: Esp | null;
  /** The frame with its link-level header: for the search of markers and for pcap files. Empty without `-xx`. */
  bytes: Buffer;
  /** The device on which a capture on all devices (`any`) saw it; absent where the capture was on one. */
  at?: { device: string; outgoing: boolean };
}

export interface Layer {
  src: string;
  dst: string;
  sport: number | null;
  dport: number | null;
  /** tcpdump's word for the IP protocol: `TCP`, `UDP`, `ESP`, `ICMP`, `ICMPv6`; `ARP` for an ARP message. */
  protocol: string;
  /** Null where the packet is whole. */
  fragment: Fragment | null;
  /** What this layer carries: the next layer is inside of it. */
  overlay: Overlay | null;
}

export interface Fragment {
  id: number;
  /** Of its payload in the payload of the whole packet, in bytes. */
  offset: number;
  /** Bytes of payload: the last ones of the frame. */
  length: number;
  more: boolean;
}

export interface Esp {
  spi: number;
  sequence: number;
}
