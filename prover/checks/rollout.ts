import { type Check, contradicts, note, unobserved } from "../finding.ts";
import type { Intent } from "../intent.ts";
import type { AgentSeen, Observation } from "../observation.ts";

const PODS = "pods labelled k8s-app=cilium";

/** The agents on each node, without those on their way out. */
export function agentsByNode(seen: Observation): Map<string, AgentSeen[]> {
  const byNode = new Map<string, AgentSeen[]>(seen.nodes.map((node) => [node.name, []]));
  for (const agent of seen.agents) {
    if (!agent.terminating) byNode.get(agent.node)?.push(agent);
  }
  return byNode;
}

/** The agents that the per-agent checks look at. */
export function liveAgents(seen: Observation): AgentSeen[] {
  return [...agentsByNode(seen).values()].flat();
}

const inNamespace = (intent: Intent): string => `kubectl -n ${intent.cilium.namespace}`;

const daemonSetPresent: Check = {
  name: "daemonset-present",
  look: (intent, seen) =>
    seen.daemonSet
      ? []
      : [
          contradicts({
            node: null,
            message: `there is no DaemonSet cilium in namespace ${intent.cilium.namespace}`,
            evidence: "DaemonSet cilium",
            fix: "deploy Cilium",
          }),
        ],
};

const rolledOut: Check = {
  name: "rolled-out",
  look: (intent, seen) => {
    const set = seen.daemonSet;
    if (!set) return [];
    const nodes = seen.nodes.length;
    const behind = [
      set.observedGeneration !== set.generation && "its newest change is not taken up yet",
      set.desired !== nodes && `it wants an agent on ${set.desired} of ${nodes} nodes`,
      set.updated !== set.desired && `${set.updated} of ${set.desired} agents are of the newest revision`,
      set.ready !== set.desired && `${set.ready} of ${set.desired} agents are ready`,
    ].filter((what) => what !== false);
    if (behind.length === 0) return [];
    return [
      contradicts({
        node: null,
        message: `DaemonSet cilium is not rolled out: ${behind.join(", ")}`,
        evidence: "DaemonSet cilium, status",
        fix: `${inNamespace(intent)} rollout status daemonset/cilium`,
        passing: true,
      }),
    ];
  },
};

const nodeCount: Check = {
  name: "node-count",
  look: (intent, seen) => {
    const found = seen.nodes.length;
    if (intent.nodes === null || found === intent.nodes) return [];
    const message = `there are ${found} nodes, where ${intent.nodes} are asked for`;
    if (found > intent.nodes) return [note({ node: null, message, evidence: "nodes" })];
    return [contradicts({ node: null, message, evidence: "nodes", fix: "kubectl get nodes", passing: true })];
  },
};

const crossing: Check = {
  name: "crossing",
  look: (_intent, seen) =>
    seen.nodes.length >= 2
      ? []
      : [
          unobserved({
            node: null,
            message: "nothing crosses between nodes, since there are fewer than two",
            evidence: "nodes",
            fix: "add a worker",
          }),
        ],
};

const agentPerNode: Check = {
  name: "agent-per-node",
  look: (intent, seen) =>
    [...agentsByNode(seen)].flatMap(([node, agents]) =>
      agents.length === 1
        ? []
        : [
            contradicts({
              node,
              message: agents.length === 0 ? "runs no Cilium agent" : `runs ${agents.length} Cilium agents`,
              evidence: PODS,
              fix: `${inNamespace(intent)} get pods -l k8s-app=cilium -o wide --field-selector spec.nodeName=${node}`,
              passing: true,
            }),
          ],
    ),
};

const agentReady: Check = {
  name: "agent-ready",
  look: (intent, seen) =>
    liveAgents(seen)
      .filter((agent) => !agent.ready)
      .map(({ pod, node, waiting }) =>
        contradicts({
          node,
          message: waiting ? `its Cilium agent is not ready (${waiting})` : "its Cilium agent is not ready",
          evidence: `pod ${pod}`,
          fix: `${inNamespace(intent)} describe pod ${pod}`,
          passing: true,
        }),
      ),
};

const agentRevision: Check = {
  name: "agent-revision",
  look: (intent, seen) => {
    if (!seen.daemonSet) return [];
    const newest = seen.daemonSet.revision;
    if (newest === null) {
      return [
        unobserved({
          node: null,
          message: "the newest revision of DaemonSet cilium cannot be told",
          evidence: "ControllerRevisions",
          fix: `${inNamespace(intent)} get controllerrevisions -l k8s-app=cilium`,
          passing: true,
        }),
      ];
    }
    return liveAgents(seen)
      .filter((agent) => agent.revision !== newest)
      .map(({ pod, node }) =>
        contradicts({
          node,
          message: "its Cilium agent is of an older revision",
          evidence: `pod ${pod}, label controller-revision-hash`,
          fix: `${inNamespace(intent)} rollout status daemonset/cilium`,
          passing: true,
        }),
      );
  },
};

/** An agent reads cilium-config when it starts, and the chart does not restart agents by itself (cilium/cilium#24772, #14331). */
const agentRestarted: Check = {
  name: "agent-restarted",
  look: (intent, seen) => {
    if (!seen.config) return [];
    const changed = Date.parse(seen.config.changedAt ?? "");
    if (Number.isNaN(changed)) {
      return [
        unobserved({
          node: null,
          message: "when cilium-config last changed cannot be told, so neither whether the agents have read it",
          evidence: "ConfigMap cilium-config, managedFields",
          fix: `${inNamespace(intent)} rollout restart daemonset/cilium`,
        }),
      ];
    }
    return liveAgents(seen).flatMap(({ pod, node, startedAt }) => {
      const started = Date.parse(startedAt ?? "");
      if (started >= changed) return [];
      const place = { node, evidence: `pod ${pod}, start time`, passing: true };
      if (Number.isNaN(started)) {
        return [
          unobserved({
            ...place,
            message: "its Cilium agent tells no start time",
            fix: `${inNamespace(intent)} describe pod ${pod}`,
          }),
        ];
      }
      return [
        contradicts({
          ...place,
          message:
            "its Cilium agent has not restarted since cilium-config changed, so it runs the configuration before that",
          fix: `${inNamespace(intent)} rollout restart daemonset/cilium`,
        }),
      ];
    });
  },
};

export const rolloutChecks: readonly Check[] = [
  daemonSetPresent,
  rolledOut,
  nodeCount,
  crossing,
  agentPerNode,
  agentReady,
  agentRevision,
  agentRestarted,
];
