import { isIPv4, isIPv6 } from "node:net";

/** A range of addresses, or with the family's full prefix one address. `first` has no host bits set. */
export interface AddressRange {
  family: 4 | 6;
  first: bigint;
  prefix: number;
}

/** Reads an address or `ADDRESS/PREFIX`; undefined where it is neither. Host bits may be set: they are dropped. */
export function parseRange(text: string): AddressRange | undefined {
  const [address = "", digits, ...rest] = text.split("/");
  const family = isIPv4(address) ? 4 : isIPv6(address) && !address.includes("%") ? 6 : undefined;
  if (family === undefined || rest.length > 0 || (digits !== undefined && !/^\d{1,3}$/.test(digits))) return undefined;
  const prefix = digits === undefined ? width(family) : Number(digits);
  if (prefix > width(family)) return undefined;
  return widened(
    { family, first: family === 4 ? ipv4Bits(address) : ipv6Bits(address), prefix: width(family) },
    prefix,
  );
}

/** `10.244.0.0/16`, `fd00::/48`, as pcap filters want them. */
export function rangeText({ family, first, prefix }: AddressRange): string {
  const part = family === 4 ? 8 : 16;
  const parts = Array.from({ length: width(family) / part }, (_, index) =>
    Number((first >> BigInt(width(family) - part * (index + 1))) & ((1n << BigInt(part)) - 1n)),
  );
  const address = family === 4 ? parts.join(".") : parts.map((word) => word.toString(16)).join(":");
  return `${address}/${prefix}`;
}

/** The last address of an IPv4 range that is in none of the others and no broadcast address; null where there is none. */
export function lastFreeAddress(range: string, held: readonly string[]): string | null {
  const whole = parseRange(range);
  if (whole?.family !== 4) return null;
  const taken = held.flatMap((each) => parseRange(each) ?? []).filter(({ family }) => family === 4);
  const size = ({ prefix }: AddressRange) => 1n << BigInt(32 - prefix);
  const holds = (each: AddressRange, address: bigint) => address >= each.first && address < each.first + size(each);
  // From below the broadcast address downwards, past each range that is held.
  for (let address = whole.first + size(whole) - 2n; address > whole.first; ) {
    const holder = taken.find((each) => holds(each, address));
    if (!holder) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join(".");
    address = holder.first - 1n;
  }
  return null;
}

/** At most `limit` ranges that hold all of these: neighbours are joined, then, only if need be, ranges made wider. */
export function fewerRanges(ranges: AddressRange[], limit: number): AddressRange[] {
  let few = joined(ranges);
  while (few.length > limit) {
    const longest = Math.max(...few.map(({ prefix }) => prefix));
    few = joined(few.map((range) => (range.prefix === longest ? widened(range, longest - 1) : range)));
  }
  return few;
}

/** Whose an address is: the owner of the narrowest range that holds it. */
export class AddressOwners<Owner> {
  readonly #byPrefix = new Map<string, Map<bigint, Owner>>();
  /** Narrowest first, of each family. */
  readonly #prefixes: Record<4 | 6, number[]> = { 4: [], 6: [] };

  add(range: string, owner: Owner): void {
    const parsed = parseRange(range);
    if (parsed === undefined) return;
    const key = `${parsed.family}/${parsed.prefix}`;
    const owners = this.#byPrefix.get(key) ?? new Map<bigint, Owner>();
    if (owners.size === 0) {
      this.#byPrefix.set(key, owners);
      this.#prefixes[parsed.family].push(parsed.prefix);
      this.#prefixes[parsed.family].sort((a, b) => b - a);
    }
    owners.set(parsed.first, owner);
  }

  of(address: string): Owner | null {
    const parsed = parseRange(address);
    if (parsed === undefined) return null;
    for (const prefix of this.#prefixes[parsed.family]) {
      const owner = this.#byPrefix.get(`${parsed.family}/${prefix}`)?.get(widened(parsed, prefix).first);
      if (owner !== undefined) return owner;
    }
    return null;
  }
}

const width = (family: 4 | 6) => (family === 4 ? 32 : 128);

function widened({ family, first }: AddressRange, prefix: number): AddressRange {
  const host = BigInt(width(family) - prefix);
  return { family, first: (first >> host) << host, prefix };
}

/** Without ranges that others hold, and with both halves of a range as one. */
function joined(ranges: AddressRange[]): AddressRange[] {
  const kept: AddressRange[] = [];
  const size = ({ family, prefix }: AddressRange) => 1n << BigInt(width(family) - prefix);
  for (const range of ranges.toSorted(
    (a, b) => a.family - b.family || compare(a.first, b.first) || a.prefix - b.prefix,
  )) {
    let next = range;
    let last = kept.at(-1);
    if (last && last.family === next.family && next.first < last.first + size(last)) continue;
    while (last && last.family === next.family && last.prefix === next.prefix) {
      const both = widened(last, last.prefix - 1);
      if (both.first !== last.first || last.first + size(last) !== next.first) break;
      kept.pop();
      next = both;
      last = kept.at(-1);
    }
    kept.push(next);
  }
  return kept;
}

const compare = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);

function ipv4Bits(address: string): bigint {
  return address.split(".").reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n);
}

function ipv6Bits(address: string): bigint {
  // A last part written as IPv4 (::ffff:10.0.0.1) is two words.
  const [head = "", tail] = address
    .replace(/[^:]+\.[^:]+$/, (ipv4) => {
      const bits = ipv4Bits(ipv4);
      return `${(bits >> 16n).toString(16)}:${(bits & 0xffffn).toString(16)}`;
    })
    .split("::");
  const words = (text: string | undefined) => (text ? text.split(":") : []);
  const zeros = Array<string>(8 - words(head).length - words(tail).length).fill("0");
  return [...words(head), ...zeros, ...words(tail)].reduce((bits, word) => (bits << 16n) | BigInt(`0x${word}`), 0n);
}
