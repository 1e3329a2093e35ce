import { nodeName } from "./healthy.ts";
import { ciliumNode, config, status, type Trouble, wireguard } from "./trouble.ts";

/** What can be wrong with what the nodes announce of themselves. */
export const ciliumNodeTroubles: readonly Trouble[] = [
  {
    name: "a node has no CiliumNode",
    in: "ipsec",
    spoil: (seen) => {
      seen.ciliumNodes.splice(2, 1);
    },
    by: "ciliumnode-per-node",
    effect: "contradicts",
    node: 2,
    says: /has no CiliumNode/,
  },
  {
    name: "a CiliumNode is left over",
    in: "none",
    spoil: (seen) => {
      seen.ciliumNodes.push({ ...ciliumNode(seen, 1), name: nodeName(9) });
    },
    by: "ciliumnode-per-node",
    effect: "contradicts",
    node: 9,
    says: /no node of the cluster/,
  },
  {
    name: "a node announces that it does not encrypt",
    in: "wireguard",
    spoil: (seen) => {
      ciliumNode(seen, 1).encryptionKey = 0;
    },
    by: "encryption-key",
    effect: "contradicts",
    node: 1,
    says: /announces encryption key 0, where it must be 255/,
  },
  {
    name: "a node is still on the previous IPsec key",
    in: "ipsec",
    spoil: (seen) => {
      ciliumNode(seen, 3).encryptionKey = 2;
    },
    by: "encryption-key",
    effect: "contradicts",
    node: 3,
    says: /announces encryption key 2, where it must be 3/,
  },
  {
    name: "a node still announces encryption after it was turned off",
    in: "none",
    spoil: (seen) => {
      ciliumNode(seen, 1).encryptionKey = 255;
    },
    by: "encryption-key",
    effect: "contradicts",
    node: 1,
    says: /announces encryption key 255, where it must be 0/,
  },
  {
    name: "a worker announces that it does not encrypt, as only a control plane may with node encryption",
    in: "wireguard with node encryption",
    spoil: (seen) => {
      ciliumNode(seen, 1).encryptionKey = 0;
    },
    by: "encryption-key",
    effect: "contradicts",
    node: 1,
    says: /announces encryption key 0/,
  },
  {
    name: "a control plane with node encryption announces that it does not encrypt",
    in: "wireguard with node encryption",
    spoil: (seen) => {
      status(seen, 0).nodeEncryption = "Enabled";
    },
    by: "encryption-key",
    effect: "contradicts",
    node: 0,
    says: /announces encryption key 0/,
  },
  {
    name: "a node's published WireGuard key is none, though its agent uses the same",
    in: "wireguard",
    count: 2,
    spoil: (seen) => {
      ciliumNode(seen, 1).wireguardKey = "AAAA";
      wireguard(seen, 1).publicKey = "AAAA";
      wireguard(seen, 0).peers = ["AAAA"];
    },
    by: "wireguard-key",
    effect: "contradicts",
    node: 1,
    says: /WireGuard key that is none/,
  },
  {
    name: "two nodes have one WireGuard key",
    in: "wireguard",
    count: 3,
    spoil: (seen) => {
      const key = wireguard(seen, 0).publicKey;
      ciliumNode(seen, 1).wireguardKey = key;
      wireguard(seen, 1).publicKey = key;
      for (const index of [0, 1, 2]) wireguard(seen, index).peers = null;
    },
    by: "wireguard-key-unique",
    effect: "contradicts",
    node: 1,
    says: /same WireGuard key as dev-control-plane/,
  },
  {
    name: "a node publishes no boot id",
    in: "ipsec",
    spoil: (seen) => {
      ciliumNode(seen, 2).bootId = null;
    },
    by: "boot-id",
    effect: "contradicts",
    node: 2,
    says: /no boot id/,
  },
  {
    name: "two nodes have one boot id, though each has a file of its own",
    in: "ipsec",
    spoil: (seen) => {
      ciliumNode(seen, 2).bootId = ciliumNode(seen, 1).bootId;
    },
    by: "boot-id-unique",
    effect: "contradicts",
    node: 2,
    says: /same boot id as dev-worker1/,
  },
  {
    name: "nodes of one host share its boot id",
    in: "ipsec",
    spoil: (seen, intent) => {
      delete intent.config["boot-id-file"];
      delete config(seen)["boot-id-file"];
      ciliumNode(seen, 2).bootId = ciliumNode(seen, 1).bootId;
    },
    by: "boot-id-unique",
    effect: "note",
    node: 2,
    says: /same boot id as dev-worker1/,
  },
];
