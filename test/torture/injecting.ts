import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nextKeyId } from "../../components/encryption/ipsecKey.ts";
import { Capture, type Captured } from "./capture.ts";
import { type Injected, injectionName, toldBy } from "./injected.ts";
import { type PlannedInjection, ROTATION } from "./injections.ts";
import type { Mode } from "./modes.ts";
import type { Results } from "./results.ts";
import { TortureStack, type Updated } from "./stack.ts";
import { startTraffic } from "./traffic.ts";
import { environmentFor, inject, mend } from "./trouble.ts";
import { walk } from "./walk.ts";

/** How long the old key is accepted: short, so that rotations can follow each other. */
const KEY_ROTATION = "5s";

export interface InjectionOrder {
  /** All of one lane. */
  plan: readonly PlannedInjection[];
  seed: number;
  results: Results<Injected>;
  deadline: number | undefined;
  /** Where what failed is kept. */
  keep: string;
}

/** A cluster, where it is and with which key. */
interface Cluster {
  stack: TortureStack;
  at: Mode;
  keyId: number;
  /** Seconds that its last update took: the machine may be fast or slow. */
  took: number;
}

/** Clusters in a row that could not be made, before a lane is given up. */
const FALSE_STARTS = 3;

/** Lets everything happen that is left of a lane's plan. */
export async function runInjections(order: InjectionOrder): Promise<void> {
  let cluster: Cluster | undefined;
  let failures = 0;
  try {
    while (failures < FALSE_STARTS && (order.deadline === undefined || Date.now() < order.deadline)) {
      const done = new Set(order.results.all().map(({ number }) => number));
      const left = order.plan.filter(({ number }) => !done.has(number));
      const next = walk(left, order.seed + left.length, cluster?.at);
      if (next === undefined || left.length === 0) return;
      const [step] = next.steps;
      if (cluster === undefined) cluster = await begin(next.start, left);
      else if (step?.edge) cluster = await runOne(order, cluster, step.edge);
      else if (step) cluster = await jump(cluster, step.to, left);
      failures = cluster === undefined ? failures + 1 : 0;
    }
  } finally {
    cluster?.stack.close();
  }
}

function around({ lane, pace }: Pick<PlannedInjection, "lane" | "pace">, keyId: number) {
  return { ...lane, pace, guard: true, keyId, keyRotationDuration: KEY_ROTATION };
}

async function begin(start: Mode, [any]: readonly PlannedInjection[]): Promise<Cluster | undefined> {
  const cluster: Cluster = { stack: new TortureStack(), at: start, keyId: 3, took: 0 };
  const there = any && (await jump(cluster, start, [any]));
  if (there) await startTraffic(cluster.stack);
  return there;
}

/** Goes to where the next injection begins; undefined where that failed, and the cluster is gone then. */
async function jump(cluster: Cluster, to: Mode, [any]: readonly PlannedInjection[]): Promise<Cluster | undefined> {
  if (any) cluster.stack.want(to, around({ lane: any.lane, pace: "fast" }, cluster.keyId));
  const { code, output, seconds } = await whenFree(cluster.stack);
  if (code === 0) return { ...cluster, at: to, took: seconds };
  console.error(`!! ${cluster.at.name} -> ${to.name} failed: ${output.slice(-1000)}`);
  cluster.stack.close();
  return undefined;
}

/** Updates; where a rotation is refused since the last one is in flight, waits as long as it is told to. */
export async function whenFree(stack: TortureStack): Promise<Updated> {
  const updated = await stack.update();
  const seconds = secondsToWait(updated.output);
  if (updated.code === 0 || seconds === undefined) return updated;
  await sleep((seconds + 1) * 1000);
  return stack.update();
}

/** How long a refused rotation tells one to wait. */
export function secondsToWait(output: string): number | undefined {
  const told = /The next rotation is free at \S+ in (\d+) s/.exec(output.replaceAll(/\s+/g, " "))?.[1];
  return told === undefined ? undefined : Number(told);
}

async function runOne(order: InjectionOrder, cluster: Cluster, plan: PlannedInjection): Promise<Cluster | undefined> {
  const { stack } = cluster;
  const began = performance.now();
  const keyId = plan.transition === ROTATION ? nextKeyId(cluster.keyId) : cluster.keyId;
  stack.want(plan.transition.to, around(plan, keyId));
  if (plan.transition === ROTATION) await freeToRotate(stack);
  const capture = await Capture.start(stack.env, "t", join(stack.home, "capture.log"));
  const after = plan.moment * cluster.took;
  const update = stack.begin(environmentFor(plan, after));
  const [first] = await Promise.all([update.ended, inject(plan, after, stack, update)]);
  mend(stack);
  stack.clear();
  const second = await stack.update();
  const captured = await capture.stop();
  const result = { ...judge(plan, after, first, second, captured), seconds: (performance.now() - began) / 1000 };
  order.results.add(result);
  tell(result);
  if (result.end !== "recovered" || result.leaked > 0) keepLogs(order.keep, result, first, second, captured);
  if (result.end === "recovered") {
    stack.clearPending();
    // An update that only repairs is shorter than one that changes.
    const took = first.code === 0 ? first.seconds : cluster.took;
    return { stack, at: plan.transition.to, keyId, took };
  }
  // A person would do now what was told; here the next one begins with a new cluster.
  stack.close();
  return undefined;
}

/** Waits until the preview of a rotation is not refused any more. */
async function freeToRotate(stack: TortureStack): Promise<void> {
  const { output } = stack.pulumi("preview", "--non-interactive");
  const seconds = secondsToWait(output);
  if (seconds !== undefined) await sleep((seconds + 1) * 1000);
}

function judge(
  plan: PlannedInjection,
  after: number,
  first: Updated,
  second: Updated,
  captured: Captured,
): Omit<Injected, "seconds"> {
  const told = toldBy(second.output);
  const recovered = second.code === 0 && second.verdict === "proven";
  const { plain, blind } = captured;
  return {
    ...{ number: plan.number, kind: plan.injection.kind, what: injectionName(plan, after) },
    ends: plan.injection.ends(plan.transition),
    ...{ wentThrough: first.code === 0, leaked: plain.length, sample: plain.slice(0, 3), blind },
    end: recovered ? "recovered" : told === undefined ? "neither" : "told",
    said: recovered ? "" : (told ?? `code ${second.code}, ${second.verdict}: ${second.output.trim().slice(-400)}`),
    at: new Date().toISOString(),
  };
}

function keepLogs(keep: string, { number }: Injected, first: Updated, second: Updated, { plain }: Captured): void {
  const folder = join(keep, "failed", String(number));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "first.log"), first.output);
  writeFileSync(join(folder, "second.log"), second.output);
  writeFileSync(join(folder, "plain.log"), plain.join("\n"));
}

function tell({ number, what, leaked, blind, end, said, wentThrough, seconds }: Injected): void {
  const sign = end === "neither" || leaked > 0 || blind !== undefined ? "!!" : "ok";
  const more = [wentThrough ? "went through" : "broke off", `leaked ${leaked}`, ...(blind ? [`blind: ${blind}`] : [])];
  console.error(`${sign} ${number} ${what}: ${more.join(", ")}, ${end} (${seconds.toFixed(0)} s)`);
  if (said) console.error(`   ${said.replaceAll("\n", "\n   ")}`);
}
