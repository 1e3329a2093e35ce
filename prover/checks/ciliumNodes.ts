import { type Check, contradicts, type Found, note } from "../finding.ts";
import type { Intent } from "../intent.ts";
import { byWhom } from "../live/changedBy.ts";
import type { CiliumNodeSeen, Observation } from "../observation.ts";

/** `spec.encryption.key` of a node that encrypts with WireGuard (Cilium, pkg/wireguard/types). */
const WIREGUARD_KEY_INDEX = 255;

const ofNode = (ciliumNode: CiliumNodeSeen): string => `CiliumNode ${ciliumNode.name}`;
const writtenBy = ({ by }: CiliumNodeSeen): string => (by ? `, last written by ${byWhom(by)}` : "");
const look = (name: string): string => `kubectl get ciliumnode ${name} -o yaml`;

const ciliumNodePerNode: Check = {
  name: "ciliumnode-per-node",
  look: (_intent, seen) => {
    const nodes = new Set(seen.nodes.map((node) => node.name));
    const ciliumNodes = new Set(seen.ciliumNodes.map((node) => node.name));
    const missing = [...nodes]
      .filter((name) => !ciliumNodes.has(name))
      .map((name) =>
        contradicts({
          node: name,
          message: "has no CiliumNode, so no other node knows how to encrypt to it",
          evidence: "CiliumNodes",
          fix: "kubectl get ciliumnodes",
          passing: true,
        }),
      );
    const stale = [...ciliumNodes]
      .filter((name) => !nodes.has(name))
      .map((name) =>
        contradicts({
          node: name,
          message: "has a CiliumNode, but is no node of the cluster",
          evidence: "CiliumNodes",
          fix: `kubectl delete ciliumnode ${name}`,
          passing: true,
        }),
      );
    return [...missing, ...stale];
  },
};

const encryptionKey: Check = {
  name: "encryption-key",
  look: (intent, seen) =>
    seen.ciliumNodes.flatMap((ciliumNode) => {
      const allowed = allowedKeys(intent, seen, ciliumNode.name);
      const [wanted = 0] = allowed;
      if (allowed.includes(ciliumNode.encryptionKey)) return [];
      return [
        contradicts({
          node: ciliumNode.name,
          message: `announces encryption key ${ciliumNode.encryptionKey}, where it must be ${wanted}${meaning(wanted)}`,
          evidence: `${ofNode(ciliumNode)}, spec.encryption.key${writtenBy(ciliumNode)}`,
          fix: look(ciliumNode.name),
          passing: true,
        }),
      ];
    }),
};

/** The keys that a node may announce, the likeliest first. */
function allowedKeys(intent: Intent, seen: Observation, node: string): number[] {
  if (intent.encryption === "none") return [0];
  if (intent.keyId !== null) return [intent.keyId];
  if (!intent.nodeEncryption || !mayOptOut(seen, node)) return [WIREGUARD_KEY_INDEX];
  // An agent that does not answer leaves open whether its node opted out.
  const said = seen.agents.flatMap(({ node: at, status }) =>
    at === node && "said" in status ? [status.said.nodeEncryption] : [],
  );
  if (said.length === 0) return [WIREGUARD_KEY_INDEX, 0];
  return said.includes("OptedOut") ? [0] : [WIREGUARD_KEY_INDEX];
}

function meaning(key: number): string {
  if (key === WIREGUARD_KEY_INDEX) return " (WireGuard)";
  return key === 0 ? " (not encrypted)" : "";
}

/** Whether the node may leave its node-to-node traffic plain: Cilium lets control planes opt out (`node-encryption-opt-out-labels`). */
export function mayOptOut(seen: Observation, node: string): boolean {
  return seen.nodes.some(({ name, controlPlane }) => name === node && controlPlane);
}

const wireguardKey: Check = {
  name: "wireguard-key",
  look: (intent, seen) =>
    inWireguard(intent, seen.ciliumNodes).flatMap((ciliumNode) =>
      isWireguardKey(ciliumNode.wireguardKey)
        ? []
        : [
            contradicts({
              node: ciliumNode.name,
              message:
                ciliumNode.wireguardKey === null
                  ? "publishes no WireGuard key"
                  : "publishes a WireGuard key that is none",
              evidence: `${ofNode(ciliumNode)}, annotation network.cilium.io/wg-pub-key${writtenBy(ciliumNode)}`,
              fix: look(ciliumNode.name),
              passing: true,
            }),
          ],
    ),
};

/** A Curve25519 public key: 32 bytes, in base64 as `wg` prints them. */
function isWireguardKey(key: string | null): boolean {
  return key !== null && /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(key);
}

const wireguardKeyUnique: Check = {
  name: "wireguard-key-unique",
  look: (intent, seen) =>
    shared(inWireguard(intent, seen.ciliumNodes), (ciliumNode) => ciliumNode.wireguardKey).map(({ name, others }) =>
      contradicts({
        node: name,
        message: `publishes the same WireGuard key as ${others}`,
        evidence: "CiliumNodes, annotation network.cilium.io/wg-pub-key",
        fix: "kubectl get ciliumnodes -o yaml",
        passing: true,
      }),
    ),
};

const bootId: Check = {
  name: "boot-id",
  look: (intent, seen) =>
    inIpsec(intent, seen.ciliumNodes)
      .filter((ciliumNode) => !ciliumNode.bootId)
      .map((ciliumNode) =>
        contradicts({
          node: ciliumNode.name,
          message: "publishes no boot id, from which its IPsec keys are derived",
          evidence: `${ofNode(ciliumNode)}, spec.bootid`,
          fix: look(ciliumNode.name),
          passing: true,
        }),
      ),
};

/** Nodes in containers of one host share its boot id (cilium/cilium#35951) unless each is given a file of its own. */
const bootIdUnique: Check = {
  name: "boot-id-unique",
  look: (intent, seen) => {
    const perNode = seen.config?.data["boot-id-file"] !== undefined;
    return shared(inIpsec(intent, seen.ciliumNodes), (ciliumNode) => ciliumNode.bootId).map(
      ({ name, others }): Found => {
        const found = {
          node: name,
          message: `has the same boot id as ${others}`,
          evidence: "CiliumNodes, spec.bootid",
        };
        return perNode
          ? contradicts({ ...found, fix: "give each node a boot id file of its own", passing: true })
          : note(found);
      },
    );
  },
};

function inWireguard(intent: Intent, nodes: CiliumNodeSeen[]): CiliumNodeSeen[] {
  return intent.encryption === "wireguard" ? nodes : [];
}

function inIpsec(intent: Intent, nodes: CiliumNodeSeen[]): CiliumNodeSeen[] {
  return intent.encryption === "ipsec" ? nodes : [];
}

/** The nodes that have a value in common with others, with the first of those. */
function shared(
  nodes: CiliumNodeSeen[],
  value: (node: CiliumNodeSeen) => string | null,
): { name: string; others: string }[] {
  const byValue = new Map<string, string[]>();
  for (const node of nodes) {
    const found = value(node);
    if (!found) continue;
    const names = byValue.get(found);
    if (names) names.push(node.name);
    else byValue.set(found, [node.name]);
  }
  return [...byValue.values()]
    .filter((names) => names.length > 1)
    .flatMap((names) =>
      names.map((name) => {
        const [other, ...more] = names.filter((each) => each !== name);
        return { name, others: more.length > 0 ? `${other} and ${more.length} more` : `${other}` };
      }),
    );
}

export const ciliumNodeChecks: readonly Check[] = [
  ciliumNodePerNode,
  encryptionKey,
  wireguardKey,
  wireguardKeyUnique,
  bootId,
  bootIdUnique,
];
