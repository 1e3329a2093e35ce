import { findingsOf, fixtures, namesOf } from "../../../policies/corpus/fixture.ts";
import { RULES } from "../../../policies/rules/index.ts";

const all = fixtures();
const refusing = (fixture: (typeof all)[number], rules = RULES) => namesOf(findingsOf(rules, fixture), "refused");

test.each(all.map((fixture) => [fixture.name, fixture] as const))("%s", (_, fixture) => {
  const findings = findingsOf(RULES, fixture);
  expect(namesOf(findings, "refused")).toEqual(fixture.refused.toSorted());
  expect(namesOf(findings, "undecided")).toEqual((fixture.undecided ?? []).toSorted());
});

test.each(RULES.map(({ name }) => name))("without %s something gets through", (name) => {
  const others = RULES.filter((rule) => rule.name !== name);
  const through = all.filter((fixture) => fixture.refused.length > 0 && refusing(fixture, others).length === 0);
  expect(through.map((fixture) => fixture.name)).not.toEqual([]);
});

test("every rule that a fixture names is there", () => {
  const names = RULES.map(({ name }) => name);
  const named = all.flatMap(({ refused, undecided = [] }) => [...refused, ...undecided]);
  expect(named.filter((name) => !names.includes(name))).toEqual([]);
});

test("about half of the fixtures must pass, so that a rule which refuses too much shows", () => {
  const share = all.filter(({ refused }) => refused.length === 0).length / all.length;
  expect(all.length).toBeGreaterThanOrEqual(140);
  expect(share).toBeGreaterThan(0.4);
  expect(share).toBeLessThan(0.6);
});

test("no message repeats a key", () => {
  const messages = all.flatMap((fixture) => findingsOf(RULES, fixture).map(({ message }) => message));
  expect(messages.filter((message) => /[0-9a-f]{16}/i.test(message))).toEqual([]);
});

test("a rule judges single pieces or all resources, never both, since its name is one policy's", () => {
  expect(RULES.filter(({ check, checkAll }) => (check === undefined) === (checkAll === undefined))).toEqual([]);
});
