import { pairKey } from "../checks/pairs.ts";
import type { Intent } from "../intent.ts";
import type { AgentSeen, Answer, Counters, Observation } from "../observation.ts";
import type { VantageSeen, WireObservation } from "../wire/observation.ts";
import { canonical } from "./canonical.ts";
import { isOf } from "./pairs.ts";
import { worstFirst } from "./vantages.ts";

/** From how many nodes on is left out what grows with the square of the nodes and no check looks at. */
const BOUNDED_FROM = 100;
/** How many kinds of readable packets of one vantage point are kept; one is enough to judge by. */
const READABLE = 100;

/** A WireGuard agent's peers as the difference to what all CiliumNodes announce, less its own key. */
export interface PackedPeers {
  missingKeys: string[];
  extraKeys: string[];
}

export interface RawObservation {
  observation: Record<string, unknown>;
  /** What was left out or is written in another way, for people. */
  abridged: string[];
}

/** The observation as evidence holds it: in a fixed order, and bounded by nodes and tested pairs where the cluster is large. */
export function rawObservation(intent: Intent, seen: Observation): RawObservation {
  const large = seen.nodes.length >= BOUNDED_FROM;
  const announced = announcedKeys(seen);
  const tested = new Set(
    seen.wire?.flows.flatMap(({ from, to }) => [pairKey({ from, to }), pairKey({ from: to, to: from })]),
  );
  const vantages = seen.wire?.vantages.map((vantage) => withFewerPackets(vantage, intent, large ? tested : null));
  const bounded = {
    ...seen,
    agents: large ? seen.agents.map((agent) => withFewerPeers(agent, seen, announced, tested)) : seen.agents,
    wire: seen.wire && { ...seen.wire, vantages: vantages?.map(({ kept }) => kept) },
  };
  return {
    // It is an object, and stays one.
    observation: canonical(bounded) as Record<string, unknown>,
    abridged: [...(large ? ABRIDGED : []), ...(vantages?.flatMap(({ left }) => left) ?? [])],
  };
}

const ABRIDGED = [
  "peers of agents in `encryption`: written as `missingKeys` and `extraKeys` against the keys that all CiliumNodes announce, less the agent's own; nothing is lost",
  "peers of agents in `counters`: those with a published key that the node exchanged no marker with are left out; no check looks at them",
  "encrypted streams: ordinary ones between nodes that exchanged no marker are left out; no check looks at them",
];

/** The observation of an evidence document, to judge it again. */
export function observationOf(evidence: { observation: Record<string, unknown> }): Observation {
  // The document was validated as evidence; only the peers are written in another way than they were read.
  const seen = structuredClone(evidence.observation) as unknown as Observation;
  const announced = announcedKeys(seen);
  for (const agent of seen.agents) {
    if (!("said" in agent.encryption)) continue;
    const { wireguard } = agent.encryption.said;
    const peers = wireguard?.peers as string[] | PackedPeers | null | undefined;
    if (!wireguard || !peers || Array.isArray(peers)) continue;
    const missing = new Set(peers.missingKeys);
    const others = [...announced].filter((key) => key !== wireguard.publicKey && !missing.has(key));
    wireguard.peers = [...others, ...peers.extraKeys].sort();
  }
  return seen;
}

function announcedKeys(seen: Observation): Set<string> {
  return new Set(seen.ciliumNodes.flatMap((node) => node.wireguardKey ?? []));
}

function withFewerPeers(
  agent: AgentSeen,
  seen: Observation,
  announced: ReadonlySet<string>,
  tested: ReadonlySet<string>,
): unknown {
  const untested = new Set(
    seen.ciliumNodes
      .filter(({ name }) => name !== agent.node && !tested.has(pairKey({ from: agent.node, to: name })))
      .flatMap((node) => node.wireguardKey ?? []),
  );
  const fewer = (answer: Answer<Counters>): Answer<Counters> => {
    if (!("said" in answer) || !answer.said.peers) return answer;
    return { said: { ...answer.said, peers: answer.said.peers.filter((peer) => !untested.has(peer.publicKey)) } };
  };
  const counters = agent.counters && { before: fewer(agent.counters.before), after: fewer(agent.counters.after) };
  return { ...agent, counters, encryption: withPackedPeers(agent.encryption, announced) };
}

function withPackedPeers(answer: AgentSeen["encryption"], announced: ReadonlySet<string>): unknown {
  if (!("said" in answer) || !answer.said.wireguard?.peers) return answer;
  const { publicKey, peers } = answer.said.wireguard;
  const present = new Set(peers);
  const packed: PackedPeers = {
    missingKeys: [...announced].filter((key) => key !== publicKey && !present.has(key)),
    // The agent's own key, or one that is listed twice, is as special as one that nobody announces.
    extraKeys: peers.filter((key) => !announced.has(key) || key === publicKey || !present.delete(key)),
  };
  return { said: { ...answer.said, wireguard: { ...answer.said.wireguard, peers: packed } } };
}

/** Captures of a cluster that leaks everywhere would fill a disk; `tested`: only these pairs' ordinary streams matter. */
function withFewerPackets(
  vantage: VantageSeen,
  intent: Intent,
  tested: ReadonlySet<string> | null,
): { kept: WireObservation["vantages"][number]; left: string[] } {
  const plaintext = worstFirst(vantage.plaintext).slice(0, READABLE);
  const ciphertext = vantage.ciphertext.filter(
    (stream) => tested === null || tested.has(pairKey(stream)) || !isOf(intent, stream) || stream.increasing === false,
  );
  const left = vantage.plaintext.length - plaintext.length;
  return {
    kept: { ...vantage, plaintext, ciphertext },
    left: left > 0 ? [`${vantage.name}: ${left} further kinds of readable packets are left out`] : [],
  };
}
