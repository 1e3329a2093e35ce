import { isOn, modeOf } from "../cilium/options.ts";
import type { Rule } from "../rule.ts";

/** Cilium encrypts in one of the modes that are asked for. */
export const ciliumModeRequired: Rule = {
  name: "cilium-mode-required",
  title: "Cilium encrypts in a mode that is asked for",
  description:
    "Where the option `modes` names wireguard or ipsec, Cilium encrypts in no other mode. Without it nothing is asked.",
  level: "mandatory",
  severity: "high",
  supports: [{ framework: "NIST SP 800-53r5", clause: "SC-8(1)" }],
  remediation: [
    "Set encryption.type to a mode that is asked for, or change the option `modes` of cilium-mode-required.",
  ],
  url: "https://docs.cilium.io/en/stable/security/network/encryption/",
  options: { modes: { type: "array", items: { type: "string", enum: ["wireguard", "ipsec"] } } },
  check: (piece, { modes }) => {
    if (piece.kind !== "cilium" || !Array.isArray(modes)) return [];
    const mode = modeOf(piece.options);
    // No encryption at all is another rule's, and so is ztunnel.
    const on = ["wireguard", "ipsec"].filter((each) => isOn(piece.options.get(`enable-${each}`)));
    if (mode === "none" || on.every((each) => modes.includes(each))) return [];
    return [`${piece.what}: the mode is ${on.join(" and ")}, and ${modes.join(" or ")} is asked for`];
  },
};
