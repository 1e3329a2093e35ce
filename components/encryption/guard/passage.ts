import type { Form } from "./forms.ts";

/** Whom a packet comes from or goes to, as a cloud's firewall can tell. */
export type Group = "nodes" | "control-plane";

/** One thing that may pass between nodes, whatever enforces it. */
export interface Passage {
  /** In words for people, within what AWS takes in a rule's description. */
  what: string;
  why: string;
  /** The modes whose ciphertext it is, or whose design it is; null: in every mode. The first one is the name of a rule that several share. */
  forms: readonly Form[] | null;
  protocol: "tcp" | "udp" | "esp" | "icmp" | "any";
  /** Where it goes to; empty where the protocol has none, or all are meant. */
  ports: readonly number[];
  /** Of an ICMP message. */
  icmp?: { type: number; code: number };
  /** Whether it passes the bridge of a cluster whose control planes are nodes like others. What is inside is then looked at too: see ruleset.ts. */
  bridge: boolean;
  /** Between whom it passes in a cloud, where the control plane is not on nodes and everything is closed that is not named. */
  cloud: readonly { from: Group; to: Group }[];
  /** What passes along with it where only protocol, ports and groups are seen, as a sentence. */
  alsoPasses?: string;
}

const AMONG_NODES = [{ from: "nodes", to: "nodes" }] as const;
const SEES_NO_CONTENTS = "a security group sees ports, not contents";

/** All that may pass between nodes. The renderings (ruleset.ts, securityGroup.ts) have no other source; the order is that of the rules. */
export const PASSAGES = {
  wireguard: {
    what: "WireGuard",
    why: "The ciphertext of pods, with node encryption that of nodes too.",
    forms: ["wireguard", "wireguard-nodes"],
    ...{ protocol: "udp", ports: [51_871], bridge: true, cloud: AMONG_NODES },
    alsoPasses: `Readable UDP on port 51871 passes as WireGuard does: ${SEES_NO_CONTENTS}.`,
  },
  ipsec: {
    what: "ESP",
    why: "The ciphertext of pods; from Cilium 1.18 on in a tunnel that of the overlay.",
    forms: ["ipsec"],
    ...{ protocol: "esp", ports: [], bridge: true, cloud: AMONG_NODES },
  },
  "ipsec-in-overlay": {
    what: "ESP inside VXLAN or Geneve",
    why: "The ciphertext of pods in a tunnel up to Cilium 1.17. The ports: Linux's of VXLAN as Cilium has it, IANA's, and Geneve's.",
    forms: ["ipsec-in-overlay"],
    ...{ protocol: "udp", ports: [8472, 4789, 6081], bridge: true, cloud: AMONG_NODES },
    alsoPasses: `Readable VXLAN and Geneve pass as ESP inside them does: ${SEES_NO_CONTENTS}. That is all the guard is there to drop.`,
  },
  fragmentationNeeded: {
    what: "ICMP fragmentation needed",
    why: "Path MTU discovery between nodes.",
    forms: null,
    ...{ protocol: "icmp", ports: [], icmp: { type: 3, code: 4 }, bridge: true, cloud: AMONG_NODES },
    alsoPasses: `An ICMP error of the kind fragmentation needed passes whatever packet it quotes: ${SEES_NO_CONTENTS}.`,
  },
  ownTraffic: {
    what: "what nodes and hostNetwork pods send themselves",
    why: "These modes encrypt what pods send, by Cilium's design. In a cloud only what is named below is open.",
    forms: ["wireguard", "ipsec", "ipsec-in-overlay"],
    ...{ protocol: "any", ports: [], bridge: true, cloud: [] },
  },
  ssh: control("SSH", 22),
  dns: control("DNS", 53),
  dnsUdp: { ...control("DNS", 53), protocol: "udp" },
  etcdClients: control("etcd clients", 2379),
  etcdPeers: control("etcd peers", 2380),
  // From node to node, and from node to the health endpoint of another, which has a pod's address.
  health: { ...control("Cilium health checks", 4240), cloud: AMONG_NODES },
  hubble: { ...control("Hubble relay to agents", 4244), cloud: AMONG_NODES },
  apiServer: control("API server", 6443),
  kubelet: {
    ...control("kubelet", 10_250),
    // metrics-server asks it too: from its pod's address in a VPC, from its node's in an overlay.
    cloud: [...AMONG_NODES, { from: "control-plane", to: "nodes" }],
  },
  echo: {
    what: "ICMP echo",
    why: "Cilium's health checks ping nodes.",
    forms: null,
    ...{ protocol: "icmp", ports: [], icmp: { type: 8, code: 0 }, bridge: true, cloud: AMONG_NODES },
  },
  managedApiServer: {
    ...control("API server of a managed control plane", 443),
    ...{ bridge: false, cloud: [{ from: "nodes", to: "control-plane" }] },
  },
  webhooks: {
    what: "webhooks and aggregated APIs",
    // https://github.com/terraform-aws-modules/terraform-aws-eks, node_groups.tf, recommended rules: what the usual add-ons listen on.
    why: "metrics-server (4443, 10251), Karpenter (8443), load balancer controller (9443). Pods of one node on their way to another never use it.",
    forms: null,
    ...{ protocol: "tcp", ports: [4443, 8443, 9443, 10_251], bridge: false },
    cloud: [{ from: "control-plane", to: "nodes" }],
  },
} as const satisfies Record<string, Passage>;

export type PassageName = keyof typeof PASSAGES;

/** Which of them pass in these forms: of two modes while nodes change. */
export function passagesOf(forms: readonly Form[]): [PassageName, Passage][] {
  return (Object.entries(PASSAGES) as [PassageName, Passage][]).filter(([, passage]) => inForce(passage, forms));
}

/** Whether it passes in one of these forms. */
export function inForce(passage: Passage, forms: readonly Form[]): boolean {
  return passage.forms === null || passage.forms.some((form) => forms.includes(form));
}

/** What passes readable even where nodes encrypt their own traffic: control planes opt out of that, and a cluster has to start. */
function control(what: string, port: number) {
  const why = "A cluster has to start, and control planes opt out of node encryption.";
  return { what, why, forms: null, protocol: "tcp", ports: [port], bridge: true, cloud: [] } as const;
}
