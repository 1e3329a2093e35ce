import fc from "fast-check";
import { contains, networkOf, outside, overlap, parseCidr } from "../../../components/cidr.ts";

const cidr = (text: string) => parseCidr(text) ?? fail(text);
const fail = (text: string): never => {
  throw new Error(`not a range: ${text}`);
};

test.each([
  "10.0.0.0",
  "10.0.0.0/33",
  "10.0.0/8",
  "010.0.0.0/8",
  "10.0.0.0/08",
  "10.0.0.0/-1",
  "fe80::%eth0/64",
  "::/129",
  "x/8",
  "",
])("%p is no range", (text) => {
  expect(parseCidr(text)).toBeUndefined();
});

test.each([
  ["10.244.0.0/16", "10.244.128.0/24", true],
  ["10.244.128.0/24", "10.244.0.0/16", true],
  ["10.244.0.0/16", "10.245.0.0/16", false],
  ["0.0.0.0/0", "192.168.1.0/24", true],
  ["fd00::/8", "fd12::/16", true],
  ["fd00::/16", "fd01::/16", false],
  ["::ffff:10.0.0.0/104", "10.0.0.0/8", false],
])("%s and %s share addresses: %p", (a, b, shared) => {
  expect(overlap(cidr(a), cidr(b))).toBe(shared);
});

test("a range contains itself and what is smaller, not what is larger", () => {
  expect(contains(cidr("10.0.0.0/8"), cidr("10.0.0.0/8"))).toBe(true);
  expect(contains(cidr("10.0.0.0/16"), cidr("10.0.0.0/8"))).toBe(false);
});

test("for IPv4, sharing an address means the same as counting addresses says", () => {
  const range = fc
    .tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }))
    .map(([address, prefix]) => networkOf(cidr(`${address}/${prefix}`)));
  const span = (text: string) => {
    const { address, prefix } = cidr(text);
    const first = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
    return { first, last: first + 2 ** (32 - prefix) - 1 };
  };
  fc.assert(
    fc.property(range, range, (a, b) => {
      const [x, y] = [span(a), span(b)];
      expect(overlap(cidr(a), cidr(b))).toBe(x.first <= y.last && y.first <= x.last);
    }),
  );
});

describe("what is outside of ranges", () => {
  const ranges = (...texts: string[]) => texts.flatMap((text) => parseCidr(text) ?? []);
  const sizeOf = (texts: string[]) => texts.reduce((sum, text) => sum + 2 ** (32 - (parseCidr(text)?.prefix ?? 0)), 0);

  test.each([
    [[], ["0.0.0.0/0"]],
    [["0.0.0.0/0"], []],
    [["0.0.0.0/1"], ["128.0.0.0/1"]],
    [
      ["10.0.0.0/8"],
      ["0.0.0.0/5", "8.0.0.0/7", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3", "64.0.0.0/2", "128.0.0.0/1"],
    ],
    [["0.0.0.0/1", "192.0.0.0/2"], ["128.0.0.0/2"]],
  ])("%j: %j", (inside, expected) => {
    expect(outside(ranges(...inside))).toEqual(expected);
  });

  test("is every address of theirs not, and every other", () => {
    const inside = ["172.30.0.0/16", "10.244.0.0/16", "10.7.3.9/32"];
    const found = outside(ranges(...inside));
    expect(sizeOf(found) + sizeOf(inside)).toBe(2 ** 32);
    const both = ranges(...inside).filter((one) => ranges(...found).some((other) => overlap(one, other)));
    expect(both).toEqual([]);
  });
});
