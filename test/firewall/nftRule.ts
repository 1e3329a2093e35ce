import type { NftSet } from "./nftables.ts";
import { ETHER_TYPES, type IpPacket, type Packet } from "./packet.ts";

/** True where the packet matches, so that the rule goes on. */
export type Statement = (packet: Packet, sets: Map<string, NftSet>) => boolean;

export interface Rule {
  statements: Statement[];
  counter?: string;
  /** Absent: the rule only does something on its way. */
  end?: "accept" | "drop" | { goto: string };
}

/** What nft's words stand for. */
const PROTOCOLS: Record<string, number> = { icmp: 1, tcp: 6, udp: 17, esp: 50, "ipv6-icmp": 58 };
const ICMP: Record<string, number> = {
  ...{ "echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, redirect: 5, "echo-request": 8 },
  ...{ "time-exceeded": 11, "parameter-problem": 12 },
};
const ICMPV6: Record<string, number> = {
  ...{ "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4 },
};
const ICMP_CODES: Record<string, number> = { "frag-needed": 4 };

/** One rule, as ruleset.ts writes them. A word that is not known is an error: what is not understood must not count as judged. */
export function parseRule(text: string): Rule {
  const words = text.match(/\{[^}]*\}|\S+/g) ?? [];
  const rule: Rule = { statements: [] };
  const take = () => {
    const word = words.shift();
    if (word === undefined) throw new Error(`ends too soon: ${text}`);
    return word;
  };
  while (words.length > 0) {
    if (rule.end !== undefined) throw new Error(`goes on behind its end: ${text}`);
    const word = take();
    if (word === "accept" || word === "drop") rule.end = word;
    else if (word === "goto") rule.end = { goto: take() };
    else if (word === "counter" && take() === "name") rule.counter = take();
    else rule.statements.push(statement(word, take, text));
  }
  return rule;
}

function statement(word: string, take: () => string, text: string): Statement {
  const unknown = (what: string) => new Error(`not known: ${what} in ${text}`);
  if (word.startsWith("@th,")) return among(bytesAt(word), take(), {});
  if (word === "add") {
    const set = take();
    if (take() !== "{ ether saddr }") throw unknown("what is added");
    return ({ from }, sets) => {
      named(sets, set).add(from);
      return true;
    };
  }
  const field = `${word} ${take()}`;
  switch (field) {
    case "ip saddr":
    case "ip6 saddr":
      return inSet(
        take(),
        ofFamily(word, ({ source }) => source),
      );
    case "ip daddr":
    case "ip6 daddr":
      return inSet(
        take(),
        ofFamily(word, ({ destination }) => destination),
      );
    case "arp saddr":
      if (take() !== "ip") throw unknown(field);
      return inSet(take(), ({ arpSender }) => arpSender);
    case "ether saddr":
      return inSet(take(), ({ from }) => from);
    case "ether daddr":
      return inSet(take(), ({ to }) => to);
    case "ip protocol":
      return among(
        ofFamily("ip", ({ protocol }) => protocol),
        take(),
        PROTOCOLS,
      );
    case "ip frag-off":
      if (take() !== "&" || take() !== "0x1fff") throw unknown(field);
      return among(
        ofFamily("ip", ({ fragmentOffset }) => fragmentOffset),
        notEqual(take, unknown),
        {},
        true,
      );
    case "frag frag-off":
      return among(
        ofFamily("ip6", ({ fragmentOffset }) => fragmentOffset),
        notEqual(take, unknown),
        {},
        true,
      );
    case "frag nexthdr":
      return among(
        ofFamily("ip6", ({ fragmentOffset, protocol }) => (fragmentOffset === undefined ? undefined : protocol)),
        ...([take(), PROTOCOLS] as const),
      );
    case "meta protocol":
      return among(({ etherType }) => etherType, notEqual(take, unknown), ETHER_TYPES, true);
    case "meta l4proto": {
      const value = take();
      const not = value === "!=";
      return among(({ ip }) => ip?.protocol, not ? take() : value, PROTOCOLS, not);
    }
    case "tcp sport":
    case "udp sport":
      return among(transport(word, 0, 2), take(), {});
    case "tcp dport":
    case "udp dport":
      return among(transport(word, 2, 2), take(), {});
    case "icmp type":
      return among(transport("icmp", 0, 1), take(), ICMP);
    case "icmp code":
      return among(transport("icmp", 1, 1), take(), ICMP_CODES);
    case "icmpv6 type":
      return among(transport("ipv6-icmp", 0, 1), take(), ICMPV6);
    default:
      throw unknown(field);
  }
}

type Read<T> = (packet: Packet) => T | undefined;

/** What a header does not have matches nothing, not even an unequal sign. */
function among(read: Read<number>, values: string, names: Record<string, number>, not = false): Statement {
  const wanted = values
    .replaceAll(/[{} ]/g, "")
    .split(",")
    .map((value) => names[value] ?? Number(value));
  if (wanted.some(Number.isNaN)) throw new Error(`not known: ${values}`);
  return (packet) => {
    const value = read(packet);
    return value !== undefined && wanted.includes(value) !== not;
  };
}

function inSet(set: string, read: Read<string>): Statement {
  if (!set.startsWith("@")) throw new Error(`no set: ${set}`);
  return (packet, sets) => {
    const address = read(packet);
    return address !== undefined && named(sets, set).has(address);
  };
}

function named(sets: Map<string, NftSet>, name: string): NftSet {
  const set = sets.get(name.replace("@", ""));
  if (!name.startsWith("@") || set === undefined) throw new Error(`no set ${name}`);
  return set;
}

function ofFamily<T>(word: string, read: (ip: IpPacket) => T | undefined): Read<T> {
  const family = word === "ip" ? "ipv4" : "ipv6";
  return ({ ip }) => (ip?.family === family ? read(ip) : undefined);
}

/** A field of a header that is there only where the protocol is that one. */
function transport(protocol: string, at: number, size: number): Read<number> {
  return ({ ip }) => (ip && ip.protocol === PROTOCOLS[protocol] ? numberAt(ip, at, size) : undefined);
}

/** `@th,64,32`: offset and size in bits, from where the transport header begins. */
function bytesAt(word: string): Read<number> {
  const [, offset, size] = word.split(",").map(Number);
  if (offset === undefined || size === undefined || offset % 8 !== 0 || ![8, 16, 32].includes(size))
    throw new Error(`not known: ${word}`);
  return ({ ip }) => ip && numberAt(ip, offset / 8, size / 8);
}

function numberAt({ transport }: IpPacket, at: number, size: number): number | undefined {
  return transport === undefined || transport.length < at + size ? undefined : transport.readUIntBE(at, size);
}

function notEqual(take: () => string, unknown: (what: string) => Error): string {
  const sign = take();
  if (sign !== "!=") throw unknown(sign);
  return take();
}
