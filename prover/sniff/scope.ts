import type { NodeSeen } from "../observation.ts";
import { AddressOwners } from "../wire/addresses.ts";
import { captureFilters } from "../wire/filters.ts";
import type { Layer, Packet } from "../wire/packet.ts";
import type { Workload } from "./workload.ts";

/** Whose packets a sniff is about, and how to capture them. */
export interface Scope {
  /** Packets of the sender's, at its own device. */
  before: string;
  /** On the wire: what could be readable, and what is encrypted. No packet matches both. */
  readable: string;
  encrypted: string;
  /** Whether a packet is, or may be, between the two. */
  concerns: (layers: Layer[]) => boolean;
  /** Whether an encrypted packet is for the other side's node. */
  crosses: (packet: Packet) => boolean;
}

export interface ScopeOf {
  from: Workload;
  to: Workload | null;
  nodes: readonly NodeSeen[];
  /** Port of this run's controls. */
  markerPort: number;
}

/** The scope between two workloads, or from one to all other nodes. */
export function scopeOf({ from, to, nodes, markerPort }: ScopeOf): Scope {
  const filters = captureFilters({ markerPort, podCidrs: nodes.flatMap(({ podCidrs }) => podCidrs) });
  // A pod may have an address that no node's range holds, as in a cloud's own IPAM.
  const between = to ? `(host ${from.ip} and host ${to.ip})` : `src host ${from.ip}`;
  const pods = new AddressOwners<string>();
  for (const { name, podCidrs } of nodes) for (const range of podCidrs) pods.add(range, name);
  const ends = new Set(to ? [from.node, to.node] : nodes.map(({ name }) => name));
  const addresses = new Set(nodes.filter(({ name }) => ends.has(name)).flatMap((node) => node.addresses));
  return {
    before: `host ${from.ip}`,
    readable: `(${filters.readable}) or (${between} and not (${filters.encrypted}))`,
    encrypted: filters.encrypted,
    concerns: (layers) => {
      const last = layers.at(-1);
      // What tcpdump could not read is in doubt theirs; so is what stands between the nodes, around something unread.
      if (!last || (addresses.has(last.src) && addresses.has(last.dst))) return true;
      const other = last.src === from.ip ? last.dst : last.dst === from.ip ? last.src : "";
      if (to) return other === to.ip;
      const node = pods.of(other);
      return last.src === from.ip && node !== null && node !== from.node;
    },
    crosses: ({ layers: [outer] }) => outer !== undefined && addresses.has(outer.src) && addresses.has(outer.dst),
  };
}
