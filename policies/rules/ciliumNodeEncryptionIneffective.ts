import { isOn } from "../cilium/options.ts";
import type { Rule } from "../rule.ts";

/** Nobody relies on node encryption in IPsec mode, which has none. */
export const ciliumNodeEncryptionIneffective: Rule = {
  name: "cilium-node-encryption-ineffective",
  title: "Node encryption is not asked of IPsec",
  description:
    "nodeEncryption is not set in IPsec mode: Cilium accepts it and does nothing, so traffic of nodes and of hostNetwork pods stays readable.",
  level: "mandatory",
  severity: "high",
  supports: [{ framework: "NIST SP 800-53r5", clause: "SC-8(1)" }],
  remediation: ["Set encryption.type: wireguard, the only mode with node encryption; or take nodeEncryption out."],
  url: "https://docs.cilium.io/en/stable/security/network/encryption-wireguard/#node-to-node-encryption-beta",
  check: (piece) => {
    if (piece.kind !== "cilium" || !isOn(piece.options.get("enable-ipsec"))) return [];
    if (isOn(piece.options.get("enable-wireguard")) || !isOn(piece.options.get("encrypt-node"))) return [];
    return [`${piece.what}: node encryption is on with IPsec, which does not encrypt traffic of the nodes themselves`];
  },
};
