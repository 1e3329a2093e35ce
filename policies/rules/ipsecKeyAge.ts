import { keyId } from "../cilium/keyLine.ts";
import { type KeysPiece, piecesOf } from "../cilium/pieces.ts";
import { at, calledIn, kindOf, type Resource, textAt, UnreadError } from "../resource.ts";
import type { Rule } from "../rule.ts";
import { inEach } from "../undecided.ts";

/** When the key in a Secret was made, as an annotation of it: an ISO date. Identity: others write it. */
const SINCE = "wirecloak.io/key-since";
/** The ConfigMap in which Wirecloak keeps how the last update left a cluster, and its one key. */
const RECORD = "wirecloak-record";
const RECORD_KEY = "record.json";
const DAY = 86_400_000;

/** The IPsec key is rotated in time. */
export const ipsecKeyAge: Rule = {
  name: "ipsec-key-age",
  title: "The IPsec key is rotated in time",
  description:
    "Where the option `maxAgeDays` is there, the key in use is not older, by the Secret's annotation wirecloak.io/key-since or Wirecloak's own record. Undecided where neither tells. Without the option nothing is asked.",
  level: "mandatory",
  severity: "medium",
  supports: [
    { framework: "PCI DSS 4.0.1", clause: "3.6, 3.7" },
    { framework: "NIST SP 800-53r5", clause: "SC-12" },
    { framework: "ISO 27001:2022", clause: "A.8.24" },
  ],
  remediation: ["Rotate the key: wirecloak rotate, or cilium encrypt rotate-key."],
  url: "https://docs.cilium.io/en/stable/security/network/encryption-ipsec/#key-rotation",
  options: { maxAgeDays: { type: "number", minimum: 1 } },
  checkAll: (resources, { maxAgeDays }, { today }) => {
    if (typeof maxAgeDays !== "number") return [];
    const secrets = resources.filter((resource) => kindOf(resource)?.kind === "Secret");
    return inEach(secrets, (resource) => {
      const [piece] = piecesOf(resource);
      const text = piece?.kind === "keys" ? piece.line() : undefined;
      if (piece?.kind !== "keys" || text === undefined) return [];
      const daysSince = (date: string): number => Math.floor((today.getTime() - Date.parse(date)) / DAY);
      const since = sinceOf(piece, keyId(text), resource, resources);
      if (since === undefined) {
        // A key is no older than its Secret, which may have got it later.
        const created = textAt(piece.metadata, "creationTimestamp");
        if (created !== undefined && daysSince(created) <= maxAgeDays) return [];
        throw new UnreadError(
          `nothing tells how old the key in ${piece.what} is (annotation ${SINCE}, or ConfigMap ${RECORD})`,
        );
      }
      const days = daysSince(since);
      if (days <= maxAgeDays) return [];
      const message = `${piece.what}: the key is ${days} days old, and ${maxAgeDays} are allowed`;
      return [{ message, urn: resource.urn }];
    });
  },
};

/** Since when a key is in use; undefined where nothing tells. */
function sinceOf({ metadata }: KeysPiece, id: number | undefined, of: Resource, all: readonly Resource[]) {
  const annotated = textAt(metadata, "annotations", SINCE);
  if (annotated !== undefined && isDate(annotated)) return annotated;
  const records = all.filter((resource) => isRecord(resource) && resource.provider === of.provider);
  const keys = records.map(({ props }) => keyIn(textAt(props, "data", RECORD_KEY)));
  // A record from before the last rotation is about another key.
  const since = textAt(
    keys.find((key) => at(key, "id") === id),
    "since",
  );
  return since !== undefined && isDate(since) ? since : undefined;
}

function isRecord(resource: Resource): boolean {
  return kindOf(resource)?.kind === "ConfigMap" && calledIn(resource) === RECORD;
}

function keyIn(record: string | undefined): unknown {
  try {
    return at(JSON.parse(record ?? "null"), "key");
  } catch {
    return undefined;
  }
}

function isDate(text: string): boolean {
  return !Number.isNaN(Date.parse(text));
}
