import { type Form, formsIn } from "./forms.ts";
import { type Count, DROPS, type Drop } from "./ruleset.ts";

/** A guard in force, as its table tells of itself. */
export interface GuardTable {
  generation: string;
  forms: Form[];
  dropped: Partial<Record<Drop, Count>>;
}

/** Reads what `nft list table` prints; undefined where the table bears no mark of ours. nft 1.0 leaves the comment out of its JSON. */
export function parseGuardTable(text: string): GuardTable | undefined {
  const [, generation, words] = /^\tcomment "wirecloak (\S+) (\S*)"$/m.exec(text) ?? [];
  if (generation === undefined || words === undefined) return undefined;
  const counters = text.matchAll(/^\tcounter (\S+) \{\n(?:\t\tcomment .*\n)?\t\tpackets (\d+) bytes (\d+)\n/gm);
  const dropped = [...counters].flatMap(([, name = "", packets, bytes]) =>
    name in DROPS ? [[name, { packets: Number(packets), bytes: Number(bytes) }] as const] : [],
  );
  return { generation, forms: formsIn(words.split(",")), dropped: Object.fromEntries(dropped) };
}
