import { type Form, formsOf } from "../../encryption/guard/forms.ts";
import type { Settings } from "../../settings.ts";

// A stand-in until components/encryption/guard/securityGroup.ts is there, with the same rows.

/** What a security group lets into a node. */
export interface SecurityGroupRule {
  /** Identity: part of the name of the rule's own resource. */
  name: string;
  /** The form of ciphertext that it is for; null: whatever the form. */
  form: Form | null;
  protocol: string;
  fromPort?: number;
  toPort?: number;
  peer: "nodes" | "control-plane";
  description: string;
}

/** What may reach a node with these settings. */
export function nodeRules(settings: Settings): SecurityGroupRule[] {
  const forms = formsOf(settings);
  // Where nothing is encrypted, and that is allowed, the guard has nothing to keep.
  if (!settings.guard || forms.length === 0) return [ANYTHING, ...CONTROL_PLANE];
  return [...forms.map((form) => CIPHERTEXT[form]), ...NODES, ...CONTROL_PLANE];
}

const wireguard = { protocol: "udp", fromPort: 51871, toPort: 51871, peer: "nodes", description: "WireGuard" } as const;
const overlay = { protocol: "udp", fromPort: 8472, toPort: 8472, peer: "nodes", description: "ESP in VXLAN" } as const;

const CIPHERTEXT: Readonly<Record<Form, SecurityGroupRule>> = {
  wireguard: { name: "wireguard", form: "wireguard", ...wireguard },
  "wireguard-nodes": { name: "wireguard", form: "wireguard-nodes", ...wireguard },
  ipsec: { name: "ipsec", form: "ipsec", protocol: "50", peer: "nodes", description: "ESP" },
  "ipsec-in-overlay": { name: "ipsec-in-overlay", form: "ipsec-in-overlay", ...overlay },
};

const tcp = (name: string, port: number, peer: SecurityGroupRule["peer"], description: string): SecurityGroupRule => ({
  ...{ name, form: null, protocol: "tcp", fromPort: port, toPort: port, peer, description },
});

const NODES = [
  tcp("health", 4240, "nodes", "Cilium health"),
  tcp("hubble", 4244, "nodes", "Hubble, TLS"),
  tcp("kubelet", 10250, "nodes", "kubelet, TLS"),
];

const CONTROL_PLANE = [
  tcp("kubelet-of-control-plane", 10250, "control-plane", "kubelet, TLS"),
  tcp("webhooks", 443, "control-plane", "Admission webhooks, TLS"),
];

const ANYTHING: SecurityGroupRule = {
  ...{ name: "anything", form: null, protocol: "-1", peer: "nodes", description: "No guard is asked for" },
};
