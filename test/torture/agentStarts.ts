import type { EngineStack } from "../engine/engineStack.ts";
import type { Transition } from "./matrix.ts";

/** When the agents of a rehearsal started that run now, in seconds since 1970: their logs tell it to the millisecond, the API in whole seconds. */
export function agentStarts(stack: EngineStack): number[] {
  const { output } = stack.kubectl("-n", "kube-system", "logs", "-l", "k8s-app=cilium", "--tail=-1", "--prefix");
  return startsIn(output);
}

/** The last start of each pod. */
export function startsIn(logs: string): number[] {
  const starts = new Map<string, number>();
  for (const line of logs.split("\n")) {
    const [, pod = "", time = ""] = /^\[(\S+?)[ \]].*?time=(\S+) .*the rehearsal's agent runs/.exec(line) ?? [];
    if (pod) starts.set(pod, Date.parse(time) / 1000);
  }
  return [...starts.values()];
}

/**
 * How many of the readable packets crossed while some node was meant to encrypt: all where both ends of the change encrypt; from none since the first agent has started anew, to none
 * until the last one has. An agent starts before it changes what its node sends, so to none none of them is counted too many.
 * @param plain packets, each with its time in seconds since 1970 at its begin
 * @param starts of the agents that run after the change
 */
export function whileEncrypting(plain: readonly string[], starts: readonly number[], { from, to }: Transition): number {
  if (starts.length === 0) return 0;
  const since = from.encryption === "none" ? Math.min(...starts) + APPLIED : 0;
  const until = to.encryption === "none" ? Math.max(...starts) : Number.POSITIVE_INFINITY;
  return plain.filter((line) => {
    const time = Number.parseFloat(line);
    return time > since && time < until;
  }).length;
}

/** Seconds within which an agent that has started sends as its mode says. */
const APPLIED = 0.1;
