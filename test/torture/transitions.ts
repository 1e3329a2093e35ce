// `make transitions SEED=n [JOBS=2] [ROWS=n] [BUDGET=minutes] [KEEP=folder]`: every change of mode by a real update, with the guard and, as the control, without it.
// Results are kept in KEEP as JSON lines, and a run that is started again with the same folder goes on where it was.
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDir, projectRoot } from "../../tools/paths.ts";
import { inProcesses } from "./jobs.ts";
import { runLane } from "./lane.ts";
import { machine } from "./machine.ts";
import { chooseRows, LANES, ROWS, rowName } from "./matrix.ts";
import { complaints, coverage, judged, type Outcome, summary, table } from "./outcome.ts";
import { Results } from "./results.ts";
import { prepare } from "./stack.ts";

const seed = Number(process.env.SEED || 1);
const rows = chooseRows(Number(process.env.ROWS || ROWS.length), seed);
const keep = process.env.KEEP || join(cacheDir(), "torture", `transitions-${seed}`);
const deadline = process.env.BUDGET ? Date.now() + Number(process.env.BUDGET) * 60_000 : undefined;
const results = new Results<Outcome>(keep, "transitions");
/** Set for the processes that this program starts: what they have to do. */
const { TASK: task } = process.env;

/** The head of docs/transitions-result.md. */
const DOCUMENT = `# What the transitions cost

\`make transitions SEED=n\` changes rehearsal clusters from mode to mode, each time by a real \`pulumi up\` of the real program, in every routing and at both paces of \`cilium.rollout\`. With
the guard no readable packet may pass it. Each row in which Cilium would send plaintext is run again without guard and without strict mode, and then the watch has to see some, or it would not have
seen a leak under the guard either. In the other rows the agents only restart in the mode that they had. A gap is the longest time without an answer
between two nodes, of 10 ms echoes, over all pairs and runs of a line; broken are TCP connections that never reconnect.
`;

if (task !== undefined) {
  const { DEADLINE: until } = process.env;
  const { lane: index } = JSON.parse(task) as { lane: number };
  const lane = LANES[index];
  const own = rows.filter((row) => row.lane === lane);
  const stop = until ? Number(until) : undefined;
  if (lane) await runLane({ lane, rows: own, seed, results, deadline: stop, keep });
} else {
  await prepare();
  const known = results.all();
  if (known.length > 0) console.error(`going on with the ${known.length} results in ${keep}`);
  // The small clusters before the large, for a run that its time budget ends.
  const lanes = [...new Set(rows.map(({ lane }) => LANES.indexOf(lane)))].sort((a, b) => a - b);
  const tasks = lanes.map((lane) => ({ lane }));
  const env = { SEED: String(seed), KEEP: keep, ...(deadline && { DEADLINE: String(deadline) }) };
  await inProcesses(import.meta.filename, tasks, Number(process.env.JOBS || 2), env);
  report(results.all());
}

function report(all: readonly Outcome[]): void {
  const wanted = new Set(rows.map(rowName));
  const outcomes = all.filter(({ row }) => row === undefined || wanted.has(row));
  const found = judged(outcomes);
  const wrong = complaints(found, outcomes);
  const run = (guard: boolean): Set<string> =>
    new Set(outcomes.filter((each) => each.row !== undefined && each.guard === guard).map(({ row }) => row ?? ""));
  const controls = rows.filter(({ transition }) => transition.leaks).length;
  const missing = rows.length + controls - run(true).size - run(false).size;
  const text = [
    `Transitions in rehearsal clusters, seed ${seed}, ${machine()}.`,
    `Rows run: ${coverage(found)}.`,
    "",
    table(found),
    "",
    ...wrong.map((line) => `- ${line}`),
    ...(wrong.length > 0 ? [""] : []),
    summary(found, outcomes),
  ].join("\n");
  console.log(text);
  if (missing > 0) console.error(`${missing} runs are left to do: start again with KEEP=${keep}`);
  writeFileSync(join(keep, "result.md"), `${DOCUMENT}\n${text}\n`);
  if (rows.length === ROWS.length && missing === 0)
    copyFileSync(join(keep, "result.md"), join(projectRoot, "docs/transitions-result.md"));
  process.exitCode = wrong.length === 0 && missing === 0 ? 0 : 1;
}
