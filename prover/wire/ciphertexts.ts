import type { CiphertextSeen } from "./observation.ts";

/** One encrypted packet, sorted. */
export interface Ciphertext extends Pick<CiphertextSeen, "kind" | "src" | "dst" | "from" | "to" | "spi"> {
  /** ESP only. */
  sequence: number | null;
}

/** Counts encrypted packets by stream and follows their sequence numbers. Streams beyond `limit` are not seen. */
export class Ciphertexts {
  readonly #limit: number;
  readonly #streams = new Map<string, CiphertextSeen>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  add({ sequence, ...stream }: Ciphertext): void {
    const key = [stream.kind, stream.src, stream.dst, stream.spi].join(" ");
    const seen = this.#streams.get(key);
    if (seen) {
      seen.increasing = seen.increasing && (sequence ?? 0) > (seen.lastSequence ?? 0);
      seen.lastSequence = sequence;
      seen.packets += 1;
    } else if (this.#streams.size < this.#limit) {
      const increasing = sequence === null ? null : true;
      this.#streams.set(key, { ...stream, firstSequence: sequence, lastSequence: sequence, increasing, packets: 1 });
    }
  }

  result(): CiphertextSeen[] {
    return [...this.#streams.values()];
  }
}
