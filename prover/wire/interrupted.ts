import { ProverError } from "../proverError.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Does work that must clean up after itself: a signal that would end this process aborts the work, and ends the process only when
 * the work is through.
 */
export async function endingCleanly<T>(
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  let by: NodeJS.Signals | undefined;
  const heed = (name: NodeJS.Signals): void => {
    by = name;
    stop.abort(new ProverError("unanswered", `the proof was interrupted by ${name}; its probe pods are removed`));
  };
  for (const name of SIGNALS) process.on(name, heed);
  try {
    return await work(outer ? AbortSignal.any([outer, stop.signal]) : stop.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, heed);
    if (by) process.kill(process.pid, by);
  }
}
