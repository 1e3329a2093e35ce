import { piecesOf } from "../../../policies/cilium/pieces.ts";
import { judge } from "../../../policies/judge.ts";
import { type Resource, UnreadError } from "../../../policies/resource.ts";
import type { Rule } from "../../../policies/rule.ts";
import { ciliumEncryptionEnabled } from "../../../policies/rules/ciliumEncryptionEnabled.ts";

/** A resource with props that cannot be read at the names given. */
function withUnread(type: string, name: string, props: object, ...names: string[]): Resource {
  const all = { ...props };
  for (const each of names)
    Object.defineProperty(all, each, {
      enumerable: true,
      get: () => {
        throw new UnreadError(`${each} is encrypted`);
      },
    });
  return { type, urn: `urn:${name}`, name, props: all };
}

test("a rule that rests on what cannot be read is undecided, and so is told", () => {
  const release = withUnread("kubernetes:helm.sh/v3:Release", "cilium", { chart: "cilium" }, "values");
  expect(judge([ciliumEncryptionEnabled], [release])).toEqual([
    {
      rule: ciliumEncryptionEnabled,
      level: "mandatory",
      urn: "urn:cilium",
      message: "values is encrypted",
      undecided: true,
    },
  ]);
});

test("a rule about all resources is undecided as a whole", () => {
  const { check: _, ...described } = ciliumEncryptionEnabled;
  const rule: Rule = {
    ...described,
    checkAll: (resources) => resources.flatMap(({ props }) => (props.values ? [{ message: "broken" }] : [])),
  };
  const readable: Resource = { type: "t", urn: "urn:a", name: "a", props: { values: {} } };
  expect(judge([rule], [readable])).toMatchObject([{ message: "broken" }]);
  expect(judge([rule], [readable, withUnread("t", "b", {}, "values")])).toMatchObject([
    { message: "values is encrypted", undecided: true },
  ]);
});

test("a bug in a rule is no undecided rule", () => {
  const rule = {
    ...ciliumEncryptionEnabled,
    check: () => {
      throw new TypeError("a bug");
    },
  };
  const config = { type: "kubernetes:core/v1:ConfigMap", urn: "u", name: "cilium-config", props: {} };
  expect(() => judge([rule], [config])).toThrow("a bug");
});

test("what a Secret holds is read by those alone who ask for it", () => {
  const [keys] = piecesOf(withUnread("kubernetes:core/v1:Secret", "cilium-ipsec-keys", {}, "stringData", "data"));
  expect(keys).toMatchObject({ kind: "keys", what: "Secret cilium-ipsec-keys" });
  expect(() => keys?.kind === "keys" && keys.line()).toThrow(UnreadError);
  // Of another one nothing says that it is Cilium's.
  expect(piecesOf(withUnread("kubernetes:core/v1:Secret", "password", {}, "stringData", "data"))).toEqual([]);
});

test("a Chart component that keeps its arguments to itself says nothing; what it renders does", () => {
  expect(piecesOf({ type: "kubernetes:helm.sh/v3:Chart", urn: "u", name: "cilium", props: {} })).toEqual([]);
});
