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

/** What must have come back for a pair to be proven. */
export function requiredFlows(
  intent: Intent,
  seen: Observation,
  { from, to }: Pair,
): Pick<FlowSeen, "kind" | "protocol">[] {
  const kinds = encryptsNode(intent, seen, from) && encryptsNode(intent, seen, to) ? ["pod", "node"] : ["pod"];
  return (kinds as FlowSeen["kind"][]).flatMap((kind) => [
    { kind, protocol: "tcp" },
    { kind, protocol: "udp" },
  ]);
}

/** Whether traffic of the node's own address must be encrypted: node encryption is on, and the node did not opt out as it may. */
export function encryptsNode(intent: Intent, seen: Observation, node: string): boolean {
  if (!intent.nodeEncryption) return false;
  if (!mayOptOut(seen, node)) return true;
  // An agent that does not answer leaves it open, and is not proven anyway.
  return seen.agents.some(
    ({ node: at, status }) => at === node && "said" in status && status.said.nodeEncryption === "Enabled",
  );
}

/** Some names in few words: the first, and how many more. */
export function suchAs(names: readonly string[]): string {
  const [first = "", ...more] = names;
  return more.length > 0 ? `${first} and ${more.length} more` : first;
}
