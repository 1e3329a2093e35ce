import fc from "fast-check";
import { CASES, planRuns, SETTINGS, settingName } from "../faults/matrix.ts";
import { type Outcome, summary, table } from "../faults/table.ts";

const possible = SETTINGS.flatMap((setting) =>
  CASES.filter((test) => test.fits(setting)).map(({ name }) => `${settingName(setting)}: ${name}`),
);
const namesOf = (runs: ReturnType<typeof planRuns>): string[] =>
  runs.map(({ setting, test }) => `${settingName(setting)}: ${test.name}`);

test("every case that fits is tried in every mode, routing and size before any is tried again", () => {
  expect(new Set(namesOf(planRuns(possible.length, 7)))).toEqual(new Set(possible));
});

test("every fault of the document is ordered by some case", () => {
  const kinds = new Set(CASES.flatMap(({ faults }) => faults({ node: "a", peer: "b" }).map(({ kind }) => kind)));
  expect([...kinds].sort()).toEqual(
    [
      ...["agent-down", "blind", "corrupt-esp", "counters-frozen", "handshake-dead", "leak", "leak-beside", "loss"],
      ...["old-config", "partition", "peer-missing", "replay-esp", "stale-peer-key", "wrong-spi"],
    ].sort(),
  );
});

test("a seed gives the same runs again, each between two nodes of its cluster", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600 }), fc.nat(), (count, seed) => {
      const runs = planRuns(count, seed);
      expect(runs).toHaveLength(count);
      expect(planRuns(count, seed)).toEqual(runs);
      for (const { node, peer } of runs) expect(node).not.toBe(peer);
    }),
    { numRuns: 20 },
  );
});

describe("the table", () => {
  const [setting] = SETTINGS;
  if (!setting) throw new Error("there is no setting");
  const outcome = (label: Outcome["label"], verdict: string): Outcome => ({
    setting,
    name: label,
    label,
    verdict,
    seconds: 2,
  });

  test("counts a verdict that is false either way, and tells which it was", () => {
    const outcomes = [
      outcome("failed", "proven"),
      outcome("proven", "failed"),
      outcome("proven", "proven"),
      outcome("failed", "not proven"),
    ];
    expect(summary(outcomes)).toMatch(
      /another verdict is right: 1;[\s\S]*\nfalse proven: 1, false failed: 1, runs: 4$/,
    );
    expect(table(outcomes)).toContain("| failed | failed | 0/2 (proven, not proven) |");
  });

  test("counts nothing where all is right", () => {
    expect(summary([outcome("proven", "proven"), outcome("not proven", "not proven")])).toMatch(
      /\nfalse proven: 0, false failed: 0, runs: 2$/,
    );
  });
});
