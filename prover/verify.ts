import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { allChecks, settledChecks } from "./checks/checks.ts";
import { partnersOf } from "./checks/pairs.ts";
import type { ClusterApi } from "./clusterApi.ts";
import { readGuard } from "./guard.ts";
import type { Intent } from "./intent.ts";
import { type Judgement, judge } from "./judge.ts";
import { readSettled } from "./live/read.ts";
import type { Observation } from "./observation.ts";
import { readAgents, readCluster, readCounters, readLeftovers, withCounters } from "./readBack.ts";
import { type Report, reportOf, sentences } from "./report.ts";
import type { WireObservation } from "./wire/observation.ts";
import { chosenPairs } from "./wire/pairs.ts";

export interface VerifyOptions {
  /** Seconds that a rollout in flight may still take; 0 looks once. */
  wait: number;
  /** Sends markers and captures what crosses; absent: nobody looks at the wire. */
  wire?: (cluster: Observation, seed: string) => Promise<WireObservation>;
  /** Holds the Secret against the record of the last update too; not in an update, which changes both. */
  settled?: boolean;
  /** Reads what the agents have counted too, for the report alone. */
  counters?: true;
  /** Gets a line for people each time that something else is waited for. */
  progress?: (line: string) => void;
  /** Another clock than the real one, for tests. */
  clock?: Clock;
}

export interface Verification {
  report: Report;
  observation: Observation;
}

/** Longest pause between two looks, in seconds. */
const LONGEST_PAUSE = 5;

/** How many things waited for a progress line names. */
const AWAITED = 3;

/** Time as the waiting sees it, in seconds. */
export interface Clock {
  now(): number;
  sleep(seconds: number): Promise<void>;
}

const realClock: Clock = {
  now: () => performance.now() / 1000,
  sleep: (seconds) => sleep(1000 * seconds),
};

/** Reads the cluster back, looks at its wire, and judges it; looks again while all that is wrong may pass by itself. */
export async function verify(intent: Intent, api: ClusterApi, options: VerifyOptions): Promise<Verification> {
  const { wire, counters, progress, clock = realClock } = options;
  const start = clock.now();
  let observation = await withGuard(intent, await settled(intent, api, options, clock));
  if (wire && isWorthWatching(intent, observation)) {
    observation = await watched(intent, api, observation, wire);
    const isProbed = observation.wire?.probes.some(({ silent }) => silent === null) ?? false;
    if (isProbed && mayPass(judge(intent, observation, allChecks))) {
      progress?.("looking at the wire once more, since what is wrong may have passed");
      observation = await watched(intent, api, await readAgents(api, await readCluster(api)), wire);
    }
  }
  if (options.settled) observation = { ...observation, settled: await readSettled(api) };
  const judgement = judge(intent, observation, allChecks);
  if (counters) observation = await counted(intent, api, observation);
  const cost = { requests: api.requests, seconds: clock.now() - start };
  return { report: reportOf(intent, observation, judgement, cost), observation };
}

/** The cluster as it says that it is, once a rollout in flight is over or the time for it. */
async function settled(
  intent: Intent,
  api: ClusterApi,
  { wait, progress }: VerifyOptions,
  clock: Clock,
): Promise<Observation> {
  const start = clock.now();
  const elapsed = (): number => clock.now() - start;
  let told = "";
  for (let pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    const began = elapsed();
    const last = began + pause > wait;
    const { observation, judgement } = await look(intent, api, last);
    if (last || !mayPass(judgement)) return observation;
    const awaited = awaitedIn(judgement);
    if (awaited !== told) progress?.(`waiting for up to ${Math.ceil(wait - elapsed())} s: ${awaited}`);
    told = awaited;
    // A look that takes long, as at a thousand nodes, is not repeated at once.
    await clock.sleep(Math.max(pause, elapsed() - began));
  }
}

/** A rollout that failed has said enough. */
function isWorthWatching(intent: Intent, seen: Observation): boolean {
  const { findings } = judge(intent, seen, settledChecks);
  return !findings.some(({ effect }) => effect === "contradicts");
}

/** The same cluster with what was seen on its wire, and the agents' counters from before and after. */
async function watched(
  intent: Intent,
  api: ClusterApi,
  cluster: Observation,
  wire: NonNullable<VerifyOptions["wire"]>,
): Promise<Observation> {
  const seed = randomUUID();
  const names = cluster.nodes.map(({ name }) => name);
  const partners = partnersOf(chosenPairs(names, intent.proof.pairs, seed).tested);
  const before = await readCounters(api, cluster, intent.encryption, partners);
  const guarded = cluster.guard ? cluster : await withGuard(intent, cluster);
  const seen = await wire(cluster, seed);
  const after = await readCounters(api, cluster, intent.encryption, partners);
  const counted = withCounters(await withGuard(intent, cluster, guarded.guard), before, after);
  return { ...counted, leftovers: await readLeftovers(api, intent, cluster), wire: seen };
}

/** The same cluster with its guard as it is now; `earlier` is as it was before. */
async function withGuard(intent: Intent, cluster: Observation, earlier?: Observation["guard"]): Promise<Observation> {
  if (!intent.guard) return cluster;
  const after = await readGuard(intent.guard);
  return { ...cluster, guard: { before: earlier?.after ?? after, after } };
}

/** The same cluster with what its agents have counted so far. */
async function counted(intent: Intent, api: ClusterApi, cluster: Observation): Promise<Observation> {
  const names = cluster.nodes.map(({ name }) => name);
  const now = await readCounters(api, cluster, intent.encryption, new Map(names.map((name) => [name, new Set(names)])));
  return withCounters(cluster, now, now);
}

/** One look. Unless it is the last one, agents in the middle of a rollout are left in peace. */
async function look(
  intent: Intent,
  api: ClusterApi,
  last: boolean,
): Promise<{ observation: Observation; judgement: Judgement }> {
  const cluster = await readCluster(api);
  const first = judge(intent, cluster, settledChecks);
  if (!last && mayPass(first)) return { observation: cluster, judgement: first };
  const observation = await readAgents(api, cluster);
  return { observation, judgement: judge(intent, observation, allChecks) };
}

/** Something is off that a rollout may still mend, and nothing that it cannot. */
function mayPass({ findings }: Judgement): boolean {
  return (
    findings.some((finding) => finding.passing) &&
    !findings.some((finding) => finding.effect === "contradicts" && !finding.passing)
  );
}

function awaitedIn({ findings }: Judgement): string {
  const awaited = sentences(
    findings.filter((finding) => finding.passing).map((finding) => ({ ...finding, fix: null })),
  );
  const more = awaited.length > AWAITED ? [`${awaited.length - AWAITED} more`] : [];
  return [...awaited.slice(0, AWAITED), ...more].join("; ");
}
