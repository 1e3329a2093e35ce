/** What stands where something looked like key material. */
export const REMOVED = "[removed: it looks like key material]";

/** Fields that hold WireGuard public keys: a private key has the same form, so only these may hold one. */
const PUBLIC = new Set(["publicKey", "wireguardKey", "peers", "missingKeys", "extraKeys"]);

const KEYS = [
  // A line of Cilium's IPsec Secret, or of `ip xfrm state`, with the name of the algorithm before the key.
  /rfc4106\(gcm\(aes\)\)\s+(0x)?[0-9a-f]{8,}/i,
  /\b(aead|enc|auth|auth-trunc)\s+\S+\s+0x[0-9a-f]+/i,
  // A bare key: 20 bytes or more in hexadecimal. Digests of images say that they are one.
  /(?<!sha256:[0-9a-f]*)(?<![0-9a-f])(0x)?[0-9a-f]{40,}/i,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\b(private|preshared|pre-shared)[ _-]?key\b\s*[:=]/i,
  // A bearer token or a certificate's data has no place in evidence either.
  /\beyJ[A-Za-z0-9_-]{16,}\.eyJ/,
];

/** A 32-byte key as WireGuard writes it. */
const WIREGUARD_KEY = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=/;
const PUBLIC_KEY = new RegExp(`^${WIREGUARD_KEY.source}$`);

/** Where a document holds something that looks like a key that must stay secret. */
export function keyMaterialIn(value: unknown, path = ""): string[] {
  const found: string[] = [];
  walk(value, path, "", (text, at, field) => {
    if (looksSecret(text, field)) found.push(at);
    return text;
  });
  return found;
}

/**
 * The same document without anything that looks like a secret key. Nothing that the prover reads should hold one; this
 * is for the day that some tool prints more than it did.
 */
export function withoutKeyMaterial<T>(value: T): T {
  // The walk keeps the shape and swaps texts for texts.
  return walk(value, "", "", (text, _, field) => (looksSecret(text, field) ? REMOVED : text)) as T;
}

function looksSecret(text: string, field: string): boolean {
  // Most texts are too short for any key.
  if (text.length < 16) return false;
  if (PUBLIC.has(field) && PUBLIC_KEY.test(text)) return false;
  return KEYS.some((key) => key.test(text)) || WIREGUARD_KEY.test(text);
}

function walk(
  value: unknown,
  path: string,
  field: string,
  each: (text: string, path: string, field: string) => string,
): unknown {
  if (typeof value === "string") return each(value, path, field);
  if (Array.isArray(value)) return value.map((member, index) => walk(member, `${path}.${index}`, field, each));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      each(name, `${path}.(name)`, ""),
      walk(member, path === "" ? name : `${path}.${name}`, name, each),
    ]),
  );
}
