import { BlockList, isIPv4, isIPv6 } from "node:net";

/** An address range as `10.244.0.0/16` writes it. */
export interface Cidr {
  address: string;
  prefix: number;
  family: "ipv4" | "ipv6";
}

/** Reads `ADDRESS/PREFIX`; undefined where it is not one. Host bits may be set: see `networkOf`. */
export function parseCidr(text: string): Cidr | undefined {
  const [, address = "", digits = ""] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const prefix = Number(digits);
  if (isIPv4(address) && prefix <= 32) return { address, prefix, family: "ipv4" };
  if (isIPv6(address) && !address.includes("%") && prefix <= 128) return { address, prefix, family: "ipv6" };
  return undefined;
}

/** The same IPv4 range, written from its first address: `10.244.0.0/16` for `10.244.3.7/16`. */
export function networkOf(cidr: Cidr): string {
  const bits = numberOf(cidr.address);
  return `${addressOf(bits - (bits % 2 ** (32 - cidr.prefix)))}/${cidr.prefix}`;
}

/** Whether every address of `inner` is in `outer`. Ranges of different families never are. */
export function contains(outer: Cidr, inner: Cidr): boolean {
  if (outer.family !== inner.family || outer.prefix > inner.prefix) return false;
  const range = new BlockList();
  range.addSubnet(outer.address, outer.prefix, outer.family);
  return range.check(inner.address, inner.family);
}

/** Whether the ranges share an address. Two ranges either nest or are apart. */
export function overlap(a: Cidr, b: Cidr): boolean {
  return contains(a, b) || contains(b, a);
}

/** The IPv4 ranges, as few as can be, that hold every address which none of these holds. */
export function outside(ranges: readonly Cidr[], within: Cidr = EVERYWHERE): string[] {
  if (ranges.some((range) => contains(range, within))) return [];
  if (!ranges.some((range) => overlap(range, within))) return [`${within.address}/${within.prefix}`];
  return [0, 1].flatMap((half) => outside(ranges, part(within, 1, half)));
}

const EVERYWHERE: Cidr = { address: "0.0.0.0", prefix: 0, family: "ipv4" };

/** One of the 2^bits equal parts of an IPv4 range. */
export function part({ address, prefix }: Cidr, bits: number, index: number): Cidr {
  const size = 2 ** (32 - prefix - bits);
  return { address: addressOf(numberOf(address) + index * size), prefix: prefix + bits, family: "ipv4" };
}

function numberOf(address: string): number {
  return address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

function addressOf(bits: number): string {
  return [2 ** 24, 2 ** 16, 2 ** 8, 1].map((unit) => Math.floor(bits / unit) % 256).join(".");
}
