import type { PlaintextSeen } from "./observation.ts";

/** One readable packet, sorted. */
export type Plaintext = Omit<PlaintextSeen, "packets">;

/** Address of the group that takes what is too much to keep apart. */
const others = "others";

/** Counts readable packets by kind. Beyond `limit` kinds, those without a marker are no longer kept apart by their pods' addresses. */
export class Plaintexts {
  readonly #limit: number;
  readonly #isNode: (address: string) => boolean;
  readonly #groups = new Map<string, PlaintextSeen>();

  constructor(limit: number, isNode: (address: string) => boolean) {
    this.#limit = limit;
    this.#isNode = isNode;
  }

  add(packet: Plaintext): void {
    const group = this.#groups.get(key(packet));
    if (group) group.packets += 1;
    else if (packet.marker || this.#groups.size < this.#limit) this.#keep(packet);
    else {
      const coarse = { ...packet, src: this.#coarse(packet.src), dst: this.#coarse(packet.dst) };
      const known = this.#groups.get(key(coarse));
      if (known) known.packets += 1;
      else this.#keep(coarse);
    }
  }

  #keep(packet: Plaintext): void {
    this.#groups.set(key(packet), { ...packet, packets: 1 });
  }

  /** A node's own address stays: what has one may be read where a pod's may not. */
  #coarse(address: string): string {
    return this.#isNode(address) ? address : others;
  }

  result(): PlaintextSeen[] {
    return [...this.#groups.values()];
  }
}

function key({ form, src, dst, from, to, marker }: Plaintext): string {
  return [form, src, dst, from, to, marker].join(" ");
}
