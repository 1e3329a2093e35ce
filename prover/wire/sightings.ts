import { AddressOwners } from "./addresses.ts";
import { type Ciphertext, Ciphertexts } from "./ciphertexts.ts";
import { Fragments } from "./fragments.ts";
import { MarkerSearch } from "./markerSearch.ts";
import type { ControlSeen, VantageSeen } from "./observation.ts";
import type { Layer, Overlay, Packet } from "./packet.ts";
import { type Plaintext, Plaintexts } from "./plaintexts.ts";

/** What the sender of this run's traffic knows. */
export interface WireContext {
  nodes: WireNode[];
  /** Best with a prefix in common, such as one of the run: they are found faster then. */
  markers: ReadonlySet<string>;
  /** By the marker of the control. */
  controls: ReadonlyMap<string, Omit<ControlSeen, "seen">>;
  /** The port that markers are sent to. */
  markerPort: number;
}

export interface WireNode {
  name: string;
  ips: string[];
  /** Address of its talking pod. */
  podIp: string | null;
  podCidrs: string[];
}

interface Owner {
  node: string;
  pod: boolean;
}

/** IP packets that are still without some of their fragments. */
const maxFragmented = 64;
const maxPlaintexts = 20_000;
const maxCiphertexts = 20_000;

interface WireIndex {
  owners: AddressOwners<Owner>;
  search: MarkerSearch;
}

/** All vantages of a run share one context, and so its index: at a thousand nodes one each would cost a million entries. */
const indexes = new WeakMap<WireContext, WireIndex>();

function indexOf(context: WireContext): WireIndex {
  const known = indexes.get(context);
  if (known) return known;
  const owners = new AddressOwners<Owner>();
  for (const { name, podIp, podCidrs } of context.nodes)
    for (const range of [...podCidrs, ...(podIp ? [podIp] : [])]) owners.add(range, { node: name, pod: true });
  // Last: where pods have addresses of the nodes' network, a node's own address may be in a range of pods.
  for (const { name, ips } of context.nodes) for (const ip of ips) owners.add(ip, { node: name, pod: false });
  const index = { owners, search: new MarkerSearch([...context.markers, ...context.controls.keys()]) };
  indexes.set(context, index);
  return index;
}

/** Sorts the packets of one vantage, from both of its captures, as they come. Its memory has a bound. */
export class Sightings {
  readonly #context: WireContext;
  readonly #owners: AddressOwners<Owner>;
  readonly #search: MarkerSearch;
  readonly #fragments = new Fragments(maxFragmented);
  readonly #controlsSeen = new Map<string, number>();
  readonly #plaintexts = new Plaintexts(maxPlaintexts, (address) => this.#owners.of(address)?.pod === false);
  readonly #ciphertexts = new Ciphertexts(maxCiphertexts);

  constructor(context: WireContext) {
    this.#context = context;
    ({ owners: this.#owners, search: this.#search } = indexOf(context));
  }

  /** The packet where it is readable and no control. */
  add(packet: Packet): Plaintext | null {
    const { marker, layers } = this.#readMarker(packet);
    if (marker !== null && this.#context.controls.has(marker)) {
      this.#addControl(marker, layers);
      return null;
    }
    const ciphertext = marker === null ? this.#ciphertext(packet) : null;
    if (ciphertext) this.#ciphertexts.add(ciphertext);
    if (ciphertext || (marker === null && !this.#leaks(layers))) return null;
    const plaintext = this.#plaintext(layers, marker !== null);
    this.#plaintexts.add(plaintext);
    return plaintext;
  }

  /** How often each control was seen that was. */
  controlsByMarker(): { marker: string; seen: number }[] {
    return [...this.#controlsSeen].map(([marker, seen]) => ({ marker, seen }));
  }

  result(): Pick<VantageSeen, "controls" | "plaintext" | "ciphertext"> {
    return {
      controls: [...this.#context.controls].map(([marker, control]) => ({
        ...control,
        seen: this.#controlsSeen.get(marker) ?? 0,
      })),
      plaintext: this.#plaintexts.result(),
      ciphertext: this.#ciphertexts.result(),
    };
  }

  /** Also in what looks encrypted: ESP may be told to use no cipher. And over the edge of two fragments. */
  #readMarker(packet: Packet): { marker: string | null; layers: Layer[] } {
    const joined = this.#fragments.add(packet);
    const own = this.#search.find(packet.bytes);
    if (own !== null || !joined) return { marker: own, layers: packet.layers };
    for (const stretch of joined.stretches) {
      const marker = this.#search.find(stretch);
      if (marker !== null) return { marker, layers: joined.layers ?? packet.layers };
    }
    return { marker: null, layers: packet.layers };
  }

  /** A control that was read as another form than it was sent in does not show that leaks of its form are read. */
  #addControl(marker: string, layers: Layer[]): void {
    if ((overlayOf(layers)?.overlay ?? "bare") !== this.#context.controls.get(marker)?.form || layers.length === 0)
      return;
    this.#controlsSeen.set(marker, (this.#controlsSeen.get(marker) ?? 0) + 1);
  }

  /** ESP and WireGuard between nodes. A pod's own VPN is not the cluster's: such packets are the pod's. */
  #ciphertext({ layers, esp }: Packet): Ciphertext | null {
    const last = layers.at(-1);
    if (!last || this.#pod(last.src) || this.#pod(last.dst)) return null;
    const overlay = overlayOf(layers)?.overlay;
    const wireguard = last.protocol === "UDP" && (last.sport === wireguardPort || last.dport === wireguardPort);
    if (!esp && !(wireguard && !overlay)) return null;
    const kind = !esp ? "wireguard" : overlay ? (`esp-in-${overlay}` as const) : "esp";
    const [from, to] = [this.#owners.of(last.src)?.node ?? null, this.#owners.of(last.dst)?.node ?? null];
    return { kind, src: last.src, dst: last.dst, from, to, spi: esp?.spi ?? null, sequence: esp?.sequence ?? null };
  }

  /**
   * Whether a readable packet without a marker passed between nodes though encryption should have hidden it: in the
   * overlay from one node to another, whatever is inside, or between pods of two nodes. Between node addresses alone
   * there is much that no mode encrypts (the API, health checks). From a pod to outside of the cluster is not between
   * nodes: `notEncrypted.ts` tells of it.
   */
  #leaks(layers: Layer[]): boolean {
    const [overlay, last] = [overlayOf(layers), layers.at(-1)];
    if (!last || isLinkTalk(last)) return false;
    const differ = (from: Owner | null, to: Owner | null) => from !== null && to !== null && from.node !== to.node;
    if (overlay && differ(this.#owners.of(overlay.src), this.#owners.of(overlay.dst))) return true;
    return differ(this.#pod(last.src), this.#pod(last.dst));
  }

  #plaintext(layers: Layer[], marker: boolean): Plaintext {
    const [overlay, last] = [overlayOf(layers), layers.at(-1)];
    const node = (end: "src" | "dst") =>
      (this.#owners.of(overlay?.[end] ?? "") ?? this.#owners.of(last?.[end] ?? ""))?.node ?? null;
    return {
      form: overlay?.overlay ?? (this.#isNodeMarker(layers) ? "node" : "bare"),
      src: last?.src ?? unread,
      dst: last?.dst ?? unread,
      from: node("src"),
      to: node("dst"),
      marker,
      example: layers.length === 0 ? unread : layers.map(headerText).join(" / "),
    };
  }

  /**
   * Marker traffic between node addresses, as it was sent. A marker that turns up between them in any other way, such as
   * in ESP without a cipher or in an overlay that tcpdump did not read, is a pod's.
   */
  #isNodeMarker(layers: Layer[]): boolean {
    const last = layers.at(-1);
    if (!last || ![last.sport, last.dport].includes(this.#context.markerPort)) return false;
    return [last.src, last.dst].every((address) => this.#owners.of(address)?.pod === false);
  }

  #pod(address: string): Owner | null {
    const owner = this.#owners.of(address);
    return owner?.pod ? owner : null;
  }
}

const wireguardPort = 51871;
const unread = "not readable by tcpdump";

/** The innermost overlay: what a leak is called by. */
function overlayOf(layers: Layer[]): (Layer & { overlay: Overlay }) | undefined {
  return layers.findLast((layer): layer is Layer & { overlay: Overlay } => layer.overlay !== null);
}

/**
 * ARP, neighbour discovery, multicast listener reports: what a kernel says on the overlay's device by itself. They hold
 * nothing of a pod, and up to 1.17 IPsec leaves the overlay's own frames in clear, so they are no leak.
 */
function isLinkTalk({ protocol, src, dst }: Layer): boolean {
  return protocol === "ARP" || /^fe[89ab]/.test(src) || /^(?:fe[89ab]|ff02:|224\.0\.0\.)/.test(dst);
}

/** A header in a line, shorter than tcpdump tells it. */
export function headerText({ src, sport, dst, dport, protocol, fragment, overlay }: Layer): string {
  const end = (address: string, port: number | null) => (port === null ? address : `${address}.${port}`);
  const piece = fragment ? `, fragment at ${fragment.offset}` : "";
  return `${end(src, sport)} > ${end(dst, dport)}: ${protocol}${piece}${overlay ? `, ${overlay}` : ""}`;
}
