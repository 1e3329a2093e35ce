import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { agentStarts, heldBack } from "./agentStarts.ts";
import { Capture } from "./capture.ts";
import { type Lane, laneName, type Row, rowName } from "./matrix.ts";
import type { Mode } from "./modes.ts";
import { faultOf, leakedIn, type Outcome, watchedOf } from "./outcome.ts";
import type { Results } from "./results.ts";
import { TortureStack, type Updated } from "./stack.ts";
import { type Edge, type Step, walk } from "./walk.ts";

/** What one process does in clusters of one kind. */
export interface LaneOrder {
  /** All of this lane. */
  lane: Lane;
  rows: readonly Row[];
  seed: number;
  results: Results<Outcome>;
  /** When to stop, in milliseconds since 1970. */
  deadline: number | undefined;
  /** Where the logs of updates that failed go. */
  keep: string;
}

/** Tries of a row: one whose update or watch fails is tried again, and all results stay. */
const TRIES = 3;

/** Updates to a row's begin that may fail, one after the other, before the lane is given up. */
const FALSE_STARTS = 3;

/** Runs what is left of a lane: the rows under the guard, then the controls of those that leak without it. */
export async function runLane(order: LaneOrder): Promise<void> {
  const clusters: Clusters = { current: undefined };
  try {
    await runHalf(order, true, clusters);
    await runHalf(order, false, clusters);
  } finally {
    clusters.current?.stack.close();
  }
}

/** A cluster, and how its last update left it. */
interface Cluster {
  stack: TortureStack;
  at: Mode;
  guard: boolean | undefined;
}

/** The one in use, if there is one. */
interface Clusters {
  current: Cluster | undefined;
}

/** Goes through the rows that are left, under the guard or without it. */
async function runHalf(order: LaneOrder, guard: boolean, clusters: Clusters): Promise<void> {
  let failures = 0;
  while (failures < FALSE_STARTS && !isOver(order)) {
    const left = remaining(order, guard);
    const { current } = clusters;
    // A walk under the guard cannot begin at the end of one without it, and the other way round.
    const here = current?.guard === guard ? current : undefined;
    const next = walk(left, order.seed + left.length, here?.at);
    if (next === undefined || left.length === 0) return;
    const start: Step = { to: next.start, pace: "fast", edge: undefined };
    const step = here ? next.steps[0] : start;
    if (step === undefined) return;
    clusters.current ??= { stack: new TortureStack(), at: next.start, guard: undefined };
    const done = await go(order, clusters.current, step, guard);
    if (done) failures = 0;
    else {
      // Nothing is known of a cluster after an update that failed.
      clusters.current.stack.close();
      clusters.current = undefined;
      failures += 1;
    }
  }
}

function isOver({ deadline }: LaneOrder): boolean {
  return deadline !== undefined && Date.now() > deadline;
}

/** The rows that have no good result yet, and were not tried too often. */
function remaining({ rows, results }: LaneOrder, guard: boolean): Edge[] {
  const by = Map.groupBy(
    results.all().filter((outcome) => outcome.guard === guard),
    ({ row }) => row,
  );
  return rows.filter((row) => {
    if (!guard && !row.transition.leaks) return false;
    const runs = by.get(rowName(row)) ?? [];
    // Agents that all start at the same moment leak nothing: that control is tried again too.
    return runs.length < TRIES && !runs.some((outcome) => (guard ? !faultOf(outcome) : leakedIn(outcome) === true));
  });
}

/** Takes one step and writes down what came of it; false where the update failed. */
async function go(order: LaneOrder, cluster: Cluster, step: Step, guard: boolean): Promise<boolean> {
  const { lane, results, keep } = order;
  cluster.stack.want(step.to, { ...lane, pace: step.pace, guard });
  const [updated, plain] = await updateSeen(cluster.stack, guard ? undefined : step.edge);
  const outcome = { ...outcomeOf(updated, lane, cluster.at, step, guard), ...(plain !== undefined && { plain }) };
  results.add(outcome);
  if (updated.code !== 0) keepLog(keep, outcome, updated);
  tell(outcome);
  if (updated.code !== 0) return false;
  cluster.at = step.to;
  cluster.guard = guard;
  return true;
}

/**
 * Updates; where it is a control that has to leak, also with the number of readable packets that our own capture saw: of agents that start at almost the same time
 * the watch cannot tell which of them encrypted when, and counts none.
 */
async function updateSeen(stack: TortureStack, edge: Edge | undefined): Promise<[Updated, number | undefined]> {
  if (!edge?.transition.leaks) return [await stack.update(), undefined];
  const capture = await Capture.start(stack.env, "t", join(stack.home, "capture.log"));
  const updated = await stack.update();
  const { plain } = await capture.stop();
  const agreed = updated.change?.phases.find(({ name }) => name === "agents agree")?.at;
  const opens = agreed === undefined ? undefined : Date.parse(agreed) / 1000;
  return [updated, heldBack(plain, edge.transition, agentStarts(stack), opens)];
}

function outcomeOf(updated: Updated, lane: Lane, from: Mode, { to, pace, edge }: Step, guard: boolean): Outcome {
  const { code, verdict, change, seconds, output } = updated;
  const what = edge ? edge.transition.name : `(${from.name} -> ${to.name})`;
  return {
    row: edge && rowName({ lane, ...edge }),
    what: `${what}, ${pace}, ${laneName(lane)}${guard ? "" : ", without guard"}`,
    ...{ guard, code, verdict, seconds },
    // Nothing can be proven where nothing is encrypted.
    wanted: to.encryption === "none" ? "not proven" : "proven",
    change: change && watchedOf(change),
    at: new Date().toISOString(),
    ...(code !== 0 && { said: output.trim().slice(-600) }),
  };
}

function keepLog(keep: string, { what, at }: Outcome, { output }: Updated): void {
  const folder = join(keep, "failed");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${at}-${what.replaceAll(/[^\w.]+/g, "-")}.log`), output);
}

function tell(outcome: Outcome): void {
  const { what, change, seconds, guard, plain } = outcome;
  const fault = guard ? faultOf(outcome) : undefined;
  const own = plain === undefined ? "" : ` (${plain} by our own capture)`;
  const seen = change
    ? `leaked ${change.leaked}, plain ${change.plaintextWhileEncrypting}${own}, gap ${Math.round(Math.max(0, ...change.gaps))} ms, broken ${change.connections.broken}`
    : "no change";
  console.error(`${fault ? "!!" : "ok"} ${what}: ${seen} (${seconds.toFixed(0)} s)${fault ? `\n   ${fault}` : ""}`);
}
