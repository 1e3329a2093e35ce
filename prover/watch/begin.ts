import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Kubernetes } from "../kubernetes.ts";
import { ProverError } from "../proverError.ts";
import { agentVersion, readCluster } from "../readBack.ts";
import type { WireState } from "./change.ts";
import { beginJournal } from "./journal.ts";
import { liveState, type WatchOrder } from "./order.ts";
import { filesOf, readWhole, type Started, writeWhole } from "./state.ts";
import { identify, isAlive, type ProcessId, updaterOf } from "./updater.ts";

const PROGRAM = join(import.meta.dirname, "background.ts");

/** Seconds for a watch to run, and for an earlier one to end. */
const PATIENCE = { begin: 120, earlier: 20 };

export interface BeginArguments {
  order: WatchOrder;
  kubeconfig: string;
  context?: string | undefined;
  folder: string;
  evidence: string;
  /** An update runs this: once its engine is gone there is nothing to watch. */
  update?: boolean | undefined;
}

/** Begins a watch and leaves it running; returns its id. That there is nothing to watch, or no way to, ends no update: it is said. */
export async function beginWatch({
  order,
  kubeconfig,
  context,
  folder,
  evidence,
  update,
}: BeginArguments): Promise<string> {
  // At once: it may be killed while this looks around.
  const updater = updaterOf();
  const id = randomBytes(4).toString("hex");
  const files = filesOf(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const api = Kubernetes.open(kubeconfig, context, order.intent.cilium.namespace);
  await endEarlier(folder, api);
  for (const file of [files.result, files.ready, files.process]) rmSync(file, { force: true });
  const looked = await lookAt(api, order);
  const { from, idle } = update && updater === null ? { ...looked, idle: "the update has ended" } : looked;
  const started: Started = {
    ...{
      id,
      order,
      from,
      kubeconfig,
      evidence,
      folder,
      idle,
      updater,
      namespace: `wirecloak-watch-${id}`,
    },
    ...(context !== undefined && { context }),
  };
  writeWhole(files.started, JSON.stringify(started));
  if (idle !== null) {
    console.error(`There is nothing to watch: ${idle}.`);
    return id;
  }
  beginJournal(folder);
  const process = await running(folder, PATIENCE.begin);
  if (process === null) console.error(`The change is not watched: see ${files.log}`);
  return id;
}

async function lookAt(
  api: Kubernetes,
  { intent }: WatchOrder,
): Promise<{ from: WireState | null; idle: string | null }> {
  try {
    // The one question that tells most, and is asked where there is nothing yet.
    const set = await api.daemonSet("cilium");
    if (set === null) return { from: null, idle: "no Cilium runs yet" };
    const seen = await readCluster(api);
    const from = liveState(seen, agentVersion(set.spec?.template.spec));
    const lone = seen.nodes.length < 2;
    if (lone) return { from, idle: "with one node nothing crosses the wire" };
    return { from, idle: intent.simulated && !(await hasWire(intent)) ? "this rehearsal has no wire" : null };
  } catch (error) {
    if (!(error instanceof ProverError)) throw error;
    return { from: null, idle: `the cluster does not answer (${error.message})` };
  }
}

/** A rehearsal for want of rights has nodes without packets. */
async function hasWire({ proof: { outside } }: WatchOrder["intent"]): Promise<boolean> {
  const [program, ...args] = outside?.command ?? [];
  if (program === undefined) return false;
  const child = spawn(program, [...args, "true"], { stdio: "ignore" });
  return new Promise((resolve) => child.on("error", () => resolve(false)).on("close", (code) => resolve(code === 0)));
}

/** Ends what an earlier update left running, and takes its pods away. */
async function endEarlier(folder: string, api: Kubernetes): Promise<void> {
  const earlier = readWhole<ProcessId>(filesOf(folder).process);
  const until = Date.now() + 1000 * PATIENCE.earlier;
  if (earlier && isAlive(earlier)) {
    console.error("An earlier update left its watch running; it is ended.");
    process.kill(earlier.pid, "SIGTERM");
    while (isAlive(earlier) && Date.now() < until) await sleep(100);
    if (isAlive(earlier)) process.kill(earlier.pid, "SIGKILL");
  }
  const started = readWhole<Started>(filesOf(folder).started);
  // One that ended in order has removed its own.
  if (earlier && started && !existsSync(filesOf(folder).result))
    await api.deleteNamespace(started.namespace).catch((error: Error) => console.error(error.message));
}

/** Starts the background process, in a session of its own; resolves when it watches. Null where it does not. */
async function running(folder: string, patience: number): Promise<ProcessId | null> {
  const files = filesOf(folder);
  const log = openSync(files.log, "w", 0o600);
  const child = spawn(process.execPath, [PROGRAM, folder], {
    detached: true,
    stdio: ["ignore", log, log],
    env: withoutPulumi(process.env),
    cwd: "/",
  });
  closeSync(log);
  let over = false;
  child.on("error", () => (over = true)).on("exit", () => (over = true));
  const id = child.pid === undefined ? null : identify(child.pid);
  if (id) writeWhole(files.process, JSON.stringify(id));
  const until = Date.now() + 1000 * patience;
  while (!existsSync(files.ready) && !over && Date.now() < until) await sleep(30);
  child.unref();
  return existsSync(files.ready) ? id : null;
}

/** A process that outlives its starter must not carry the passphrase of the stack. */
function withoutPulumi(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("PULUMI_")));
}
