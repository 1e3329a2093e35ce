import { within } from "./addressRange.ts";
import { parseRule, type Rule } from "./nftRule.ts";
import { decode, type Packet } from "./packet.ts";

/** A table of nftables as its document sets it: exactly what ruleset.ts can write, and an error for anything else. */
export interface NftTable {
  sets: Map<string, NftSet>;
  chains: Map<string, Rule[]>;
}

/** Addresses, or hardware addresses that rules may add to. */
export interface NftSet {
  has: (address: string) => boolean;
  add: (address: string) => void;
}

const LINES = {
  ignored:
    /^(?:(?:delete )?table bridge \S+|table bridge \S+ \{|\tcomment "[^"]*"|\tcounter \S+ \{ packets \d+ bytes \d+ \}|\t?\}|)$/,
  set: /^\tset (\S+) \{ type (ipv4_addr|ipv6_addr|ether_addr);(?: size 65535;)? flags (?:interval|dynamic);(?: elements = \{ ([^}]*) \};)? \}$/,
  chain: /^\tchain (\S+) \{$/,
  hook: /^\t\ttype filter hook forward priority filter; policy accept;$/,
  rule: /^\t\t(.+)$/,
};

/** Reads a document for `nft -f -`. */
export function parseNftables(document: string): NftTable {
  const table: NftTable = { sets: new Map(), chains: new Map() };
  let rules: Rule[] = [];
  for (const line of document.split("\n")) {
    const set = LINES.set.exec(line);
    const chain = LINES.chain.exec(line);
    const rule = LINES.rule.exec(line);
    if (set) table.sets.set(set[1] ?? "", set[2] === "ether_addr" ? hardware(set[3]) : ranges(set[3]));
    else if (chain) {
      rules = [];
      table.chains.set(chain[1] ?? "", rules);
    } else if (LINES.hook.test(line)) continue;
    else if (rule) rules.push(parseRule(rule[1] ?? ""));
    else if (!LINES.ignored.test(line)) throw new Error(`not known in a document: ${line}`);
  }
  return table;
}

/** What the kernel would do with a frame that the bridge forwards: `pass`, or the name of the counter by which it is dropped. */
export function judgeByNftables(table: NftTable, frame: Buffer): string {
  return inChain(table, "forward", decode(frame));
}

function inChain(table: NftTable, name: string, packet: Packet): string {
  const rules = table.chains.get(name);
  if (rules === undefined) throw new Error(`no chain ${name}`);
  for (const { statements, counter, end } of rules) {
    if (!statements.every((statement) => statement(packet, table.sets))) continue;
    if (end === undefined) continue;
    if (end === "accept") return "pass";
    if (end === "drop") return counter ?? "uncounted";
    // From a chain that was gone to nobody comes back: at its end the policy of the first one counts.
    return inChain(table, end.goto, packet);
  }
  return "pass";
}

function ranges(elements = ""): NftSet {
  return {
    has: within(elements.split(", ").filter((text) => text !== "")),
    add: () => {
      throw new Error("nothing adds to ranges");
    },
  };
}

function hardware(elements = ""): NftSet {
  const known = new Set(elements.split(", ").filter((text) => text !== ""));
  return { has: (address) => known.has(address), add: (address) => known.add(address) };
}
