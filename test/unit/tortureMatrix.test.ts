import fc from "fast-check";
import { chartVersion } from "../../components/encryption/chartVersions.ts";
import { loadSettings } from "../../components/settings.ts";
import { CHART_VERSIONS } from "../../rehearsal/package.ts";
import { chooseRows, LANES, PACES, ROWS, rowName, TRANSITIONS } from "../torture/matrix.ts";
import { configOf } from "../torture/modes.ts";
import { type Edge, type Walk, walk } from "../torture/walk.ts";

const EDGES: Edge[] = TRANSITIONS.flatMap((transition) => PACES.map((pace) => ({ transition, pace })));
const nameOf = ({ transition, pace }: Edge): string => `${transition.name}, ${pace}`;

/** Follows the steps; fails where one does not begin where the last one ended. */
function follow({ start, steps }: Walk): string[] {
  let at = start.name;
  return steps.flatMap(({ to, edge }) => {
    if (edge)
      expect({ begins: edge.transition.from.name, ends: edge.transition.to.name }).toEqual({
        begins: at,
        ends: to.name,
      });
    at = to.name;
    return edge ? [nameOf(edge)] : [];
  });
}

describe("the matrix", () => {
  test("has a row for each transition, pace, routing and size, under names of their own", () => {
    expect(ROWS).toHaveLength(14 * 2 * 2 * 3);
    expect(new Set(ROWS.map(rowName)).size).toBe(ROWS.length);
  });

  test("every change of mode is declared to leak, and nothing else is", () => {
    for (const { from, to, leaks } of TRANSITIONS) expect(leaks).toBe(from.encryption !== to.encryption);
  });

  test("its modes are settings that are allowed, in versions that rehearsal has", () => {
    for (const { row, mode } of ROWS.flatMap((row) =>
      [row.transition.from, row.transition.to].map((mode) => ({ row, mode })),
    )) {
      const { changes, cluster, cilium } = configOf(mode, { ...row.lane, pace: row.pace, guard: true });
      const config = {
        ...changes,
        "wirecloak:cluster": { provider: "rehearsal", ...cluster },
        "wirecloak:cilium": { chart: ".", ...cilium },
      };
      const texts = Object.entries(config).map(([key, value]) => [
        key,
        typeof value === "string" ? value : JSON.stringify(value),
      ]);
      const { settings } = loadSettings(Object.fromEntries(texts), { projectRoot: "/", today: "2026-11-21" });
      expect(settings.encryption).toBe(mode.encryption);
      expect(CHART_VERSIONS).toContain(mode.cilium);
      if (mode.encryption === "ipsec" && mode.strict) expect(chartVersion(mode.cilium).ipsecStrict).toBe(true);
    }
  });

  test("a seed chooses the same rows again, each once, from as few kinds of clusters as they fit in", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: ROWS.length }), fc.nat(), (count, seed) => {
        const rows = chooseRows(count, seed);
        expect(new Set(rows.map(rowName)).size).toBe(count);
        expect(chooseRows(count, seed)).toEqual(rows);
        expect(new Set(rows.map(({ lane }) => lane)).size).toBe(Math.ceil((count * LANES.length) / ROWS.length));
      }),
      { numRuns: 30 },
    );
  });
});

describe("the walk through a cluster", () => {
  test("takes every edge once, each from where it begins, and the same way for the same seed", () => {
    fc.assert(
      fc.property(fc.subarray(EDGES, { minLength: 1 }), fc.nat(), (edges, seed) => {
        const found = walk(edges, seed);
        if (!found) throw new Error("no walk");
        expect(follow(found).sort()).toEqual(edges.map(nameOf).sort());
        expect(walk(edges, seed)).toEqual(found);
      }),
      { numRuns: 50 },
    );
  });

  test("goes on from where a cluster is", () => {
    for (const at of TRANSITIONS.map(({ to }) => to)) {
      const found = walk(EDGES, 3, at);
      expect(found?.start).toBe(at);
      expect(found && follow(found)).toHaveLength(EDGES.length);
    }
  });

  test("jumps little: to the versions that nothing leads back to, and seldom otherwise", () => {
    for (let seed = 1; seed <= 10; seed++)
      expect(walk(EDGES, seed)?.steps.filter(({ edge }) => !edge).length).toBeLessThanOrEqual(6);
  });

  test("is none where nothing is left", () => {
    expect(walk([], 1)).toBeUndefined();
    expect(walk([], 1, TRANSITIONS[0]?.to)?.steps).toEqual([]);
  });
});
