import { fixtures, refusals } from "../../../policies/corpus/fixture.ts";
import { RULES } from "../../../policies/rules/index.ts";

const all = fixtures();
const refusing = (fixture: (typeof all)[number], rules = RULES) =>
  [...new Set(refusals(rules, fixture).map(({ rule }) => rule.name))].sort();

test.each(all.map((fixture) => [fixture.name, fixture] as const))("%s", (_, fixture) => {
  expect(refusing(fixture)).toEqual(fixture.refused.toSorted());
});

test.each(RULES.map(({ name }) => name))("without %s something gets through", (name) => {
  const others = RULES.filter((rule) => rule.name !== name);
  const through = all.filter((fixture) => fixture.refused.length > 0 && refusing(fixture, others).length === 0);
  expect(through.map((fixture) => fixture.name)).not.toEqual([]);
});

test("every rule that a fixture names is there", () => {
  const names = RULES.map(({ name }) => name);
  expect(all.flatMap(({ refused }) => refused).filter((name) => !names.includes(name))).toEqual([]);
});

test("a rule judges single pieces or all resources, never both, since its name is one policy's", () => {
  expect(RULES.filter(({ check, checkAll }) => (check === undefined) === (checkAll === undefined))).toEqual([]);
});
