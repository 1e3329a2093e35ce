/**
 * What is wrong with a key in the form that agents read, `<id>+ rfc4106(gcm(aes)) <key> 128` or `<id>+ <auth> <key> <cipher> <key>`; empty where nothing
 * is (pkg/datapath/linux/ipsec/ipsec_linux.go, LoadIPSecKeys). Never says a word of the key itself.
 */
export function keyFaults(text: string): string[] {
  const lines = text.split("\n").filter((line) => line !== "");
  if (lines.length === 0) return ["it is empty"];
  return lines.flatMap(lineFaults);
}

/** The id of the key that agents would use, which is the last one; undefined where there is none. */
export function keyId(text: string): number | undefined {
  const id = /^(\d+)\+? /.exec(text.trimEnd().split("\n").at(-1) ?? "")?.[1];
  return id === undefined ? undefined : Number(id);
}

/** Whether all keys in a text are of AES-GCM. */
export function isAesGcm(text: string): boolean {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.length > 0 && lines.every((line) => line.split(" ")[1] === "rfc4106(gcm(aes))");
}

/** The same text with a `+` behind each id, which asks for a key of its own for each pair of nodes. */
export function withPlus(text: string): string {
  return text.replace(/^(\d+) /gm, "$1+ ");
}

/** The greatest id (IPsecMaxKeyVersion). */
const MAX_ID = 15;

/** What `cilium encrypt create-key` makes beside AES-GCM. Others are weak, or no encryption at all (`cipher_null`). */
const AUTHENTICATIONS = ["hmac(sha256)", "hmac(sha512)"];

function lineFaults(line: string): string[] {
  // By single blanks, as the agent does.
  const [id = "", ...words] = line.split(" ");
  const [, number, plus] = /^(\d+)(\+?)$/.exec(id) ?? [];
  if (number === undefined) return ["it does not begin with a key id"];
  const faults = [
    ...(Number(number) >= 1 && Number(number) <= MAX_ID ? [] : [`the key id is not 1 to ${MAX_ID}`]),
    ...(plus === "+"
      ? []
      : ["there is no + behind the key id, so all pairs of nodes may share one key (CVE-2024-28860)"]),
  ];
  if (words.length === 3) return [...faults, ...gcmFaults(words)];
  if (words.length === 4) return [...faults, ...cbcFaults(words)];
  return [...faults, "it is none of the two forms that agents read"];
}

function gcmFaults([algorithm, key = "", icv]: string[]): string[] {
  if (algorithm !== "rfc4106(gcm(aes))") return ["the algorithm is not rfc4106(gcm(aes))"];
  return [
    // The AES key and 4 bytes of salt (RFC 4106).
    ...([20, 36].includes(bytesIn(key)) ? [] : ["the key is not 20 or 36 bytes in hex, as AES-128 and AES-256 need"]),
    // Of the integrity check in bits, not of the key.
    ...(icv === "128" ? [] : ["the last number, the length of the integrity check, is not 128"]),
  ];
}

function cbcFaults([authentication = "", authenticationKey = "", cipher, key = ""]: string[]): string[] {
  return [
    ...(AUTHENTICATIONS.includes(authentication) ? [] : [`the authentication is not ${AUTHENTICATIONS.join(" or ")}`]),
    ...(bytesIn(authenticationKey) >= 32 ? [] : ["the key of the authentication is shorter than 32 bytes in hex"]),
    ...(cipher === "cbc(aes)" ? [] : ["the cipher is not cbc(aes)"]),
    ...([16, 32].includes(bytesIn(key)) ? [] : ["the key is not 16 or 32 bytes in hex, as AES-128 and AES-256 need"]),
  ];
}

/** NaN where it is no hex. */
function bytesIn(key: string): number {
  const hex = key.replace(/^0x/, "");
  return /^(?:[0-9a-f]{2})+$/i.test(hex) ? hex.length / 2 : Number.NaN;
}
