import { Fragments } from "../wire/fragments.ts";
import type { Layer, Packet } from "../wire/packet.ts";
import { headerText } from "../wire/sightings.ts";
import type { PacketExample } from "./sniffed.ts";

/** IP packets that are still without some of their fragments. */
const MAX_FRAGMENTED = 64;

/** Characters of the load that are shown on either side of the text, and without one. */
const AROUND = 24;
const GLANCE = 60;

/** Counts the packets that carry a text, over the edges of IP fragments too. TCP segments are not joined. */
export class TextSearch {
  packets = 0;
  example: PacketExample | null = null;
  readonly #text: Buffer;
  readonly #concerns: (layers: Layer[]) => boolean;
  readonly #fragments = new Fragments(MAX_FRAGMENTED);
  /** Fragmented packets that are counted already. */
  readonly #counted = new Set<string>();

  constructor(text: string, concerns: (layers: Layer[]) => boolean = () => true) {
    this.#text = Buffer.from(text);
    this.#concerns = concerns;
  }

  add(packet: Packet): void {
    const joined = this.#fragments.add(packet);
    const whole = joined && this.#fragmentKey(packet);
    const found = [packet.bytes, ...(joined?.stretches ?? [])].find((bytes) => bytes.includes(this.#text));
    const layers = joined?.layers ?? packet.layers;
    if (!found || !this.#concerns(layers) || (whole && this.#counted.has(whole))) return;
    if (whole) this.#counted.add(whole);
    this.packets += 1;
    this.example ??= exampleOf(layers, found, this.#text);
  }

  #fragmentKey({ layers }: Packet): string {
    const layer = layers.find(({ fragment }) => fragment);
    return `${layer?.src} ${layer?.dst} ${layer?.fragment?.id}`;
  }
}

/** A packet for people; without a text the end of it, which no header is in. */
export function exampleOf(layers: readonly Layer[], bytes: Buffer, text?: Buffer): PacketExample {
  const headers = layers.length === 0 ? "not readable by tcpdump" : layers.map(headerText).join(" / ");
  if (!text) return { headers, load: { before: shown(bytes.subarray(-GLANCE)), text: "", after: "" } };
  const at = bytes.indexOf(text);
  const end = at + text.length;
  return {
    headers,
    load: {
      before: shown(bytes.subarray(Math.max(0, at - AROUND), at)),
      text: text.toString(),
      after: shown(bytes.subarray(end, end + AROUND)),
    },
  };
}

function shown(bytes: Buffer): string {
  return bytes.toString("latin1").replaceAll(/[^ -~]/g, ".");
}
