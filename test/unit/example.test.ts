import { differences } from "../../cli/example/compare.ts";
import { changedConfig, clusterNameOf, exampleNames, readExample } from "../../cli/example/exampleFile.ts";
import { loadSettings } from "../../components/settings.ts";
import { projectRoot } from "../../tools/paths.ts";

describe("what is not as expected", () => {
  test.each<[string, unknown, unknown, string[]]>([
    ["more is no difference", { a: 1 }, { a: 1, b: 2 }, []],
    ["another value", { verdict: "proven" }, { verdict: "failed" }, ['verdict: "failed", expected "proven"']],
    ["a field that is not there", { a: 1 }, {}, ["a: nothing, expected 1"]],
    ["inside of an object", { a: { b: 1 } }, { a: { b: 2 } }, ["a.b: 2, expected 1"]],
    ["null is a value", { a: null }, { a: null }, []],
    ["null where there is something", { a: null }, { a: "x" }, ['a: "x", expected null']],
    ["a pattern", { text: "/keys in use: \\d+/" }, { text: "keys in use: 4" }, []],
    ["a pattern that does not fit", { text: "/^a/" }, { text: "b" }, ['text: "b", expected /^a/']],
    ["each of a list", { answers: "/ok/" }, { answers: ["ok", "no"] }, ['answers[1]: "no", expected /ok/']],
    ["an empty list has none", { answers: "/ok/" }, { answers: [] }, ['answers: nothing, expected "/ok/"']],
    ["the step failed instead", { nodes: 2 }, { failed: "no image" }, ["nodes: nothing, expected 2"]],
  ])("%s", (_, expected, observed, off) => {
    expect(differences(expected, observed)).toEqual(off);
  });
});

test("a change touches what it names of a setting, and nothing else", () => {
  const config = { "w:ipsec": { keyId: 3, keyBits: 256 }, "w:encryption": "ipsec" };
  expect(changedConfig(config, { "w:ipsec": { keyId: 4 } })).toEqual({
    ...config,
    "w:ipsec": { keyId: 4, keyBits: 256 },
  });
  expect(changedConfig(config, { "w:encryption": "none", "w:new": 1 })).toMatchObject({
    "w:encryption": "none",
    "w:new": 1,
  });
  expect(config["w:ipsec"].keyId).toBe(3);
});

describe("every example", () => {
  test("there are six", () => expect(exampleNames()).toHaveLength(6));

  const asText = (config: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
    );
  test.each(exampleNames())(
    "%s: its settings hold after every step, and every up and sniff expects a verdict",
    (name) => {
      const example = readExample(name);
      let { config } = example;
      for (const step of example.steps) {
        if (step.do === "up") config = changedConfig(config, step.set);
        expect(() => loadSettings(asText(config), { projectRoot, today: "2026-11-21" })).not.toThrow();
        if (step.do === "up" || step.do === "sniff") expect(step.expect).toHaveProperty("verdict");
        expect(Object.keys(step.expect)).not.toHaveLength(0);
      }
    },
  );

  test("its cluster has a short name of its own: paths of sockets have a limit", () => {
    const names = exampleNames().map((name) => clusterNameOf(readExample(name)));
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(12);
  });
});

test("an unknown example is refused with those that there are", () => {
  expect(() => readExample("nope")).toThrow(/allowed: .*sniff-a-password/s);
  expect(() => readExample("../test")).toThrow(/no such example/);
});
