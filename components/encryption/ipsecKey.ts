/** Cilium's SPIs go from 1 to 15 (`IPsecMaxKeyVersion`). */
export const MAX_KEY_ID = 15;

/** Length of the pre-shared key in bytes: the AES key and 4 bytes of salt, 20 for AES-128 and 36 for AES-256 (RFC 4106). */
export function keyBytes(keyBits: 128 | 256): number {
  return keyBits / 8 + 4;
}

/** The only id that may follow: agents pick between two neighbouring keys, so a rotation steps by one, and 1 follows 15. */
export function nextKeyId(keyId: number): number {
  return (keyId % MAX_KEY_ID) + 1;
}

/**
 * The line under `keys` in Secret `cilium-ipsec-keys`. `+` asks for a key of its own for each pair of nodes (GHSA-pwqm-x5x6-5586); the last
 * number is the length of the integrity check in bits, not of the key. Pure, and its errors never show the key.
 * @param hex the pre-shared key, 20 or 36 bytes
 */
export function ipsecKeyLine(keyId: number, hex: string): string {
  if (!Number.isInteger(keyId) || keyId < 1 || keyId > MAX_KEY_ID)
    throw new RangeError(`IPsec key id ${keyId} is not 1 to ${MAX_KEY_ID}`);
  const lengths = ([128, 256] as const).map(keyBytes);
  if (!/^(?:[0-9a-f]{2})+$/.test(hex) || !lengths.includes(hex.length / 2)) {
    throw new RangeError(
      `an IPsec key is ${lengths.join(" or ")} bytes in lower-case hex, this one is ${hex.length} characters`,
    );
  }
  return `${keyId}+ rfc4106(gcm(aes)) ${hex} 128`;
}
