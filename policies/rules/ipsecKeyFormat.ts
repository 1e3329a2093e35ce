import { keyFaults, withPlus } from "../cilium/keyLine.ts";
import { entryOf, piecesOf } from "../cilium/pieces.ts";
import { type Resource, textAt, treeAt } from "../resource.ts";
import type { Rule } from "../rule.ts";

/** The IPsec key is one that agents read, and a strong one. */
export const ipsecKeyFormat: Rule = {
  name: "ipsec-key-format",
  title: "The IPsec key is well formed and strong",
  description:
    "The Secret of the IPsec keys holds `<id>+ rfc4106(gcm(aes)) <20 or 36 bytes> 128` with an id of 1 to 15, or AES-CBC with HMAC-SHA-256 or -512; the + gives each pair of nodes a key of its own.",
  level: "mandatory",
  severity: "critical",
  supports: [
    { framework: "NIST SP 800-53r5", clause: "SC-13" },
    { framework: "PCI DSS 4.0.1", clause: "4.2.1" },
    { framework: "HIPAA", clause: "164.312(e)(2)(ii)" },
    { framework: "ISO 27001:2022", clause: "A.8.24" },
    { framework: "SOC 2", clause: "CC6.7" },
    { framework: "CIS Controls v8", clause: "3.10" },
  ],
  remediation: [
    "Write the key as `3+ rfc4106(gcm(aes)) KEY 128`, KEY being 20 random bytes in hex (openssl rand -hex 20).",
    "Of a key in use: cilium encrypt rotate-key.",
  ],
  url: "https://docs.cilium.io/en/stable/security/network/encryption-ipsec/",
  check: (piece) => {
    if (piece.kind !== "keys") return [];
    const text = piece.line();
    if (text === undefined)
      return piece.isNamed ? [`${piece.what}: there is no entry \`keys\`, so agents would not start`] : [];
    return keyFaults(text).map((fault) => `${piece.what}: ${fault}`);
  },
  mend: addPlus,
};

/** Where a `+` is all that is missing. */
function addPlus({ type, urn, name, props }: Resource): boolean {
  const [piece] = piecesOf({ type, urn, name, props });
  const text = piece?.kind === "keys" ? piece.line() : undefined;
  if (text === undefined || keyFaults(withPlus(text)).length > 0) return false;
  // A value that is a secret stays one.
  const entry = entryOf(props);
  if (textAt(props, "stringData", entry) !== undefined) treeAt(props, "stringData")[entry] = withPlus(text);
  else treeAt(props, "data")[entry] = Buffer.from(withPlus(text)).toString("base64");
  return true;
}
