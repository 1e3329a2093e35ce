import { isEnabled, typeOf } from "../cilium/helm.ts";
import { modeOf } from "../cilium/options.ts";
import type { Rule } from "../rule.ts";

/** Exactly what the chart's templates compare with: any other spelling renders no encryption at all, without a word. */
const TYPES = ["wireguard", "ipsec"];

/** The type of encryption is one that the chart knows, letter by letter. */
export const ciliumEncryptionType: Rule = {
  name: "cilium-encryption-type",
  title: "The type of encryption is one that Cilium knows",
  description:
    "encryption.type is wireguard or ipsec, spelled exactly so: the chart renders no encryption for anything else, and says nothing. ztunnel is beta and encrypts nothing until namespaces are labelled.",
  level: "mandatory",
  severity: "critical",
  supports: [{ framework: "NIST SP 800-53r5", clause: "SC-8(1)" }],
  remediation: ["Set encryption.type: wireguard (or ipsec, with a key Secret), in lower case."],
  url: "https://docs.cilium.io/en/stable/security/network/encryption/",
  check: (piece) => {
    if (piece.kind !== "cilium" || !piece.helm || !isEnabled(piece.helm.values)) return [];
    const type = typeOf(piece.helm.values);
    if (TYPES.includes(type ?? "")) return [];
    // Another place may have turned on what this one misspells.
    if (!["ztunnel", "none"].includes(modeOf(piece.options))) return [];
    const known = TYPES.find((name) => name === type?.trim().toLowerCase());
    const why =
      type === "ztunnel"
        ? "is beta and encrypts nothing until namespaces are labelled"
        : `is none that the chart knows${known ? ` (it is spelled ${known})` : ""}, so nothing is encrypted`;
    return [`${piece.what}: encryption.type ${JSON.stringify(type ?? null)} ${why}`];
  },
};
