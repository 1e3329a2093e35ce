import { isAesGcm } from "../cilium/keyLine.ts";
import { isOn } from "../cilium/options.ts";
import type { Rule } from "../rule.ts";

/** Nothing but a candidate for FIPS 140-3 is in use, where that is asked for. */
export const ciliumFips: Rule = {
  name: "cilium-fips",
  title: "Encryption is a candidate for FIPS 140-3",
  description:
    "Where the option `required` is true, Cilium encrypts with IPsec and AES-GCM, which the nodes' kernels do. That is a FIPS candidate, and no more: it takes a kernel whose module is validated, which no setting of Cilium shows. There is none for WireGuard. Without the option nothing is asked.",
  level: "mandatory",
  severity: "high",
  supports: [
    { framework: "NIST SP 800-53r5", clause: "SC-13" },
    { framework: "FedRAMP", clause: "SC-8(1)" },
  ],
  remediation: [
    "Set encryption.type: ipsec, and give it a key of rfc4106(gcm(aes)).",
    "Run nodes whose kernel's cryptographic module is validated: without that it stays a candidate.",
  ],
  url: "https://github.com/cilium/cilium/issues/23919",
  options: { required: { type: "boolean" } },
  check: (piece, { required }) => {
    if (required !== true) return [];
    if (piece.kind === "cilium") {
      const other = ["wireguard", "ztunnel"].filter((mode) => isOn(piece.options.get(`enable-${mode}`)));
      return other.map(
        (mode) => `${piece.what}: enable-${mode} is on, and is no FIPS candidate: IPsec with AES-GCM is one`,
      );
    }
    if (piece.kind !== "keys") return [];
    const text = piece.line();
    if (text === undefined || isAesGcm(text)) return [];
    return [`${piece.what}: the key is not one of rfc4106(gcm(aes)), which alone is a FIPS candidate`];
  },
};
