import { setTimeout as sleep } from "node:timers/promises";
import type { KeyState } from "../prover/keys.ts";

/** The IPsec keys of one node. */
export interface KeysSeen {
  node: string;
  keysInUse: number | null;
  keys: KeyState | null;
}

/** Seconds past the time at which agents should have dropped the old key; they look once a minute, each by its own clock. */
const GRACE = 120;
const PAUSE = 5;

/** The clock that is waited by; tests give their own. */
export interface Clock {
  now(): number;
  sleep(seconds: number): Promise<void>;
}

const realClock: Clock = { now: () => Date.now(), sleep: (seconds) => sleep(1000 * seconds) };

/**
 * Waits until no node has the old key any more, and tells how the keys in use doubled and halved.
 * @param gone when that should be
 * @param how `proof`: what the proof of the rotation saw, which comes before any look from here
 */
export async function oldKeyGone(
  look: () => Promise<KeysSeen[]>,
  gone: Date,
  { proof = [], clock = realClock }: { proof?: KeysSeen[]; clock?: Clock } = {},
): Promise<{ met: boolean; told: string }> {
  const start = clock.now();
  const most = new Map(proof.map(({ node, keysInUse }) => [node, keysInUse ?? 0]));
  let doubled = proof.filter(({ keys }) => keys === "old and new").length;
  for (;;) {
    const seen = await look();
    for (const { node, keysInUse } of seen) most.set(node, Math.max(most.get(node) ?? 0, keysInUse ?? 0));
    doubled = Math.max(doubled, seen.filter(({ keys }) => keys === "old and new").length);
    const seconds = Math.round((clock.now() - start) / 1000);
    const late = seen
      .filter(({ keys }) => keys !== "new only")
      .map(({ node, keysInUse }) => `${node} (${keysInUse ?? "no answer"})`);
    if (late.length === 0) {
      const then = `${range(seen.map(({ node }) => most.get(node) ?? 0))} keys in use a node, now ${range(seen.map(({ keysInUse }) => keysInUse ?? 0))}`;
      const coexisted = `${doubled} of ${seen.length} nodes were seen with the old key and the new`;
      return { met: true, told: `${coexisted}: ${then}, after ${seconds} s` };
    }
    if (clock.now() > gone.getTime() + 1000 * GRACE) {
      return {
        met: false,
        told: `after ${seconds} s these nodes still have other keys than the new one: ${late.join(", ")}`,
      };
    }
    await clock.sleep(PAUSE);
  }
}

function range(numbers: number[]): string {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return least === most ? `${least}` : `${least} to ${most}`;
}
