import type { ControlSeen, VantageSeen } from "./observation.ts";
import type { Packet } from "./packet.ts";

/** What the sender of this run's traffic knows. */
export interface WireContext {
  nodes: WireNode[];
  /** Best with a prefix in common, such as one of the run: they are found faster then. */
  markers: ReadonlySet<string>;
  /** By the marker of the control. */
  controls: ReadonlyMap<string, Omit<ControlSeen, "seen">>;
  markerPort: number;
}

export interface WireNode {
  name: string;
  ips: string[];
  /** Address of its talking pod. */
  podIp: string | null;
  podCidrs: string[];
}

/** Sorts the packets of one vantage, from both of its captures, as they come. Its memory has a bound. */
export class Sightings {
  readonly #context: WireContext;

  constructor(context: WireContext) {
    this.#context = context;
  }

  add(_packet: Packet): void {}

  result(): Pick<VantageSeen, "controls" | "plaintext" | "ciphertext"> {
    return {
      controls: [...this.#context.controls.values()].map((control) => ({ ...control, seen: 0 })),
      plaintext: [],
      ciphertext: [],
    };
  }
}
