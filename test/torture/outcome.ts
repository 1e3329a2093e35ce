import type { Change } from "../../prover/watch/change.ts";
import type { Lane, Row } from "./matrix.ts";
import { LANES, laneName, PACES, ROWS, rowName, TRANSITIONS } from "./matrix.ts";

/** What is kept of an update's output `change`. */
export interface Watched
  extends Pick<
    Change,
    | "complete"
    | "why"
    | "leaked"
    | "attempted"
    | "plaintextWhileEncrypting"
    | "guardDrops"
    | "connections"
    | "phases"
    | "startedAt"
    | "endedAt"
  > {
  /** The longest time without an answer of each pair of nodes, in ms. */
  gaps: number[];
}

/** The part of a change that is judged here. */
export function watchedOf(change: Change): Watched {
  const { complete, why, leaked, attempted, plaintextWhileEncrypting } = change;
  const { guardDrops, connections, phases, startedAt, endedAt } = change;
  return {
    ...{ complete, why, leaked, attempted, plaintextWhileEncrypting, guardDrops, connections, phases },
    ...{ startedAt, endedAt, gaps: change.pairs.each.map(({ longestGapMs }) => longestGapMs) },
  };
}

/** What became of one update. */
export interface Outcome {
  /** The row; undefined for an update that only led to where the next row begins. */
  row: string | undefined;
  /** What was done, in words. */
  what: string;
  /** False for the control. */
  guard: boolean;
  code: number;
  verdict: string | undefined;
  /** The verdict that is right afterwards. */
  wanted: string;
  change: Watched | null;
  /** Of a control: readable packets that a guard would have held back, by our own capture. */
  plain?: number;
  seconds: number;
  at: string;
  /** The end of what Pulumi said, where it failed. */
  said?: string;
}

/** What is wrong with an update under the guard, in a line; undefined where all is right. */
export function faultOf(outcome: Outcome): string | undefined {
  const { row, code, verdict, wanted, change, said } = outcome;
  if (leakedUnderGuard(outcome)) return `${change?.leaked} packets leaked`;
  if (code !== 0) return `the update ended with ${code}: ${said ?? ""}`;
  // One that only leads to where a row begins is no row's evidence.
  if (row === undefined) return undefined;
  if (verdict !== wanted) return `the verdict is ${verdict}, not ${wanted}`;
  if (!change) return "no change was watched";
  return change.complete ? undefined : `the watch is incomplete: ${change.why}`;
}

function leakedUnderGuard({ guard, change }: Outcome): boolean {
  return guard && (change?.leaked ?? 0) > 0;
}

/** Whether plaintext was seen while the settings wanted none; undefined where nobody can tell. */
export function leakedIn({ change, plain: own = 0 }: Outcome): boolean | undefined {
  if (!change) return own > 0 ? true : undefined;
  const plain = Math.max(change.leaked, change.plaintextWhileEncrypting, own);
  return plain > 0 || (change.complete ? false : undefined);
}

/** A row with what is known of it. */
export interface Judged {
  row: Row;
  guarded: Outcome[];
  controls: Outcome[];
  /** Its control should leak and saw nothing: neither would it have seen a leak under the guard. */
  blind: boolean;
}

/** All rows that were run, in the matrix's order. */
export function judged(outcomes: readonly Outcome[]): Judged[] {
  const by = Map.groupBy(outcomes, ({ row }) => row);
  return ROWS.flatMap((row) => {
    const of = by.get(rowName(row)) ?? [];
    const controls = of.filter(({ guard }) => !guard);
    const saw = controls.map(leakedIn);
    return of.length === 0
      ? []
      : [
          {
            row,
            guarded: of.filter(({ guard }) => guard),
            controls,
            blind: saw.includes(false) && !saw.includes(true),
          },
        ];
  });
}

/** A line for each transition at each pace. */
export function table(rows: readonly Judged[]): string {
  const lines = TRANSITIONS.flatMap((transition) =>
    PACES.flatMap((pace) => {
      const of = rows.filter(({ row }) => row.transition === transition && row.pace === pace);
      return of.length === 0 ? [] : [[transition.name, pace, ...cells(of, transition.leaks)]];
    }),
  );
  const head = ["transition", "pace", "runs", "leaked", "control leaked", "gap p50, ms", "p99", "longest", "broken"];
  const rule = head.map((_, index) => (index < 2 ? "---" : "---:"));
  return [head, rule, ...lines].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

function cells(of: readonly Judged[], leaks: boolean): string[] {
  const changes = of.flatMap(({ guarded }) => guarded.flatMap(({ change }) => change ?? []));
  const controlled = of.filter(({ controls }) => controls.length > 0);
  const saw = controlled.filter(({ controls }) => controls.some((each) => leakedIn(each) === true)).length;
  const gaps = changes.flatMap((change) => change.gaps);
  return [
    of.reduce((sum, { guarded }) => sum + guarded.length, 0),
    changes.reduce((sum, { leaked }) => sum + leaked, 0),
    leaks ? `${saw} of ${controlled.length}` : "-",
    ...[0.5, 0.99, 1].map((share) => quantile(gaps, share) ?? "-"),
    `${changes.reduce((sum, { connections }) => sum + connections.broken, 0)} of ${changes.reduce((sum, { connections }) => sum + connections.broken + connections.kept, 0)}`,
  ].map(String);
}

function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return value === undefined ? undefined : Math.round(value);
}

/** Everything that is not as it should be, a line each: none in a good run. */
export function complaints(rows: readonly Judged[], outcomes: readonly Outcome[]): string[] {
  const good = new Set(outcomes.filter((each) => each.guard && !faultOf(each)).map(({ row }) => row));
  const bad = outcomes.flatMap((outcome) => {
    const fault = faultOf(outcome);
    // A control is allowed to fail: a leak that its proof sees fails it. One that went wrong and was run again is right, unless it leaked.
    if (fault === undefined || !outcome.guard) return [];
    return leakedUnderGuard(outcome) || !good.has(outcome.row) ? [`${outcome.what}: ${fault}`] : [];
  });
  return [
    ...bad,
    ...rows.filter(({ blind }) => blind).map(({ row }) => `blind, its control saw no leak: ${rowName(row)}`),
  ];
}

/** The last line. */
export function summary(rows: readonly Judged[], outcomes: readonly Outcome[]): string {
  const runs = rows.reduce((sum, { guarded }) => sum + guarded.length, 0);
  const leaked = outcomes.reduce((sum, { guard, change }) => sum + (guard ? (change?.leaked ?? 0) : 0), 0);
  const controls = rows.filter((row) => row.controls.some((each) => leakedIn(each) === true));
  return `transitions: ${runs}, leaked: ${leaked}, control leaked: ${controls.length}`;
}

/** How much of the matrix these rows are, by kind of cluster. */
export function coverage(rows: readonly Judged[]): string {
  const of = (lane: Lane): string => {
    const count = (run: (judged: Judged) => boolean): number =>
      rows.filter((judged) => judged.row.lane === lane && run(judged)).length;
    const guarded = count(({ guarded: runs }) => runs.length > 0);
    const controls = count(({ controls: runs }) => runs.length > 0);
    return `${laneName(lane)}: ${guarded} of ${ROWS.length / LANES.length} rows, ${controls} controls`;
  };
  return LANES.map(of).join("; ");
}
