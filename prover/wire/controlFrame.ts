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

/** The Ethernet frame, for a packet socket. */
export function controlFrame(_frame: ControlFrame): Buffer {
  return Buffer.alloc(0);
}
