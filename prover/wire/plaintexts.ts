import type { PlaintextSeen } from "./observation.ts";

/** One readable packet, sorted. */
export type Plaintext = Omit<PlaintextSeen, "packets">;

/** Address of the group that takes what is too much to keep apart. */
export const others = "others";

/** Counts readable packets by kind. Beyond `limit` kinds, those without a marker are kept apart by nodes only. */
export class Plaintexts {
  readonly #limit: number;
  readonly #groups = new Map<string, PlaintextSeen>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(packet: Plaintext): void {
    const group = this.#groups.get(key(packet));
    if (group) group.packets += 1;
    else if (packet.marker || packet.src === others || this.#groups.size < this.#limit)
      this.#groups.set(key(packet), { ...packet, packets: 1 });
    else this.add({ ...packet, src: others, dst: others });
  }

  result(): PlaintextSeen[] {
    return [...this.#groups.values()];
  }
}

function key({ form, src, dst, from, to, marker }: Plaintext): string {
  return [form, src, dst, from, to, marker].join(" ");
}
