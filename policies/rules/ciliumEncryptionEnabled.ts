import { isEnabled } from "../cilium/helm.ts";
import { isOn, modeOf } from "../cilium/options.ts";
import type { CiliumPiece } from "../cilium/pieces.ts";
import type { Rule } from "../rule.ts";

const OPTIONS = ["enable-wireguard", "enable-ipsec"] as const;

/** Cilium encrypts traffic between nodes, by everything that has a say in it. */
export const ciliumEncryptionEnabled: Rule = {
  name: "cilium-encryption-enabled",
  title: "Cilium encrypts traffic between nodes",
  description:
    "Transparent encryption is on in the effective configuration of Cilium's agents: Helm values, cilium-config, CiliumNodeConfigs, flags and environment.",
  level: "mandatory",
  severity: "critical",
  supports: [
    { framework: "PCI DSS 4.0.1", clause: "4.2.1" },
    { framework: "NIST SP 800-53r5", clause: "SC-8, SC-8(1)" },
    { framework: "HIPAA", clause: "164.312(e)(1)" },
    { framework: "ISO 27001:2022", clause: "A.8.24, A.8.20" },
    { framework: "SOC 2", clause: "CC6.7" },
    { framework: "CIS Controls v8", clause: "3.10" },
  ],
  remediation: [
    "Set encryption.enabled: true and encryption.type: wireguard in the values of the cilium chart.",
    "Take enable-wireguard and enable-ipsec out of extraConfig, extraArgs, extraEnv and CiliumNodeConfigs.",
  ],
  url: "https://docs.cilium.io/en/stable/security/network/encryption/",
  check: (piece) => {
    if (piece.kind !== "cilium") return [];
    return piece.extent === "whole" ? ofWhole(piece) : ofPart(piece);
  },
};

function ofWhole({ what, options, helm }: CiliumPiece): string[] {
  if (modeOf(options) !== "none") return [];
  if (helm && !isEnabled(helm.values))
    return [`${what}: encryption.enabled is not true, so traffic between nodes is not encrypted`];
  // A type that the chart does not know is another rule's.
  const off = OPTIONS.filter((name) => options.get(name) !== undefined);
  if (helm && off.length === 0) return [];
  return [
    `${what}: ${off.length > 0 ? off.map((name) => `${name} is ${options.get(name)}`).join(", ") : "neither enable-wireguard nor enable-ipsec is on"}, so traffic between nodes is not encrypted`,
  ];
}

/** A part knows nothing of the rest, so it may turn one off only where it turns the other on. */
function ofPart({ what, options }: CiliumPiece): string[] {
  if (OPTIONS.some((name) => isOn(options.get(name)))) return [];
  return OPTIONS.filter((name) => options.get(name) !== undefined).map(
    (name) => `${what}: ${name} is ${options.get(name)}, which turns encryption off for the agents that it is for`,
  );
}
