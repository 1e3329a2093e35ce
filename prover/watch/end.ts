import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Change } from "./change.ts";
import { stateText } from "./order.ts";
import { filesOf, readWhole, type Started } from "./state.ts";
import { isAlive, type ProcessId } from "./updater.ts";

/** Seconds for a watch to end: its own patience, and some. */
const PATIENCE = 120;

/** Ends the watch of this id; null where nothing was watched. */
export async function endOf(folder: string, id: string): Promise<Change | null> {
  const files = filesOf(folder);
  const started = readWhole<Started>(files.started);
  if (started?.id !== id || started.idle !== null) return null;
  const background = readWhole<ProcessId>(files.process);
  writeFileSync(join(folder, `end-${id}`), "", { mode: 0o600 });
  const until = Date.now() + 1000 * PATIENCE;
  while (!existsSync(files.result) && background && isAlive(background) && Date.now() < until) await sleep(50);
  return readWhole<Change>(files.result) ?? null;
}

/** What the last watch of this folder saw; null where it has not ended, or there was none. */
export function lastChange(folder: string): Change | null {
  return readWhole<Change>(filesOf(folder).result) ?? null;
}

/** Whether an update must fail for what its watch saw. */
export function isLeak({ from, to, guard, leaked }: Change): boolean {
  return guard && from?.encryption !== "none" && to.encryption !== "none" && leaked > 0;
}

/** A change in a line. */
export function changeText(change: Change): string {
  const { from, to, leaked, gapMs, connections, complete, why, plaintextWhileEncrypting, guard } = change;
  const gap = gapMs ? `gap p50/p99/max ${[gapMs.p50, gapMs.p99, gapMs.max].map(duration).join("/")}` : "no streams";
  const readable = guard ? `${leaked} leaked` : `${plaintextWhileEncrypting} readable packets (no guard)`;
  const kept = `${connections.kept} of ${connections.kept + connections.broken} connections kept`;
  const names = [from ? stateText(from) : "unknown", stateText(to)];
  const modes = names[0] === names[1] ? `change within ${names[0]}` : `change ${names.join(" -> ")}`;
  return `${modes}: ${readable}, ${gap}, ${kept}${complete ? "" : `; not watched in full: ${why}`}`;
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
