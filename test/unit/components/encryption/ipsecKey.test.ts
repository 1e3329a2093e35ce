import fc from "fast-check";
import { ipsecKeyLine, keyBytes, nextKeyId } from "../../../../components/encryption/ipsecKey.ts";

const hex = (bytes: number) => "5a".repeat(bytes);

test("a key line has the id with a plus, the cipher, the key and the length of the integrity check", () => {
  expect(ipsecKeyLine(3, hex(20))).toBe(`3+ rfc4106(gcm(aes)) ${hex(20)} 128`);
});

test("AES-256 keys are longer, and their integrity check is still 128 bits", () => {
  expect(ipsecKeyLine(15, hex(36))).toBe(`15+ rfc4106(gcm(aes)) ${hex(36)} 128`);
});

test.each([
  [128, 20],
  [256, 36],
] as const)("AES-%d takes %d bytes: the key and 4 bytes of salt", (bits, bytes) => {
  expect(keyBytes(bits)).toBe(bytes);
});

test.each([0, 16, 1.5, -1, Number.NaN])("key id %p is refused", (id) => {
  expect(() => ipsecKeyLine(id, hex(20))).toThrow("1 to 15");
});

test.each([0, 16, 19, 21, 32, 35, 37])("a key of %d bytes is refused, and not shown", (bytes) => {
  expect(() => ipsecKeyLine(3, hex(bytes))).toThrow("20 or 36 bytes");
  expect(() => ipsecKeyLine(3, hex(bytes))).not.toThrow("5a5a");
});

test.each(["5A".repeat(20), `${"5a".repeat(19)}5`, `${"5a".repeat(19)}zz`, ` ${"5a".repeat(20)}`])(
  "%p is no hex",
  (text) => {
    expect(() => ipsecKeyLine(3, text)).toThrow(RangeError);
  },
);

test("key ids go round: 15 steps from any id visit each id once and come back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 15 }), (start) => {
      const seen = [start];
      for (let id = nextKeyId(start); id !== start; id = nextKeyId(id)) seen.push(id);
      expect(new Set(seen).size).toBe(15);
    }),
  );
  expect(nextKeyId(15)).toBe(1);
});
