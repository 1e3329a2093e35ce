// node background.ts FOLDER   watches a change, as begin.ts has written it down there; ends by itself. Its output is the watch's log.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as timer } from "node:timers/promises";
import { Kubernetes } from "../kubernetes.ts";
import { type Ending, endWatch, WatchRun } from "./run.ts";
import { filesOf, type Started, writeWhole } from "./state.ts";
import { isAlive } from "./updater.ts";

/** Milliseconds between two looks at whether it is to end. */
const BEAT = 100;

/** Milliseconds between two looks at the agents, at the least. */
const SOON = 300;

/** Milliseconds that a watch lasts at the most. */
const LONGEST = 3_600_000;

const folder = process.argv[2] ?? "";
const files = filesOf(folder);
const started = JSON.parse(readFileSync(files.started, "utf8")) as Started;
const { id, order, updater } = started;
const say = (line: string): void => console.error(`${new Date().toISOString()} ${line}`);

let told: NodeJS.Signals | undefined;
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => (told = signal));

const api = Kubernetes.open(started.kubeconfig, started.context, order.intent.cilium.namespace);
const run = new WatchRun(api, started, say);
let ending: Ending = { why: null };
try {
  await run.begin();
  writeWhole(files.ready, id);
  ending = await untilEnd();
} catch (error) {
  ending = { why: `the watch failed: ${(error as Error).message}` };
  say((error as Error).stack ?? ending.why ?? "");
}
await endWatch(run, ending, started, say);
process.exit(0);

async function untilEnd(): Promise<Ending> {
  const limit = Date.now() + LONGEST;
  let looking: Promise<void> | undefined;
  let lookAgain = 0;
  for (let beat = 0; ; beat++) {
    if (existsSync(join(folder, `end-${id}`))) return { why: null };
    if (told) return { why: `the watch was ended by ${told}` };
    if (updater && beat % 5 === 0 && !isAlive(updater)) return { why: "the update ended before the watch was told to" };
    if (Date.now() > limit) return { why: "the watch reached its longest time, an hour" };
    if (!looking && Date.now() >= lookAgain) {
      const began = Date.now();
      looking = run.look().finally(() => {
        looking = undefined;
        // A large cluster is not asked all the time.
        lookAgain = Math.max(began + SOON, Date.now() + 2 * (Date.now() - began));
      });
    }
    await timer(BEAT);
  }
}
