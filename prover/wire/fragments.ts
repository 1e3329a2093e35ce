import type { Fragment, Layer, Packet } from "./packet.ts";

/** What the fragments of one IP packet give so far. */
export interface JoinedFragments {
  /** One for each stretch without a gap. */
  stretches: Buffer[];
  /** The layers that the first fragment told, which alone holds the headers; null where it was not seen. */
  layers: Layer[] | null;
}

interface Pieces {
  byOffset: Map<number, Buffer>;
  layers: Layer[] | null;
  /** The last one was seen; IPv6 does not say. */
  last: boolean;
}

/** Joins the fragments of IP packets, in whatever order they come. It keeps those of the last `limit` packets that lack some. */
export class Fragments {
  readonly #limit: number;
  readonly #packets = new Map<string, Pieces>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Null where the packet is no fragment. */
  add(packet: Packet): JoinedFragments | null {
    const layer = packet.layers.find(({ fragment }) => fragment);
    if (!layer?.fragment) return null;
    const key = packetKey(layer, layer.fragment);
    const pieces = this.#packets.get(key) ?? { byOffset: new Map(), layers: null, last: false };
    const { offset, length, more } = layer.fragment;
    // Copied: a part of a buffer would keep all of it.
    pieces.byOffset.set(offset, Buffer.from(packet.bytes.subarray(Math.max(0, packet.bytes.length - length))));
    if (offset === 0) pieces.layers = packet.layers;
    pieces.last ||= !more && !layer.src.includes(":");
    this.#packets.set(key, pieces);
    const joined = { stretches: stretches(pieces.byOffset), layers: pieces.layers };
    const whole = pieces.last && pieces.layers !== null && joined.stretches.length === 1;
    if (whole) this.#packets.delete(key);
    else if (this.#packets.size > this.#limit) this.#packets.delete(this.#packets.keys().next().value ?? key);
    return joined;
  }
}

/** RFC 791: an id counts for a source, destination and protocol; RFC 8200: for a source and destination. */
function packetKey({ src, dst, protocol }: Layer, { id }: Fragment): string {
  return src.includes(":") ? `${src} ${dst} ${id}` : `${src} ${dst} ${id} ${protocol}`;
}

function stretches(byOffset: Map<number, Buffer>): Buffer[] {
  const runs: { end: number; parts: Buffer[] }[] = [];
  for (const [offset, part] of [...byOffset].sort(([a], [b]) => a - b)) {
    const run = runs.at(-1);
    if (run?.end === offset) {
      run.parts.push(part);
      run.end += part.length;
    } else runs.push({ end: offset + part.length, parts: [part] });
  }
  return runs.map(({ parts }) => Buffer.concat(parts));
}
