import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nextKeyId } from "../../components/encryption/ipsecKey.ts";
import { Capture, type Captured } from "./capture.ts";
import { secondsToWait } from "./injecting.ts";
import type { Lane } from "./matrix.ts";
import { type Around, IPSEC } from "./modes.ts";
import type { Results } from "./results.ts";
import type { Rotated } from "./rotated.ts";
import { TortureStack, type Updated } from "./stack.ts";
import { startTraffic } from "./traffic.ts";

/** In a row: the wrap from 15 to 1 is among them, whatever the first key is. */
export const ROTATIONS = 15;
const FIRST_KEY = 3;
/** Seconds that an old key stays, whatever keyRotationDuration is: agents look once a minute. */
const RECLAIM = 60;
const LANE: Lane = { routing: "tunnel", nodes: 4 };

export interface RotationOrder {
  results: Results<Rotated>;
  deadline: number | undefined;
}

/** Rotates under traffic until there are enough; goes on with a new cluster at the key where the last run ended. */
export async function runRotations({ results, deadline }: RotationOrder): Promise<void> {
  const known = results.all();
  if (known.length >= ROTATIONS) return;
  const stack = new TortureStack();
  try {
    let keyId = known.at(-1)?.to ?? FIRST_KEY;
    stack.want(IPSEC, aroundOf(keyId));
    const made = await stack.update();
    if (made.code !== 0) throw new Error(`no cluster to rotate in: ${made.output.slice(-1000)}`);
    await startTraffic(stack);
    let lastBegan = Number.NEGATIVE_INFINITY;
    for (let number = known.length + 1; number <= ROTATIONS; number++) {
      if (deadline !== undefined && Date.now() > deadline) return;
      // The Secret has changed after that, so that the old key is surely still there.
      const inFlight = performance.now() - lastBegan < 1000 * RECLAIM;
      const { began, result } = await rotate(stack, keyId, number, inFlight);
      results.add(result);
      tell(result);
      if (result.code !== 0) return;
      keyId = result.to;
      lastBegan = began;
    }
  } finally {
    stack.close();
  }
}

function aroundOf(keyId: number): Around {
  // Short, so that one can follow the other: a real one waits for five minutes.
  return { ...LANE, pace: "fast", guard: true, keyId, keyRotationDuration: "5s" };
}

async function rotate(stack: TortureStack, from: number, number: number, inFlight: boolean) {
  const to = nextKeyId(from);
  stack.want(IPSEC, aroundOf(to));
  // The last one has just ended: this one comes too early, and has to be refused with the time to wait.
  const early = secondsToWait(stack.pulumi("preview", "--non-interactive").output);
  if (early !== undefined) await sleep((early + 1) * 1000);
  const capture = await Capture.start(stack.env, "t", join(stack.home, "capture.log"));
  const counting = countKeys(stack);
  const began = performance.now();
  const updated = await stack.update();
  const keysInUse = await counting.stop();
  const captured = await capture.stop();
  const result: Rotated = {
    ...{ number, from, to, keysInUse, refusedTooEarly: inFlight ? early !== undefined : null },
    ...resultOf(updated, captured),
    at: new Date().toISOString(),
  };
  return { began, result };
}

function resultOf({ code, verdict, change, output, seconds }: Updated, { plain, spis, blind }: Captured) {
  const order = [...spis].sort(([, a], [, b]) => a.first - b.first).map(([spi]) => spi);
  return {
    ...{ code, verdict, seconds, blind, leaked: plain.length, sample: plain.slice(0, 3), spis: order },
    said: code === 0 ? "" : output.trim().slice(-600),
    watched: change
      ? {
          complete: change.complete,
          leaked: change.leaked,
          ...change.connections,
          longestGapMs: Math.max(0, ...change.pairs.each.map(({ longestGapMs }) => longestGapMs)),
        }
      : undefined,
  };
}

/** Asks the agent of one node again and again how many keys are in use; `stop` waits until they are back to what they were. */
function countKeys(stack: TortureStack): { stop: () => Promise<number[]> } {
  const seen: number[] = [];
  let on = true;
  const look = async (): Promise<void> => {
    const keys = await keysInUse(stack);
    if (keys !== undefined && keys !== seen.at(-1)) seen.push(keys);
  };
  const looking = (async () => {
    while (on) {
      await look();
      await sleep(700);
    }
  })();
  return {
    stop: async () => {
      const limit = Date.now() + 90_000;
      while (seen.at(-1) !== seen[0] && Date.now() < limit) await sleep(300);
      on = false;
      await looking;
      return seen;
    },
  };
}

/** What `cilium-dbg encrypt status` of some node says; undefined where nothing was answered. */
async function keysInUse(stack: TortureStack): Promise<number | undefined> {
  const kubeconfig = join(stack.stateDir, "clusters/t/kubeconfig");
  const ask = ["exec", "ds/cilium", "--", "cilium-dbg", "encrypt", "status", "-o", "json"];
  const child = spawn("kubectl", ["--kubeconfig", kubeconfig, "-n", "kube-system", ...ask], {
    env: stack.env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  let text = "";
  child.stdout.on("data", (data) => {
    text += data;
  });
  await new Promise((resolve) => child.on("close", resolve));
  try {
    const { ipsec } = JSON.parse(text) as { ipsec?: { "keys-in-use"?: number } };
    return ipsec?.["keys-in-use"];
  } catch {
    return undefined;
  }
}

function tell({ from, to, code, verdict, leaked, keysInUse, spis, watched, said, seconds }: Rotated): void {
  const seen = `leaked ${leaked}, keys ${keysInUse.join()}, SPIs ${spis.join()}, broken ${watched?.broken ?? "?"}`;
  console.error(`rotation ${from} -> ${to}: ${verdict}, ${seen} (${seconds.toFixed(0)} s)`);
  if (code !== 0) console.error(said);
}
