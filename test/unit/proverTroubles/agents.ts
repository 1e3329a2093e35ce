import { agent, encryption, status, type Trouble, wireguard } from "./trouble.ts";

/** What can be wrong with what the agents answer. */
export const agentTroubles: readonly Trouble[] = [
  {
    name: "an agent's encryption state cannot be had",
    in: "wireguard",
    spoil: (seen) => {
      agent(seen, 2).encryption = { silent: "did not answer within 20 s" };
    },
    by: "agent-answers",
    effect: "unobserved",
    node: 2,
    says: /did not answer within 20 s/,
  },
  {
    name: "an agent's status cannot be had",
    in: "ipsec",
    spoil: (seen) => {
      agent(seen, 2).status = { silent: "failed: exit status 1" };
    },
    by: "agent-answers",
    effect: "unobserved",
    node: 2,
    says: /failed: exit status 1/,
  },
  {
    name: "an agent has encryption disabled",
    in: "ipsec",
    spoil: (seen) => {
      encryption(seen, 1).mode = "Disabled";
    },
    by: "agent-mode",
    effect: "contradicts",
    node: 1,
    says: /encryption is Disabled, where it must be IPsec/,
  },
  {
    name: "an agent was configured for another mode",
    in: "wireguard",
    spoil: (seen) => {
      status(seen, 1).mode = "IPsec";
    },
    by: "agent-mode",
    effect: "contradicts",
    node: 1,
    says: /encryption is IPsec, where it must be Wireguard/,
  },
  {
    name: "an agent still encrypts after encryption was turned off",
    in: "none",
    spoil: (seen) => {
      encryption(seen, 3).mode = "Wireguard";
    },
    by: "agent-mode",
    effect: "contradicts",
    node: 3,
    says: /encryption is Wireguard, where it must be Disabled/,
  },
  {
    name: "an agent is of another Cilium version",
    in: "wireguard",
    spoil: (seen) => {
      status(seen, 1).version = "1.20.20 (v1.20.20-8d3e5d9f)";
    },
    by: "agent-version",
    effect: "contradicts",
    node: 1,
    says: /version 1\.20\.20, where it must be 1\.20\.2$/,
  },
  {
    name: "an agent tells no version",
    in: "wireguard",
    spoil: (seen) => {
      status(seen, 1).version = null;
    },
    by: "agent-version",
    effect: "unobserved",
    node: 1,
    says: /tells no version/,
  },
  {
    name: "an agent does not agree with its kernel",
    in: "wireguard",
    spoil: (seen) => {
      encryption(seen, 2).message = 'interface "cilium_wg0": peer count mismatch (agent=3, kernel=2)';
    },
    by: "agent-agreement",
    effect: "contradicts",
    node: 2,
    says: /peer count mismatch/,
  },
  {
    name: "a worker opted out of node encryption",
    in: "wireguard with node encryption",
    spoil: (seen) => {
      status(seen, 2).nodeEncryption = "OptedOut";
    },
    by: "node-encryption",
    effect: "contradicts",
    node: 2,
    says: /opted out of node encryption, and is no control plane/,
  },
  {
    name: "node encryption is off on a node",
    in: "wireguard with node encryption",
    spoil: (seen) => {
      status(seen, 2).nodeEncryption = null;
    },
    by: "node-encryption",
    effect: "contradicts",
    node: 2,
    says: /node encryption is Disabled/,
  },
  {
    name: "node encryption is on where nobody asked for it",
    in: "wireguard",
    spoil: (seen) => {
      status(seen, 2).nodeEncryption = "Enabled";
    },
    by: "node-encryption",
    effect: "contradicts",
    node: 2,
    says: /nobody asked for/,
  },
  {
    name: "a node has no WireGuard device",
    in: "wireguard",
    spoil: (seen) => {
      encryption(seen, 2).wireguard = null;
    },
    by: "wireguard-own-key",
    effect: "contradicts",
    node: 2,
    says: /no WireGuard device/,
  },
  {
    name: "a node uses another WireGuard key than it publishes",
    in: "wireguard",
    spoil: (seen) => {
      wireguard(seen, 2).publicKey = Buffer.alloc(32, 99).toString("base64");
    },
    by: "wireguard-own-key",
    effect: "contradicts",
    node: 2,
    says: /another WireGuard key than its CiliumNode publishes/,
  },
  {
    name: "a node lacks a WireGuard peer",
    in: "wireguard",
    spoil: (seen) => {
      Object.assign(wireguard(seen, 2), { peerCount: 2, peers: null });
    },
    by: "wireguard-peer-count",
    effect: "contradicts",
    node: 2,
    says: /has 2 WireGuard peers, where it must have 3/,
  },
  {
    name: "a node has a stale key for a peer",
    in: "wireguard",
    spoil: (seen) => {
      wireguard(seen, 2).peers?.splice(0, 1, Buffer.alloc(32, 99).toString("base64"));
    },
    by: "wireguard-peer-keys",
    effect: "contradicts",
    node: 2,
    says: /published keys of 2 of 3 other nodes among its 3 WireGuard peers/,
  },
  {
    name: "a node has itself for a peer",
    in: "wireguard",
    spoil: (seen) => {
      wireguard(seen, 2).peers?.splice(0, 1, wireguard(seen, 2).publicKey);
    },
    by: "wireguard-peer-keys",
    effect: "contradicts",
    node: 2,
    says: /published keys of 2 of 3 other nodes among its 3 WireGuard peers/,
  },
  {
    name: "a node has the same peer twice",
    in: "wireguard",
    spoil: (seen) => {
      const [first = ""] = wireguard(seen, 2).peers ?? [];
      wireguard(seen, 2).peers?.splice(1, 1, first);
    },
    by: "wireguard-peer-keys",
    effect: "contradicts",
    node: 2,
    says: /published keys of 2 of 3 other nodes among its 3 WireGuard peers/,
  },
  {
    name: "a node has IPsec keys for some of the others only",
    in: "ipsec",
    spoil: (seen) => {
      const { ipsec } = encryption(seen, 2);
      if (ipsec) ipsec.keysInUse = 5;
    },
    by: "ipsec-keys",
    effect: "contradicts",
    node: 2,
    says: /5 IPsec keys in use, where 4 nodes need 6 or more/,
  },
  {
    name: "a node has no IPsec state",
    in: "ipsec",
    spoil: (seen) => {
      encryption(seen, 2).ipsec = null;
    },
    by: "ipsec-keys",
    effect: "contradicts",
    node: 2,
    says: /0 IPsec keys in use/,
  },
  {
    name: "a node has counted XFRM errors",
    in: "ipsec",
    spoil: (seen) => {
      const { ipsec } = encryption(seen, 2);
      if (ipsec) ipsec.errors = { XfrmInNoStates: 7 };
    },
    by: "xfrm-errors",
    effect: "note",
    node: 2,
    says: /XfrmInNoStates 7/,
  },
  {
    name: "the device of another mode is still there",
    in: "ipsec",
    spoil: (seen) => {
      seen.leftovers = [{ node: "dev-worker2", pod: "cilium-2", devices: ["cilium_wg0"], xfrm: null }];
    },
    by: "leftovers",
    effect: "note",
    node: 2,
    says: /cilium_wg0/,
  },
];
