import { isOn, modeOf } from "../cilium/options.ts";
import type { CiliumPiece } from "../cilium/pieces.ts";
import type { Rule } from "../rule.ts";

/** Which nodes opt out, as long as nobody says otherwise: forcing control planes in is not supported (cilium/cilium#28965). */
const OPTED_OUT = "node-role.kubernetes.io/control-plane";

/** Traffic of the nodes themselves is encrypted too, where that is asked for. */
export const ciliumNodeEncryptionRequired: Rule = {
  name: "cilium-node-encryption-required",
  title: "Traffic of the nodes themselves is encrypted",
  description:
    "Where the option `required` is true, nodes encrypt what they and hostNetwork pods send each other, which WireGuard alone can, and no node opts out but control planes. Without it nothing is asked.",
  level: "mandatory",
  severity: "high",
  supports: [
    { framework: "PCI DSS 4.0.1", clause: "4.2.1" },
    { framework: "NIST SP 800-53r5", clause: "SC-8(1)" },
    { framework: "HIPAA", clause: "164.312(e)(1)" },
    { framework: "ISO 27001:2022", clause: "A.8.20" },
    { framework: "SOC 2", clause: "CC6.7" },
    { framework: "CIS Controls v8", clause: "3.10" },
  ],
  remediation: [
    "Set encryption.type: wireguard and encryption.nodeEncryption: true.",
    "Take node-encryption-opt-out-labels out of extraConfig.",
  ],
  url: "https://docs.cilium.io/en/stable/security/network/encryption-wireguard/#node-to-node-encryption-beta",
  options: { required: { type: "boolean" } },
  check: (piece, { required }) => {
    if (required !== true || piece.kind !== "cilium") return [];
    return [...(piece.extent === "whole" ? ofWhole(piece) : ofPart(piece)), ...optOut(piece)];
  },
};

function ofWhole({ what, options }: CiliumPiece): string[] {
  const mode = modeOf(options);
  if (mode !== "wireguard")
    return [`${what}: traffic of the nodes themselves is not encrypted, which needs WireGuard (the mode is ${mode})`];
  return isOn(options.get("encrypt-node"))
    ? []
    : [`${what}: node encryption is off, so traffic of the nodes themselves is not encrypted`];
}

function ofPart({ what, options }: CiliumPiece): string[] {
  const node = options.get("encrypt-node");
  const off = node !== undefined && !isOn(node) ? [`encrypt-node is ${node}`] : [];
  const ipsec = isOn(options.get("enable-ipsec")) ? ["enable-ipsec is on"] : [];
  return [...off, ...ipsec].map((why) => `${what}: ${why}, so traffic of the nodes that it is for is not encrypted`);
}

function optOut({ what, options }: CiliumPiece): string[] {
  const labels = options.get("node-encryption-opt-out-labels");
  if (labels === undefined || labels.trim() === OPTED_OUT) return [];
  return [
    `${what}: node-encryption-opt-out-labels is ${JSON.stringify(labels)}, so that other nodes opt out of node encryption than control planes`,
  ];
}
