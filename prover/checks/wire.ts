import { type Check, type Found, note, unobserved } from "../finding.ts";
import type { Intent } from "../intent.ts";
import type { Observation } from "../observation.ts";
import type { FlowSeen } from "../wire/observation.ts";
import { wireReport } from "../wireReport.ts";
import { captureChecks } from "./captures.ts";
import { ciphertextChecks } from "./ciphertext.ts";
import { wireReadable } from "./leaks.ts";
import { encryptingNodes, type Pair, pairKey, requiredFlows, suchAs, testedPairs } from "./pairs.ts";
import { counterChecks } from "./peers.ts";
import { strictEgress } from "./strict.ts";

/** Status never proves: until packets are looked at, the verdict is `not proven` at best. */
const wire: Check = {
  name: "wire",
  look: (intent, seen) => {
    const nothing = { node: null, evidence: null, fix: null };
    if (intent.encryption === "none") {
      return [
        unobserved({ ...nothing, message: "encryption is off, as configured, so there is nothing to prove" }),
        ...readableAsConfigured(intent, seen),
      ];
    }
    if (seen.wire) return [];
    return [unobserved({ ...nothing, message: "the wire was not observed: this is what the nodes say of themselves" })];
  },
};

function readableAsConfigured(intent: Intent, seen: Observation): Found[] {
  const wire = wireReport(intent, seen);
  if (!wire?.packets.plaintext) return [];
  const message = `${wire.packets.plaintext} packets between nodes could be read, as configured`;
  return [note({ node: null, message, evidence: `captures at ${wire.vantages.total} places` })];
}

function probedNodes(seen: Observation): string[] {
  return seen.wire?.probes.filter((probe) => probe.silent === null).map((probe) => probe.node) ?? [];
}

const wireProbe: Check = {
  name: "wire-probe",
  look: (intent, seen) => {
    const { wire } = seen;
    // Fewer than two nodes are the rollout's to tell: no probe pod could mend that.
    if (!wire || intent.encryption === "none" || seen.nodes.length < 2) return [];
    const reasons = new Map(wire.probes.map(({ node, silent }) => [node, silent]));
    return seen.nodes.flatMap(({ name }) => {
      const reason = reasons.has(name) ? reasons.get(name) : "no probe pods were made for it";
      if (reason === null || reason === undefined) return [];
      return [
        unobserved({
          node: name,
          message: `could not be probed: ${reason}`,
          evidence: `probe pods of image ${wire.image}`,
          fix: `see that pods of that image can run there: kubectl describe node ${name}`,
        }),
      ];
    });
  },
};

/** Which pairs stand for the cluster: all of them, or a sample in which every node sends and receives. */
const wirePairs: Check = {
  name: "wire-pairs",
  look: (intent, seen) => {
    const { wire } = seen;
    if (!wire || intent.encryption === "none") return [];
    const pairs = testedPairs(wire);
    const { total, sample } = wire.pairs;
    const sentTo = Map.groupBy(pairs, ({ from }) => from);
    const received = new Set(pairs.map(({ to }) => to));
    const probed = probedNodes(seen);
    const untested = probed.flatMap((node) => {
      const tested = new Set(sentTo.get(node)?.map(({ to }) => to));
      const others = probed.filter((other) => other !== node && !tested.has(other));
      const what =
        sample === null
          ? sentToAll(others)
          : probed.length > 1
            ? sentAndReceived(tested.size > 0, received.has(node))
            : null;
      return what === null ? [] : [unobserved({ node, message: what, evidence: "marker traffic", fix: "prove again" })];
    });
    if (sample === null) return untested;
    const message = `${pairs.length} of ${total} node pairs were tested: ${sample}`;
    return [...untested, note({ node: null, message, evidence: "marker traffic" })];
  },
};

function sentToAll(untested: string[]): string | null {
  return untested.length > 0 ? `no marker was sent from it to ${suchAs(untested)}` : null;
}

function sentAndReceived(sent: boolean, received: boolean): string | null {
  if (!sent) return "no marker was sent from it to any other node";
  return received ? null : "no marker was sent to it from any other node";
}

/** Where nothing came back nothing may have crossed, and then its not being readable says nothing. */
const wireFlow: Check = {
  name: "wire-flow",
  look: (intent, seen) => {
    if (!seen.wire || intent.encryption === "none") return [];
    const flows = new Map(seen.wire.flows.map((flow) => [flowKey(flow, flow), flow]));
    const nodes = encryptingNodes(intent, seen);
    const lost = new Map<string, { to: string[]; why: string | null }>();
    for (const pair of testedPairs(seen.wire)) {
      for (const required of requiredFlows(nodes, pair)) {
        const flow = flows.get(flowKey(pair, required));
        if (flow && flow.silent === null && flow.returned > 0) continue;
        const key = `${pair.from} ${required.kind} ${required.protocol}`;
        const group = lost.get(key) ?? { to: [], why: flow ? flow.silent : "none was sent" };
        group.to.push(pair.to);
        lost.set(key, group);
      }
    }
    return [...lost].map(([key, { to, why }]) => {
      const [node = "", kind = "", protocol = ""] = key.split(" ");
      return unobserved({
        node,
        message: `no ${protocol.toUpperCase()} marker came back from ${suchAs(to)}${kind === "node" ? " between node addresses" : ""}, so nothing was proven there${why === null ? "" : `: ${why}`}`,
        evidence: "marker traffic",
        fix: `see whether ${kind === "node" ? "the nodes" : "pods there"} reach each other: kubectl -n ${intent.cilium.namespace} exec ds/cilium -c cilium-agent -- cilium-health status`,
        // Right after a rollout a handshake or an endpoint may still be missing.
        passing: true,
      });
    });
  },
};

const flowKey = (pair: Pair, { kind, protocol }: Pick<FlowSeen, "kind" | "protocol">): string =>
  `${pairKey(pair)} ${kind} ${protocol}`;

/** What packets and counters say, in the order in which it is shown: the worst first. */
export const wireChecks: readonly Check[] = [
  wireReadable,
  strictEgress,
  ...ciphertextChecks,
  ...counterChecks,
  wire,
  wireProbe,
  wirePairs,
  wireFlow,
  ...captureChecks,
];
