import { createHash } from "node:crypto";
import { type Form, formsIn } from "./forms.ts";
import { type Count, DROPS, type Drop, SEAL } from "./ruleset.ts";

/** Identity: the nftables table of a cluster. On kind's host there may be several. */
export function tableOf(cluster: string): string {
  return `wirecloak-${cluster}`;
}

/** A guard in force, as its table tells of itself. */
export interface GuardTable {
  generation: string;
  /** Which of Pulumi's resources set it. */
  owner: string;
  forms: Form[];
  /** Of its rules and ranges as nft lists them, without counters and without what it has learned. */
  digest: string;
  /** True where nobody has changed it since it was set. */
  intact: boolean;
  /** Hardware addresses of nodes that it has learned. */
  members: string[];
  dropped: Partial<Record<Drop, Count>>;
}

const MEMBERS = /^\tset members \{\n(?:\t\t.*\n)*?\t\}\n/m;
const SEALED = new RegExp(`^\\n?\\tchain ${SEAL}(\\S+) \\{\\n\\t\\}\\n`, "m");

/** Reads what `nft list table` prints; undefined where the table bears no mark of ours. nft 1.0 leaves the comment out of its JSON. */
export function parseGuardTable(text: string): GuardTable | undefined {
  const [, generation, owner, words] = /^\tcomment "wirecloak (\S+) (\S+) (\S*)"$/m.exec(text) ?? [];
  if (generation === undefined || owner === undefined || words === undefined) return undefined;
  const counters = text.matchAll(/^\tcounter (\S+) \{\n(?:\t\tcomment .*\n)?\t\tpackets (\d+) bytes (\d+)\n/gm);
  const dropped = [...counters].flatMap(([, name = "", packets, bytes]) =>
    name in DROPS ? [[name, { packets: Number(packets), bytes: Number(bytes) }] as const] : [],
  );
  const digest = digestOf(text);
  return {
    generation,
    owner,
    forms: formsIn(words.split(",")),
    digest,
    intact: SEALED.exec(text)?.[1] === digest,
    members: MEMBERS.exec(text)?.[0].match(/(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/g) ?? [],
    dropped: Object.fromEntries(dropped),
  };
}

function digestOf(text: string): string {
  const rules = text
    .replace(SEALED, "")
    .replace(MEMBERS, (set) => set.replace(/^\t\telements = \{[^}]*\}\n/m, ""))
    .replaceAll(/\bpackets \d+ bytes \d+\b/g, "packets 0 bytes 0");
  return createHash("sha256").update(rules).digest("hex").slice(0, 16);
}
