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
 * How many of the readable packets a guard would have held back that only Cilium's own change let through: all where both ends of the change encrypt; from none those since the first agent has
 * started anew; to none those until the agents agree, when the guard would open.
 * @param plain packets, each with its time in seconds since 1970 at its begin
 * @param starts of the agents that run after the change
 * @param agreed when all agents agreed, in seconds since 1970; undefined where nobody noted it
 */
export function heldBack(
  plain: readonly string[],
  { from, to }: Transition,
  starts: readonly number[],
  agreed: number | undefined,
): number {
  if (starts.length === 0) return 0;
  const since = from.encryption === "none" ? Math.min(...starts) + APPLIED : 0;
  const until = to.encryption === "none" ? (agreed ?? Math.max(...starts)) : Number.POSITIVE_INFINITY;
  return plain.filter((line) => {
    const time = Number.parseFloat(line);
    return time > since && time < until;
  }).length;
}

/** Seconds within which an agent that has started sends as its mode says. */
const APPLIED = 0.1;
