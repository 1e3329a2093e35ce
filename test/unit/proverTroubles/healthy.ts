import type { Intent } from "../../../prover/intent.ts";
import type { AgentMode, AgentSeen, CiliumNodeSeen, Observation } from "../../../prover/observation.ts";

/** The modes that a healthy cluster is made in. */
export type Case = "wireguard" | "wireguard with node encryption" | "ipsec" | "none";
export const CASES: readonly Case[] = ["wireguard", "wireguard with node encryption", "ipsec", "none"];

const CONFIG: Record<Case, Intent["config"]> = {
  wireguard: {
    "enable-wireguard": "true",
    "wireguard-persistent-keepalive": "0s",
    "enable-ipsec": null,
    "encrypt-node": null,
  },
  "wireguard with node encryption": { "enable-wireguard": "true", "encrypt-node": "true", "enable-ipsec": null },
  ipsec: {
    "enable-ipsec": "true",
    "ipsec-key-file": "/etc/ipsec/keys",
    "boot-id-file": "/var/run/cilium/boot_id",
    "enable-wireguard": null,
  },
  none: { "enable-wireguard": null, "enable-ipsec": null },
};

const MODE: Record<Intent["encryption"], AgentMode> = { wireguard: "Wireguard", ipsec: "IPsec", none: "Disabled" };
const ANNOUNCED: Record<Intent["encryption"], number> = { wireguard: 255, ipsec: 3, none: 0 };

export function intentFor(name: Case, nodes = 4): Intent {
  const encryption = name === "wireguard with node encryption" ? "wireguard" : name;
  return {
    schema: 1,
    cluster: "dev",
    provider: "kind",
    simulated: false,
    cilium: { version: "1.20.2", namespace: "kube-system" },
    encryption,
    nodeEncryption: name === "wireguard with node encryption",
    strict: false,
    keyId: encryption === "ipsec" ? 3 : null,
    keyBits: encryption === "ipsec" ? 128 : null,
    config: CONFIG[name],
    nodes,
    routing: "tunnel",
    overlay: "vxlan",
    guard: null,
    proof: { pairs: 240, seconds: 5, image: "probe", outside: null },
  };
}

/** A cluster that is as `intentFor` wants it: node 0 is the control plane, the others are workers. */
export function healthy(name: Case, count = 4): Observation {
  const intent = intentFor(name, count);
  const names = Array.from({ length: count }, (_, index) => nodeName(index));
  const keys = names.map((_, index) => Buffer.alloc(32, index + 1).toString("base64"));
  const wireguard = intent.encryption === "wireguard";
  return {
    takenAt: "2026-11-21T10:00:00.000Z",
    config: {
      data: Object.fromEntries(
        Object.entries(intent.config).flatMap(([key, value]) => (value === null ? [] : [[key, value]])),
      ),
      changedAt: "2026-11-21T09:00:00.000Z",
    },
    daemonSet: {
      generation: 2,
      observedGeneration: 2,
      desired: count,
      updated: count,
      ready: count,
      revision: "7d9f",
      options: ["config-dir=/tmp/cilium/config-map", "k8s-namespace=kube-system"],
    },
    nodes: names.map((node, index) => ({
      name: node,
      controlPlane: index === 0,
      simulated: false,
      ready: true,
      addresses: [`172.18.${(index + 2) >> 8}.${(index + 2) & 255}`],
      podCidrs: [`10.${244 + (index >> 8)}.${index & 255}.0/24`],
    })),
    ciliumNodes: names.map(
      (node, index): CiliumNodeSeen => ({
        name: node,
        wireguardKey: wireguard ? (keys[index] ?? null) : null,
        encryptionKey: intent.nodeEncryption && index === 0 ? 0 : ANNOUNCED[intent.encryption],
        bootId: `00000000-0000-4000-8000-00000000000${index}`,
      }),
    ),
    agents: names.map(
      (node, index): AgentSeen => ({
        pod: `cilium-${index}`,
        node,
        ready: true,
        waiting: null,
        terminating: false,
        revision: "7d9f",
        startedAt: "2026-11-21T09:00:10.000Z",
        status: {
          said: {
            mode: MODE[intent.encryption],
            version: "1.20.2 (v1.20.2-8d3e5d9f)",
            nodeEncryption: wireguard ? nodeEncryption(intent, index) : null,
          },
        },
        encryption: {
          said: {
            mode: MODE[intent.encryption],
            message: null,
            wireguard: wireguard
              ? {
                  publicKey: keys[index] ?? "",
                  peerCount: count - 1,
                  peers: keys.filter((_, other) => other !== index),
                }
              : null,
            ipsec: intent.encryption === "ipsec" ? { keysInUse: 2 * (count - 1), errors: {} } : null,
          },
        },
        counters: null,
      }),
    ),
    wire: null,
  };
}

function nodeEncryption(intent: Intent, index: number): string {
  if (!intent.nodeEncryption) return "Disabled";
  return index === 0 ? "OptedOut" : "Enabled";
}

export function nodeName(index: number): string {
  return index === 0 ? "dev-control-plane" : `dev-worker${index}`;
}
