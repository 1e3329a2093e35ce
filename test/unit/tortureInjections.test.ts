import fc from "fast-check";
import { type Injected, injectionComplaints, injectionSummary, injectionTable, toldBy } from "../torture/injected.ts";
import { secondsToWait } from "../torture/injecting.ts";
import { INJECTION_LANES, INJECTIONS, planInjections, ROTATION } from "../torture/injections.ts";
import { doubled, type Rotated, rotationComplaints, rotationSummary } from "../torture/rotated.ts";

describe("the plan", () => {
  const plan = planInjections(64, 1);

  test("has every kind, in every change where it can happen at all, at both routings", () => {
    expect(new Set(plan.map(({ injection }) => injection.kind))).toEqual(new Set(INJECTIONS.map(({ kind }) => kind)));
    expect(new Set(plan.map(({ lane }) => lane))).toEqual(new Set(INJECTION_LANES));
    expect(new Set(plan.map(({ transition }) => transition.name)).size).toBe(11);
    expect(plan.filter(({ transition }) => transition === ROTATION).length).toBeGreaterThan(8);
  });

  test("is the same for the same seed, and nothing happens where it cannot or where plaintext is allowed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.nat(), (count, seed) => {
        const found = planInjections(count, seed);
        expect(found).toHaveLength(count);
        expect(planInjections(count, seed)).toEqual(found);
        for (const { injection, transition, node, lane } of found) {
          expect(injection.fits(transition)).toBe(true);
          expect([transition.from.encryption, transition.to.encryption]).not.toContain("none");
          expect(node).toBeLessThan(lane.nodes);
        }
      }),
      { numRuns: 20 },
    );
  });
});

test("a deleted Secret may take a person where the key was about to change, and nothing else may", () => {
  const [rotated] = planInjections(64, 1).filter(({ transition }) => transition === ROTATION);
  for (const { kind, ends } of INJECTIONS)
    expect(ends(rotated?.transition ?? ROTATION)).toEqual(kind === "Secret" ? ["recovered", "told"] : ["recovered"]);
});

const injected = (changes: Partial<Injected>): Injected => ({
  ...{ number: 1, kind: "kill -9", what: "a kill", wentThrough: false, leaked: 0, sample: [], blind: undefined },
  ...{ ends: ["recovered"], end: "recovered", said: "", seconds: 1, at: "" },
  ...changes,
});

test("an injection that ends as declared is no complaint", () => {
  expect(injectionComplaints([injected({})])).toEqual([]);
  expect(injectionTable([injected({})])).toMatch(/kill -9.*\| recovered \| 1 \| 0 \| 0 \| 1 \| 0 \| 0 \|/);
  expect(injectionSummary([injected({}), injected({ end: "told" })])).toBe(
    "injections: 2, leaked: 0, recovered: 1, told: 1, neither: 0",
  );
});

test.each<[string, Partial<Injected>, RegExp]>([
  ["a leak", { leaked: 2, sample: ["it"] }, /2 packets leaked, such as it/],
  ["a capture that saw not every control", { blind: "no port" }, /could have missed/],
  ["an end that was not declared", { end: "told", said: "do this" }, /told, not recovered: do this/],
  ["no end at all", { end: "neither", said: "code 255" }, /neither, not recovered/],
])("%s is a complaint", (_, changes, words) => {
  expect(injectionComplaints([injected(changes)])).toEqual([expect.stringMatching(words)]);
});

test("what a person is told is found among the engine's own lines, and a stack is none", () => {
  const output =
    "Diagnostics:\n  pulumi:pulumi:Stack\n    error: wirecloak:ipsec.keyId = 5\n    The rotation is in flight.\n    fix:     wait 20 s, then again\n";
  expect(toldBy(output)).toContain("wait 20 s");
  expect(toldBy("error: update failed\n at Object.<anonymous>")).toBeUndefined();
});

test("a refused rotation tells how long to wait", () => {
  expect(secondsToWait("The next rotation is free at 2026-11-21T20:00:00.000Z,\n   in 61 s.")).toBe(61);
  expect(secondsToWait("error: something else")).toBeUndefined();
});

describe("rotations", () => {
  const rotated = (changes: Partial<Rotated>): Rotated => ({
    ...{ number: 1, from: 15, to: 1, code: 0, verdict: "proven", refusedTooEarly: true, leaked: 0, sample: [] },
    ...{ blind: undefined, keysInUse: [6, 12, 6], spis: [15, 1], seconds: 1, said: "", at: "" },
    watched: { complete: true, leaked: 0, broken: 0, kept: 12, longestGapMs: 12 },
    ...changes,
  });

  test("a good one is no complaint, and the wrap is told", () => {
    expect(rotationComplaints([rotated({}), rotated({ refusedTooEarly: null })])).toEqual([]);
    expect(rotationSummary([rotated({})])).toBe("rotations: 1 with the step from 15 to 1, leaked: 0, broken: 0");
  });

  test.each<[string, Partial<Rotated>]>([
    ["an update that fails", { code: 255 }],
    ["no proof", { verdict: "not proven" }],
    ["a leak that our capture saw", { leaked: 1 }],
    ["a leak that the watch saw", { watched: { complete: true, leaked: 1, broken: 0, kept: 1, longestGapMs: 1 } }],
    ["a broken connection", { watched: { complete: true, leaked: 0, broken: 1, kept: 1, longestGapMs: 1 } }],
    ["half a watch", { watched: { complete: false, leaked: 0, broken: 0, kept: 1, longestGapMs: 1 } }],
    ["no watch", { watched: undefined }],
    ["a blind capture", { blind: "no port" }],
    ["keys that never were two", { keysInUse: [6] }],
    ["keys that stayed two", { keysInUse: [6, 12] }],
    ["a wire that stayed with the old key", { spis: [15] }],
    ["a rotation in flight that nobody refused", { refusedTooEarly: false }],
  ])("%s is a complaint", (_, changes) => {
    expect(rotationComplaints([rotated(changes)])).toHaveLength(1);
  });

  test("keys in use double where every node knows both", () => {
    expect(doubled([6, 9, 12, 9, 6])).toBe(true);
    expect(doubled([])).toBe(false);
  });
});
