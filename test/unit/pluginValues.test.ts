import fc from "fast-check";
import { detailedDiff } from "../../rehearsal/plugins/plugin/diff.ts";
import {
  Asset,
  decode,
  encode,
  equal,
  hasSecret,
  hasUnknown,
  type Json,
  type PropertyMap,
  reveal,
  Secret,
  unknown,
  type Value,
} from "../../rehearsal/plugins/plugin/values.ts";

const signature = "4dabf18193072939515e22adb298388d";
const asset = { [signature]: "c44067f5952c0a294b673a41bacd8c17", hash: "abc", text: "" };

/** Any value: every kind, nested. A secret never holds a secret: the constructor sees to it. */
const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Value>(null, true, false, unknown, new Asset(asset)),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 3, noNullPrototype: true }),
    tie("value").map((inner) => new Secret(inner)),
  ),
}));
const map = fc.dictionary(fc.constantFrom("a", "b", "a b", "c"), value, { noNullPrototype: true });
/** Without what equals nothing. */
const known = value.filter((made) => !hasUnknown(made));

describe("property values on the wire", () => {
  test("come back as they went", () => {
    fc.assert(fc.property(value, (sent) => expect(decode(encode(sent))).toEqual(sent)));
  });

  test.each<[string, Json, Value]>([
    ["a secret", { [signature]: "1b47061264138c4ac30d75fd1eb44270", value: "x" }, new Secret("x")],
    ["an unknown string", "04da6b54-80e4-46f7-96ec-b56ff0331ba9", unknown],
    ["an unknown number", "3eeb2bf0-c639-47a8-9e75-3b44932eb421", unknown],
    ["an output that is known", { [signature]: "d0e6a833031e9bbcd3f4e8bde6ca49a4", value: "x" }, "x"],
    ["an output that is not known", { [signature]: "d0e6a833031e9bbcd3f4e8bde6ca49a4" }, unknown],
    [
      "an output that is secret",
      { [signature]: "d0e6a833031e9bbcd3f4e8bde6ca49a4", value: "x", secret: true },
      new Secret("x"),
    ],
    ["an asset", asset, new Asset(asset)],
    ["a resource", { [signature]: "5cf8f73096256a8f31e491e813e4eb8e", urn: "urn:x", id: "i-1" }, "i-1"],
    ["a resource without an id", { [signature]: "5cf8f73096256a8f31e491e813e4eb8e", urn: "urn:x" }, "urn:x"],
    ["a resource to be made", { [signature]: "5cf8f73096256a8f31e491e813e4eb8e", urn: "urn:x", id: "" }, unknown],
  ])("%s is read as such", (_, wire, read) => {
    expect(decode(wire)).toEqual(read);
  });
});

describe("secrets", () => {
  test("revealed, leave no mark and change nothing else", () => {
    fc.assert(
      fc.property(known, (marked) => {
        expect(hasSecret(reveal(marked))).toBe(false);
        expect(equal(marked, reveal(marked))).toBe(true);
      }),
    );
  });
});

describe("detailed diff", () => {
  const update = () => false;
  const replace = () => true;

  test("of a map with itself is empty, secret or not", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), known, { noNullPrototype: true }), (olds) => {
        const marked = Object.fromEntries(Object.entries(olds).map(([key, made]) => [key, new Secret(made)]));
        expect(detailedDiff(olds, marked, update)).toEqual({});
      }),
    );
  });

  test("is empty only where nothing that counts changed", () => {
    fc.assert(
      fc.property(map, map, (olds, news) => {
        const same = [...new Set([...Object.keys(olds), ...Object.keys(news)])].every((key) =>
          sameButForNulls(olds[key] ?? null, news[key] ?? null),
        );
        expect(Object.keys(detailedDiff(olds, news, update)).length === 0).toBe(same);
      }),
    );
  });

  test.each<[string, PropertyMap, PropertyMap, Record<string, string>]>([
    ["a new property", {}, { a: 1 }, { a: "add" }],
    ["a property that went", { a: 1 }, {}, { a: "delete" }],
    ["another value", { a: 1 }, { a: 2 }, { a: "update" }],
    ["a value in a map", { a: { b: 1, c: 1 } }, { a: { b: 2, c: 1 } }, { "a.b": "update" }],
    ["a key that is no name", { a: { "b.c/d": 1 } }, { a: { "b.c/d": 2 } }, { 'a["b.c/d"]': "update" }],
    ["a longer list", { a: [1] }, { a: [1, 2] }, { "a[1]": "add" }],
    ["a shorter list", { a: [1, 2] }, { a: [1] }, { "a[1]": "delete" }],
    ["a map in place of a list", { a: [] }, { a: {} }, { a: "update" }],
    ["a new value that is not known", { a: 1 }, { a: unknown }, { a: "update" }],
    ["one that was not known either", { a: unknown }, { a: unknown }, { a: "update" }],
  ])("%s", (_, olds, news, expected) => {
    expect(detailedDiff(olds, news, update)).toEqual(expected);
  });

  test("of a property that replaces says so at every path in it", () => {
    expect(detailedDiff({ a: { b: 1, c: 1 } }, { a: { b: 2 } }, replace)).toEqual({
      "a.b": "update-replace",
      "a.c": "delete-replace",
    });
  });
});

/** Whether two values are the same if a null counts as nothing there, as in Pulumi's own diffs. */
function sameButForNulls(a: Value, b: Value): boolean {
  return equal(withoutNulls(a), withoutNulls(b));
}

function withoutNulls(made: Value): Value {
  const plain = reveal(made);
  if (Array.isArray(plain)) {
    const kept = plain.map(withoutNulls);
    while (kept.at(-1) === null) {
      kept.pop();
    }
    return kept;
  }
  if (plain === null || typeof plain !== "object" || hasKind(plain)) {
    return plain;
  }
  const kept = Object.entries(plain).map(([key, inner]): [string, Value] => [key, withoutNulls(inner)]);
  return Object.fromEntries(kept.filter(([, inner]) => inner !== null));
}

function hasKind(made: object): boolean {
  return made === unknown || made instanceof Secret || made instanceof Asset;
}
