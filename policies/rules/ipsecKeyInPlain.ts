import type { Rule } from "../rule.ts";

/** An algorithm with its key, wherever it stands. */
const LINE = /(rfc\d+|hmac|digest_null|cmac|xcbc)\([\w()-]*\)\s+(0x)?[0-9a-f]{16,}/i;
/** The bare key: 20 or 36 bytes. The first is as long as a Git commit, so that its place has to say more. */
const KEY = /^(0x)?([0-9a-f]{40}|[0-9a-f]{72})$/i;
const BASE64 = /^[A-Za-z0-9+/\s]{60,}={0,2}\s*$/;

/** No IPsec key lies where everybody may read it. */
export const ipsecKeyInPlain: Rule = {
  name: "ipsec-key-in-plain",
  title: "No IPsec key lies in the open",
  description:
    "The IPsec key is in a Secret, and not in Helm values (which Helm keeps in its release and Pulumi in its state), ConfigMaps, or the agents' environment.",
  level: "mandatory",
  severity: "critical",
  supports: [
    { framework: "NIST SP 800-53r5", clause: "SC-12" },
    { framework: "PCI DSS 4.0.1", clause: "3.6, 3.7" },
    { framework: "ISO 27001:2022", clause: "A.8.24" },
  ],
  remediation: [
    "Put the key into Secret cilium-ipsec-keys alone, in a Pulumi program as a secret output.",
    "Rotate it: whoever could read it may have it.",
  ],
  url: "https://docs.cilium.io/en/stable/security/network/encryption-ipsec/",
  check: function* (piece) {
    if (piece.kind !== "texts") return;
    for (const [path, text] of piece.texts())
      if (holdsKey(piece.what, path, text)) yield `${piece.what}: there is an IPsec key at ${path}`;
  },
};

function holdsKey(what: string, path: string, text: string): boolean {
  if (LINE.test(text)) return true;
  if (KEY.test(text.trim())) return /key|psk|secret/i.test(path) && /ipsec|psk|pre-?shared/i.test(`${what} ${path}`);
  return BASE64.test(text) && LINE.test(Buffer.from(text, "base64").toString("latin1"));
}
