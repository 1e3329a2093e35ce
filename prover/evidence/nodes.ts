import type { AgentSeen, Counters, Observation } from "../observation.ts";
import type { Report } from "../report.ts";
import { byText } from "./canonical.ts";
import { sum } from "./pairs.ts";
import type { NodeEvidence } from "./schema.ts";

/** How each node stands, what it said and what it counted, by name. */
export function nodesOf(report: Report, seen: Observation): NodeEvidence[] {
  const announced = new Map(seen.ciliumNodes.map((node) => [node.name, node.encryptionKey]));
  const agents = new Map(seen.agents.filter((agent) => !agent.terminating).map((agent) => [agent.node, agent]));
  const until = Date.parse(seen.wire?.endedAt ?? seen.takenAt);
  return report.nodes
    .map(({ name, verdict, controlPlane, encryption, nodeEncryption, peers, keysInUse, keys }): NodeEvidence => {
      const counters = agents.get(name)?.counters ?? null;
      return {
        name,
        verdict,
        controlPlane,
        encryption,
        nodeEncryption,
        peers,
        keyId: report.encryption === "ipsec" ? (announced.get(name) ?? null) : null,
        keysInUse,
        keys,
        ...handshakes(said(counters?.after), until),
        counters: counterRows(said(counters?.before), said(counters?.after)),
      };
    })
    .sort((a, b) => byText(a.name, b.name));
}

function said(answer: NonNullable<AgentSeen["counters"]>["after"] | undefined): Counters | null {
  return answer && "said" in answer ? answer.said : null;
}

function handshakes(
  after: Counters | null,
  until: number,
): Pick<NodeEvidence, "oldestHandshakeSeconds" | "peersWithoutHandshake"> {
  if (!after?.peers) return { oldestHandshakeSeconds: null, peersWithoutHandshake: null };
  const times = after.peers.flatMap(({ lastHandshake }) => (lastHandshake === null ? [] : Date.parse(lastHandshake)));
  // A node's clock may be a little ahead of the prover's.
  const age = Math.max(0, Math.round((until - Math.min(...times)) / 1000));
  return {
    oldestHandshakeSeconds: times.length > 0 ? age : null,
    peersWithoutHandshake: after.peers.length - times.length,
  };
}

const COUNTERS: [string, (counters: Counters) => number | null | undefined][] = [
  ["bytes received", ({ peers }) => peers && sum(peers.map((peer) => peer.rx))],
  ["bytes sent", ({ peers }) => peers && sum(peers.map((peer) => peer.tx))],
  ["highest sequence number", ({ ipsec }) => ipsec?.maxSequence],
  ["XFRM errors", ({ ipsec }) => ipsec?.errorCount],
];

/** Each counter that the node has, before and after the marker traffic. */
function counterRows(before: Counters | null, after: Counters | null): NodeEvidence["counters"] {
  return COUNTERS.map(([name, read]) => ({
    name,
    before: (before && read(before)) ?? null,
    after: (after && read(after)) ?? null,
  })).filter((counter) => counter.before !== null || counter.after !== null);
}
