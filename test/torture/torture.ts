// `make torture [SEED=n] [BUDGET=minutes] [JOBS=2] [INJECTIONS=n] [KEEP=folder]`: rotations in a row, what goes wrong in the middle of changes, and the transitions.
// Results are kept in KEEP as JSON lines, and a run that is started again with the same folder goes on where it was.
import { spawn } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDir, projectRoot } from "../../tools/paths.ts";
import { type Injected, injectionComplaints, injectionSummary, injectionTable } from "./injected.ts";
import { runInjections } from "./injecting.ts";
import { INJECTION_LANES, planInjections } from "./injections.ts";
import { inProcesses } from "./jobs.ts";
import { machine } from "./machine.ts";
import { Results } from "./results.ts";
import { type Rotated, rotationComplaints, rotationSummary, rotationTable } from "./rotated.ts";
import { ROTATIONS, runRotations } from "./rotating.ts";
import { prepare } from "./stack.ts";

const seed = Number(process.env.SEED || 1);
const plan = planInjections(Number(process.env.INJECTIONS || 64), seed);
const keep = process.env.KEEP || join(cacheDir(), "torture", `torture-${seed}`);
const deadline = process.env.BUDGET ? Date.now() + Number(process.env.BUDGET) * 60_000 : undefined;
const injected = new Results<Injected>(keep, "injections");
const rotated = new Results<Rotated>(keep, "rotations");
/** Set for the processes that this program starts: what they have to do. */
const { TASK: task, DEADLINE: until } = process.env;

/** What a process of this program does: the rotations, or the injections of a lane. */
type Task = { rotations: true } | { lane: number };

/** The head of docs/torture-result.md. */
const DOCUMENT = `# What the torture showed

\`make torture SEED=n\` rotates the IPsec key ${ROTATIONS} times in a row under traffic, and lets something go wrong in the middle of changes of mode and rotations, each time in a real \`pulumi up\` of
the real program against a rehearsal cluster of 4 nodes with the guard. A capture that does not rest on the watch counts readable packets of pods at all ports of the nodes'
bridge, past the guard, from before the update until after the next one; control packets that it must see go out of every port at its begin and its end. Afterwards the fault is cleared, and
the next update must prove the cluster ("recovered"), or tell a person what to do ("told"). Which of them is right was declared beforehand (test/torture/injections.ts).
`;

if (task !== undefined) {
  const todo = JSON.parse(task) as Task;
  const stop = until ? Number(until) : undefined;
  if ("rotations" in todo) await runRotations({ results: rotated, deadline: stop });
  else {
    const own = plan.filter(({ lane }) => lane === INJECTION_LANES[todo.lane]);
    await runInjections({ plan: own, seed, results: injected, deadline: stop, keep });
  }
} else {
  await prepare();
  const tasks: Task[] = [{ rotations: true }, ...INJECTION_LANES.map((_, lane) => ({ lane }))];
  const env = { SEED: String(seed), KEEP: keep, ...(deadline && { DEADLINE: String(deadline) }) };
  await inProcesses(import.meta.filename, tasks, Number(process.env.JOBS || 2), env);
  const transitions = await transitionsInTheRest();
  report(transitions);
}

/** The matrix of `make transitions`, in the time that is left; false where it complained. */
async function transitionsInTheRest(): Promise<boolean> {
  const minutes = deadline === undefined ? "" : String(Math.max(0.1, (deadline - Date.now()) / 60_000));
  const env = {
    ...process.env,
    SEED: String(seed),
    BUDGET: minutes,
    KEEP: process.env.KEEP ? `${keep}/transitions` : "",
  };
  const child = spawn("node", [join(import.meta.dirname, "transitions.ts")], { env, stdio: "inherit" });
  return new Promise((resolve) => child.on("close", (code) => resolve(code === 0)));
}

function report(transitions: boolean): void {
  const rotations = rotated.all();
  const planned = new Set(plan.map(({ number }) => number));
  const injections = injected
    .all()
    .filter(({ number }) => planned.has(number))
    .sort((a, b) => a.number - b.number);
  const wrong = [...rotationComplaints(rotations), ...injectionComplaints(injections)];
  const text = [
    `Tortured in rehearsal clusters, seed ${seed}, ${machine()}.`,
    "",
    rotationTable(rotations),
    "",
    rotationSummary(rotations),
    "",
    injectionTable(injections),
    "",
    ...wrong.map((line) => `- ${line}`),
    ...(wrong.length > 0 ? [""] : []),
    injectionSummary(injections),
  ].join("\n");
  console.log(text);
  const missing = ROTATIONS - rotations.length + plan.length - injections.length;
  if (missing > 0) console.error(`${missing} are left to do: start again with KEEP=${keep}`);
  writeFileSync(join(keep, "result.md"), `${DOCUMENT}\n${text}\n`);
  if (missing === 0) copyFileSync(join(keep, "result.md"), join(projectRoot, "docs/torture-result.md"));
  process.exitCode = transitions && wrong.length === 0 && missing === 0 ? 0 : 1;
}
