import { type Check, contradicts, type Found, unobserved } from "../finding.ts";
import type { Intent } from "../intent.ts";
import type { AgentMode, AgentSeen, AgentStatus, EncryptionStatus, Observation } from "../observation.ts";
import { mayOptOut } from "./ciliumNodes.ts";
import { xfrmErrors } from "./peers.ts";
import { liveAgents } from "./rollout.ts";

const STATUS = "cilium-dbg status";
const ENCRYPTION = "cilium-dbg encrypt status";

const MODES: Record<Intent["encryption"], AgentMode> = { wireguard: "Wireguard", ipsec: "IPsec", none: "Disabled" };

const restart = (intent: Intent, pod: string): string => `kubectl -n ${intent.cilium.namespace} delete pod ${pod}`;
const logs = (intent: Intent, pod: string): string =>
  `kubectl -n ${intent.cilium.namespace} logs ${pod} -c cilium-agent`;

/** What each agent said that answered `cilium-dbg status`. */
function statuses(seen: Observation): (AgentSeen & { said: AgentStatus })[] {
  return liveAgents(seen).flatMap((agent) => ("said" in agent.status ? [{ ...agent, said: agent.status.said }] : []));
}

/** What each agent said that answered `cilium-dbg encrypt status`. */
function encryptions(seen: Observation): (AgentSeen & { said: EncryptionStatus })[] {
  return liveAgents(seen).flatMap((agent) =>
    "said" in agent.encryption ? [{ ...agent, said: agent.encryption.said }] : [],
  );
}

const agentAnswers: Check = {
  name: "agent-answers",
  look: (intent, seen) =>
    liveAgents(seen).flatMap(({ pod, node, status, encryption }) =>
      Object.entries({ [STATUS]: status, [ENCRYPTION]: encryption }).flatMap(([command, answer]) =>
        "said" in answer
          ? []
          : [
              unobserved({
                node,
                message: `its Cilium agent ${answer.silent}`,
                evidence: `${command} in pod ${pod}`,
                fix: `kubectl -n ${intent.cilium.namespace} exec ${pod} -c cilium-agent -- ${command}`,
                passing: true,
              }),
            ],
      ),
    ),
};

const agentMode: Check = {
  name: "agent-mode",
  look: (intent, seen) => {
    const wanted = MODES[intent.encryption];
    const words = [
      ...statuses(seen).map((agent) => ({ ...agent, command: STATUS })),
      ...encryptions(seen).map((agent) => ({ ...agent, command: ENCRYPTION })),
    ];
    return words
      .filter(({ said }) => said.mode !== wanted)
      .map(({ pod, node, said, command }) =>
        contradicts({
          node,
          message: `its Cilium agent says that encryption is ${said.mode}, where it must be ${wanted}`,
          evidence: `${command} in pod ${pod}`,
          fix: restart(intent, pod),
          // `status` tells the configuration, which an agent reads when it starts and never again; by now all have started anew.
          passing: command !== STATUS,
        }),
      );
  },
};

const agentVersion: Check = {
  name: "agent-version",
  look: (intent, seen) =>
    statuses(seen).flatMap(({ pod, node, said }): Found[] => {
      const place = { node, evidence: `${STATUS} in pod ${pod}`, passing: true };
      const version = /^v?(\d+\.\d+\.\d+\S*)/.exec(said.version ?? "")?.[1];
      if (version === intent.cilium.version) return [];
      if (version === undefined) {
        return [unobserved({ ...place, message: "its Cilium agent tells no version", fix: logs(intent, pod) })];
      }
      const message = `its Cilium agent is of version ${version}, where it must be ${intent.cilium.version}`;
      return [contradicts({ ...place, message, fix: restart(intent, pod) })];
    }),
};

/** From Cilium 1.19 on the agent compares the kernel's state with its own. */
const agentAgreement: Check = {
  name: "agent-agreement",
  look: (intent, seen) =>
    encryptions(seen)
      .filter(({ said }) => said.message !== null)
      .map(({ pod, node, said }) =>
        contradicts({
          node,
          message: `its Cilium agent reports: ${said.message}`,
          evidence: `${ENCRYPTION} in pod ${pod}`,
          fix: logs(intent, pod),
          passing: true,
        }),
      ),
};

const nodeEncryption: Check = {
  name: "node-encryption",
  look: (intent, seen) => {
    if (intent.encryption !== "wireguard") return [];
    return statuses(seen).flatMap(({ pod, node, said }): Found[] => {
      const place = { node, evidence: `${STATUS} in pod ${pod}`, fix: restart(intent, pod), passing: true };
      const state = said.nodeEncryption ?? "Disabled";
      if (!intent.nodeEncryption) {
        if (state === "Disabled") return [];
        return [
          contradicts({
            ...place,
            message: `its Cilium agent says that node encryption is ${state}, which nobody asked for`,
          }),
        ];
      }
      if (state === "Enabled" || (state === "OptedOut" && mayOptOut(seen, node))) return [];
      if (state === "OptedOut")
        return [contradicts({ ...place, message: "opted out of node encryption, and is no control plane" })];
      return [contradicts({ ...place, message: `its Cilium agent says that node encryption is ${state}` })];
    });
  },
};

const wireguardOwnKey: Check = {
  name: "wireguard-own-key",
  look: (intent, seen) => {
    const published = new Map(seen.ciliumNodes.map(({ name, wireguardKey }) => [name, wireguardKey]));
    return withWireguard(intent, seen).flatMap(({ pod, node, said }) => {
      const place = { node, evidence: `${ENCRYPTION} in pod ${pod}`, fix: restart(intent, pod), passing: true };
      if (!said.wireguard) return [contradicts({ ...place, message: "has no WireGuard device" })];
      if (!published.has(node) || said.wireguard.publicKey === published.get(node)) return [];
      return [contradicts({ ...place, message: "uses another WireGuard key than its CiliumNode publishes" })];
    });
  },
};

const wireguardPeerCount: Check = {
  name: "wireguard-peer-count",
  look: (intent, seen) => {
    const wanted = seen.nodes.length - 1;
    return withWireguard(intent, seen).flatMap(({ pod, node, said }) =>
      !said.wireguard || said.wireguard.peerCount === wanted
        ? []
        : [
            contradicts({
              node,
              message: `has ${said.wireguard.peerCount} WireGuard peers, where it must have ${wanted}`,
              evidence: `${ENCRYPTION} in pod ${pod}`,
              fix: logs(intent, pod),
              passing: true,
            }),
          ],
    );
  },
};

/** Not every version's `encrypt status` names the peers; where it does, they must be the other nodes' published keys. */
const wireguardPeerKeys: Check = {
  name: "wireguard-peer-keys",
  look: (intent, seen) => {
    const owners = new Map(seen.ciliumNodes.map(({ name, wireguardKey }) => [wireguardKey, name]));
    const others = seen.nodes.length - 1;
    return withWireguard(intent, seen).flatMap(({ pod, node, said }) => {
      const peers = said.wireguard?.peers;
      if (!peers) return [];
      const known = new Set(peers.filter((key) => owners.has(key) && owners.get(key) !== node)).size;
      if (known === others && peers.length === others) return [];
      return [
        contradicts({
          node,
          message: `has the published keys of ${known} of ${others} other nodes among its ${peers.length} WireGuard peers`,
          evidence: `${ENCRYPTION} in pod ${pod}`,
          fix: restart(intent, pod),
          passing: true,
        }),
      ];
    });
  },
};

/** One key in each direction for each other node is the least; tunnels, dual stack and a rotation in flight multiply it. */
const ipsecKeys: Check = {
  name: "ipsec-keys",
  look: (intent, seen) => {
    if (intent.encryption !== "ipsec") return [];
    const least = 2 * (seen.nodes.length - 1);
    return encryptions(seen).flatMap(({ pod, node, said }) => {
      const keys = said.ipsec?.keysInUse ?? 0;
      if (keys >= least) return [];
      return [
        contradicts({
          node,
          message: `has ${keys} IPsec keys in use, where ${seen.nodes.length} nodes need ${least} or more`,
          evidence: `${ENCRYPTION} in pod ${pod}`,
          fix: logs(intent, pod),
          passing: true,
        }),
      ];
    });
  },
};

function withWireguard(intent: Intent, seen: Observation): (AgentSeen & { said: EncryptionStatus })[] {
  return intent.encryption === "wireguard" ? encryptions(seen) : [];
}

export const agentChecks: readonly Check[] = [
  agentAnswers,
  agentMode,
  agentVersion,
  agentAgreement,
  nodeEncryption,
  wireguardOwnKey,
  wireguardPeerCount,
  wireguardPeerKeys,
  ipsecKeys,
  xfrmErrors,
];
