import { BlockList } from "node:net";
import fc from "fast-check";
import { AddressOwners, type AddressRange, fewerRanges, parseRange, rangeText } from "../../prover/wire/addresses.ts";
import { captureFilters } from "../../prover/wire/filters.ts";
import { MarkerSearch } from "../../prover/wire/markerSearch.ts";

const ipv4Range = fc
  .tuple(fc.ipV4(), fc.integer({ min: 1, max: 32 }))
  .map(([address, prefix]) => `${address}/${prefix}`);
const ipv6Range = fc
  .tuple(fc.ipV6(), fc.integer({ min: 1, max: 128 }))
  .map(([address, prefix]) => `${address}/${prefix}`);
const parsed = (text: string): AddressRange[] => [parseRange(text) ?? []].flat();

/** Node's own answer. */
function holds(range: string, address: string): boolean {
  const [network = "", prefix] = range.split("/");
  const list = new BlockList();
  const family = (text: string) => (text.includes(":") ? "ipv6" : "ipv4");
  list.addSubnet(network, Number(prefix), family(network));
  return family(network) === family(address) && list.check(address, family(address));
}

test.each([
  ["10.244.3.7/16", "10.244.0.0/16"],
  ["10.244.3.7", "10.244.3.7/32"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["fd00:0:0:1::/64", "fd00:0:0:1:0:0:0:0/64"],
  ["::1", "0:0:0:0:0:0:0:1/128"],
  ["::ffff:10.0.0.1", "0:0:0:0:0:ffff:a00:1/128"],
  ["2001:db8:1:2:3:4:5:6/33", "2001:db8:0:0:0:0:0:0/33"],
])("%s is the range %s", (text, expected) => expect(parsed(text).map(rangeText)).toEqual([expected]));

test.each([
  "",
  "node1",
  "10.0.0",
  "10.0.0.0/33",
  "10.0.0.0/",
  "10.0.0.0/8/8",
  "fd00::/129",
  "fe80::1%eth0",
  "10.0.0.0/x",
])("%j is no range", (text) => expect(parseRange(text)).toBeUndefined());

test("an address belongs to the narrowest range that holds it", () => {
  const owners = new AddressOwners<string>();
  owners.add("10.0.0.0/8", "wide");
  owners.add("10.1.0.0/16", "narrow");
  owners.add("10.1.2.3", "one");
  owners.add("fd00::/16", "six");
  owners.add("not a range", "nobody");
  const asked = ["10.9.9.9", "10.1.9.9", "10.1.2.3", "fd00:1::1", "fd00:0001:0::1", "11.0.0.1", "fe00::1", "unknown"];
  expect(asked.map((address) => owners.of(address))).toEqual(["wide", "narrow", "one", "six", "six", null, null, null]);
});

test("owners are found as Node's block list finds ranges", () => {
  fc.assert(
    fc.property(fc.oneof(ipv4Range, ipv6Range), fc.oneof(fc.ipV4(), fc.ipV6()), (range, other) => {
      const owners = new AddressOwners<string>();
      owners.add(range, "owner");
      for (const address of [other, range.split("/")[0] ?? ""])
        expect(owners.of(address)).toBe(holds(range, address) ? "owner" : null);
    }),
  );
});

test("neighbouring ranges become one, and nothing more than them", () => {
  const join = (...texts: string[]) => fewerRanges(texts.flatMap(parsed), 100).map(rangeText);
  expect(join("10.0.1.0/24", "10.0.0.0/24")).toEqual(["10.0.0.0/23"]);
  expect(join("10.0.1.0/24", "10.0.2.0/24")).toEqual(["10.0.1.0/24", "10.0.2.0/24"]);
  expect(join("10.0.0.0/16", "10.0.2.0/24", "10.0.2.0/24")).toEqual(["10.0.0.0/16"]);
  expect(join(...Array.from({ length: 256 }, (_, third) => `10.0.${third}.0/24`))).toEqual(["10.0.0.0/16"]);
});

test("fewer ranges hold all addresses of the many, within the limit", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(ipv4Range, ipv6Range), { maxLength: 30 }),
      fc.integer({ min: 2, max: 10 }),
      (texts, limit) => {
        const few = fewerRanges(texts.flatMap(parsed), limit).map(rangeText);
        expect(few.length).toBeLessThanOrEqual(limit);
        for (const text of texts) expect(few.some((range) => holds(range, text.split("/")[0] ?? ""))).toBe(true);
        const exact = fewerRanges(texts.flatMap(parsed), 1000).map(rangeText);
        for (const range of exact) expect(texts.some((text) => holds(text, range.split("/")[0] ?? ""))).toBe(true);
      },
    ),
  );
});

test("the filter names the pods' ranges, few of them, and passes over what is none", () => {
  const { readable } = captureFilters({
    markerPort: 7777,
    podCidrs: ["10.244.1.0/24", "10.244.0.7/24", "none", "fd00::/48"],
  });
  expect(readable.match(/ip6? net \S+/g)).toEqual(["ip net 10.244.0.0/23", "ip6 net fd00:0:0:0:0:0:0:0/48)"]);
  const many = Array.from({ length: 4000 }, (_, index) => `10.${index % 250}.${(index * 38) % 256}.0/28`);
  expect(captureFilters({ markerPort: 7777, podCidrs: many }).readable.match(/net/g)?.length).toBeLessThanOrEqual(350);
});

test("markers are found as a plain search finds them", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 5 });
  fc.assert(
    fc.property(
      fc.array(letters),
      fc.string({ unit: fc.constantFrom("a", "b", "c", "\xff"), maxLength: 40 }),
      (markers, text) => {
        const found = new MarkerSearch(markers).find(Buffer.from(text, "latin1"));
        const there = markers.filter((marker) => marker !== "" && text.includes(marker));
        if (there.length === 0) expect(found).toBeNull();
        else expect(there).toContain(found);
      },
    ),
    { numRuns: 1000 },
  );
});
