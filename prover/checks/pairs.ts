import type { Intent } from "../intent.ts";
import type { Observation } from "../observation.ts";
import type { FlowSeen, WireObservation } from "../wire/observation.ts";
import { mayOptOut } from "./ciliumNodes.ts";

/** Two nodes, the one that sends first. */
export interface Pair {
  from: string;
  to: string;
}

/** One text for a pair; names of nodes hold no spaces. */
export const pairKey = ({ from, to }: { from: string | null; to: string | null }): string => `${from} ${to}`;

/** The ordered pairs between which markers were sent, each once. */
export function testedPairs(wire: WireObservation): Pair[] {
  return [...new Map(wire.flows.map(({ from, to }) => [pairKey({ from, to }), { from, to }])).values()];
}

/** The nodes that each node exchanges marker traffic with, in either direction. */
export type Partners = ReadonlyMap<string, ReadonlySet<string>>;

export function partnersOf(pairs: Iterable<Pair>): Partners {
  const partners = new Map<string, Set<string>>();
  const add = (node: string, other: string): unknown =>
    partners.get(node)?.add(other) ?? partners.set(node, new Set([other]));
  for (const { from, to } of pairs) {
    add(from, to);
    add(to, from);
  }
  return partners;
}

/** What must have come back for a pair to be proven; `nodes` are those that encrypt their own address's traffic. */
export function requiredFlows(nodes: ReadonlySet<string>, { from, to }: Pair): Pick<FlowSeen, "kind" | "protocol">[] {
  const kinds: FlowSeen["kind"][] = nodes.has(from) && nodes.has(to) ? ["pod", "node"] : ["pod"];
  return kinds.flatMap((kind) => [
    { kind, protocol: "tcp" },
    { kind, protocol: "udp" },
  ]);
}

/** The nodes whose own address's traffic must be encrypted: node encryption is on, and they did not opt out as some may. */
export function encryptingNodes(intent: Intent, seen: Observation): ReadonlySet<string> {
  if (!intent.nodeEncryption) return new Set();
  // An agent that does not answer leaves open whether its node opted out, and is not proven anyway.
  const enabled = new Set(
    seen.agents.flatMap(({ node, status }) =>
      "said" in status && status.said.nodeEncryption === "Enabled" ? [node] : [],
    ),
  );
  return new Set(seen.nodes.map(({ name }) => name).filter((name) => !mayOptOut(seen, name) || enabled.has(name)));
}

/** Some names in few words: the first, and how many more. */
export function suchAs(names: readonly string[]): string {
  const [first = "", ...more] = names;
  return more.length > 0 ? `${first} and ${more.length} more` : first;
}
