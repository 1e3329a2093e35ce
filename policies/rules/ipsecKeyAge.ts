import { keyId } from "../cilium/keyLine.ts";
import { type KeysPiece, piecesOf } from "../cilium/pieces.ts";
import { at, calledIn, kindOf, listAt, type Resource, textAt, UnreadError } from "../resource.ts";
import type { Rule } from "../rule.ts";
import { inEach } from "../undecided.ts";

/** The ConfigMap in which Wirecloak keeps how the last update left a cluster, and its one key. */
const RECORD = "wirecloak-record";
const RECORD_KEY = "record.json";
const DAY = 86_400_000;

/** The IPsec key is rotated in time. */
export const ipsecKeyAge: Rule = {
  name: "ipsec-key-age",
  title: "The IPsec key is rotated in time",
  description:
    "Where the option `maxAgeDays` is there, the key in use is not older, by Wirecloak's own record, else by when the API server says that the Secret was made and its data last written. Undecided where neither tells. Without the option nothing is asked.",
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
      const recorded = recordedSince(keyId(text), resource, resources);
      // A key is no older than its Secret, and as old as the last change of the Secret's data at least.
      const [oldest, youngest] = recorded ? [recorded, recorded] : [createdAt(piece), writtenAt(piece)];
      if (oldest !== undefined && daysSince(oldest) <= maxAgeDays) return [];
      if (youngest === undefined || daysSince(youngest) <= maxAgeDays)
        throw new UnreadError(`nothing tells how old the key in ${piece.what} is (ConfigMap ${RECORD} would)`);
      const message = `${piece.what}: the key is ${recorded ? "" : "at least "}${daysSince(youngest)} days old, and ${maxAgeDays} are allowed`;
      return [{ message, urn: resource.urn }];
    });
  },
};

/** Since when Wirecloak has known a key; undefined where it has no record of it. */
function recordedSince(id: number | undefined, of: Resource, all: readonly Resource[]): string | undefined {
  const records = all.filter((resource) => isRecord(resource) && resource.provider === of.provider);
  const keys = records.map(({ props }) => keyIn(textAt(props, "data", RECORD_KEY)));
  // A record from before the last rotation is about another key.
  return dateIn(
    textAt(
      keys.find((key) => at(key, "id") === id),
      "since",
    ),
  );
}

function createdAt({ metadata }: KeysPiece): string | undefined {
  return dateIn(textAt(metadata, "creationTimestamp"));
}

/** When somebody last wrote the data, by what the API server keeps of every writer. */
function writtenAt({ metadata }: KeysPiece): string | undefined {
  const writers = listAt(metadata, "managedFields").filter((writer) => at(writer, "fieldsV1", "f:data") !== undefined);
  return writers
    .flatMap((writer) => dateIn(textAt(writer, "time")) ?? [])
    .sort()
    .at(-1);
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

function dateIn(text: string | undefined): string | undefined {
  return text === undefined || Number.isNaN(Date.parse(text)) ? undefined : text;
}
