import { agent, config, daemonSet, type Trouble } from "./trouble.ts";

/** What can be wrong with cilium-config, the nodes and the rollout. */
export const rolloutTroubles: readonly Trouble[] = [
  {
    name: "there is no cilium-config",
    in: "wireguard",
    spoil: (seen) => {
      seen.config = null;
    },
    by: "config-present",
    effect: "contradicts",
    node: null,
    says: /no ConfigMap cilium-config in namespace kube-system/,
  },
  {
    name: "cilium-config lacks the mode",
    in: "wireguard",
    spoil: (seen) => {
      delete config(seen)["enable-wireguard"];
    },
    by: "config-values",
    effect: "contradicts",
    node: null,
    says: /enable-wireguard absent, where it must be "true"/,
  },
  {
    name: "cilium-config says false where it must say true",
    in: "ipsec",
    spoil: (seen) => {
      config(seen)["enable-ipsec"] = "false";
    },
    by: "config-values",
    effect: "contradicts",
    node: null,
    says: /enable-ipsec "false", where it must be "true"/,
  },
  {
    name: "cilium-config has the other mode too",
    in: "wireguard",
    spoil: (seen) => {
      config(seen)["enable-ipsec"] = "true";
    },
    by: "config-values",
    effect: "contradicts",
    node: null,
    says: /enable-ipsec to "true", where it must be absent/,
  },
  {
    name: "cilium-config has an encryption option that nobody asked for",
    in: "wireguard with node encryption",
    spoil: (seen) => {
      config(seen)["node-encryption-opt-out-labels"] = "kubernetes.io/os";
    },
    by: "config-extras",
    effect: "contradicts",
    node: null,
    says: /node-encryption-opt-out-labels/,
  },
  {
    name: "an argument of the agents overrides cilium-config",
    in: "wireguard",
    spoil: (seen) => {
      daemonSet(seen).options.push("enable-wireguard=false");
    },
    by: "agent-options",
    effect: "contradicts",
    node: null,
    says: /started with enable-wireguard=false/,
  },
  {
    name: "there is no DaemonSet",
    in: "wireguard",
    spoil: (seen) => {
      seen.daemonSet = null;
    },
    by: "daemonset-present",
    effect: "contradicts",
    node: null,
    says: /no DaemonSet cilium/,
  },
  {
    name: "the DaemonSet's newest change is not taken up",
    in: "wireguard",
    spoil: (seen) => {
      daemonSet(seen).generation++;
    },
    by: "rolled-out",
    effect: "contradicts",
    node: null,
    says: /newest change is not taken up/,
  },
  {
    name: "the DaemonSet leaves a node out",
    in: "wireguard",
    spoil: (seen) => {
      Object.assign(daemonSet(seen), { desired: 3, updated: 3, ready: 3 });
    },
    by: "rolled-out",
    effect: "contradicts",
    node: null,
    says: /wants an agent on 3 of 4 nodes/,
  },
  {
    name: "the rollout has not reached every node",
    in: "ipsec",
    spoil: (seen) => {
      daemonSet(seen).updated = 2;
    },
    by: "rolled-out",
    effect: "contradicts",
    node: null,
    says: /2 of 4 agents are of the newest revision/,
  },
  {
    name: "the DaemonSet counts an agent as not ready",
    in: "none",
    spoil: (seen) => {
      daemonSet(seen).ready = 3;
    },
    by: "rolled-out",
    effect: "contradicts",
    node: null,
    says: /3 of 4 agents are ready/,
  },
  {
    name: "a node is missing",
    in: "wireguard",
    spoil: (_seen, intent) => {
      intent.nodes = 5;
    },
    by: "node-count",
    effect: "contradicts",
    node: null,
    says: /4 nodes, where 5 are asked for/,
  },
  {
    name: "there is a node more than asked for",
    in: "wireguard",
    spoil: (_seen, intent) => {
      intent.nodes = 3;
    },
    by: "node-count",
    effect: "note",
    node: null,
    says: /4 nodes, where 3 are asked for/,
  },
  {
    name: "there is one node only",
    in: "wireguard",
    count: 1,
    spoil: () => {},
    by: "crossing",
    effect: "unobserved",
    node: null,
    says: /nothing crosses between nodes/,
  },
  {
    name: "a node runs no agent",
    in: "wireguard",
    spoil: (seen) => {
      seen.agents.splice(2, 1);
    },
    by: "agent-per-node",
    effect: "contradicts",
    node: 2,
    says: /runs no Cilium agent/,
  },
  {
    name: "the agent of a node is being deleted",
    in: "ipsec",
    spoil: (seen) => {
      agent(seen, 2).terminating = true;
    },
    by: "agent-per-node",
    effect: "contradicts",
    node: 2,
    says: /runs no Cilium agent/,
  },
  {
    name: "a node runs two agents",
    in: "wireguard",
    spoil: (seen) => {
      seen.agents.push({ ...agent(seen, 1), pod: "cilium-more" });
    },
    by: "agent-per-node",
    effect: "contradicts",
    node: 1,
    says: /runs 2 Cilium agents/,
  },
  {
    name: "an agent is not ready",
    in: "wireguard",
    spoil: (seen) => {
      Object.assign(agent(seen, 3), { ready: false, waiting: "CrashLoopBackOff" });
    },
    by: "agent-ready",
    effect: "contradicts",
    node: 3,
    says: /not ready \(CrashLoopBackOff\)/,
  },
  {
    name: "an agent is of an older revision",
    in: "wireguard",
    spoil: (seen) => {
      agent(seen, 3).revision = "0000";
    },
    by: "agent-revision",
    effect: "contradicts",
    node: 3,
    says: /older revision/,
  },
  {
    name: "the newest revision is unknown",
    in: "wireguard",
    spoil: (seen) => {
      daemonSet(seen).revision = null;
    },
    by: "agent-revision",
    effect: "unobserved",
    node: null,
    says: /newest revision of DaemonSet cilium cannot be told/,
  },
  {
    name: "an agent has not restarted since cilium-config changed",
    in: "ipsec",
    spoil: (seen) => {
      agent(seen, 1).startedAt = "2026-11-21T08:59:59.000Z";
    },
    by: "agent-restarted",
    effect: "contradicts",
    node: 1,
    says: /has not restarted since cilium-config changed/,
  },
  {
    name: "an agent tells no start time",
    in: "ipsec",
    spoil: (seen) => {
      agent(seen, 1).startedAt = null;
    },
    by: "agent-restarted",
    effect: "unobserved",
    node: 1,
    says: /no start time/,
  },
  {
    name: "cilium-config does not tell when it changed",
    in: "ipsec",
    spoil: (seen) => {
      if (seen.config) seen.config.changedAt = null;
    },
    by: "agent-restarted",
    effect: "unobserved",
    node: null,
    says: /when cilium-config last changed cannot be told/,
  },
];
