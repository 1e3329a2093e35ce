import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LiveFacts } from "../../prover/live/facts.ts";
import type { RulesSeen } from "../../prover/observation.ts";
import { runCommand } from "../../tools/command.ts";
import { readNote, writeSecret } from "../../tools/files.ts";
import { clusterFiles, stateDir } from "../../tools/paths.ts";
import { findEks } from "../cluster/eksFound.ts";
import { eksKubeconfig } from "../cluster/eksKubeconfig.ts";
import { guardPlaceOf, isBridge } from "../cluster/guardPlace.ts";
import { kubeconfigPlace } from "../cluster/place.ts";
import { type Form, formsSent } from "../encryption/guard/forms.ts";
import type { ShowOrder } from "../encryption/guard/order.ts";
import { tableOf } from "../encryption/guard/table.ts";
import type { Settings } from "../settings.ts";

export type { ChangedBy, LiveFacts, LiveNode, LiveSecret } from "../../prover/live/facts.ts";
export type { Repairs, SettledRecord } from "../../prover/live/record.ts";

/** A cluster as it is when the program starts, before any resource. */
export interface Live extends Omit<LiveFacts, "admission"> {
  /** What the admission policies let through; null where they have no parameter, undefined where nobody asked. */
  admission: LiveFacts["admission"] | undefined;
  /** The guard in force, whether or not the settings want one; null where there is none, undefined where it could not be asked. */
  guard: LiveGuard | null | undefined;
}

/** The guard in force, as its program shows it. */
export interface LiveGuard {
  generation: string;
  forms: Form[];
  /** Of its rules without its counters; absent where its program tells none. */
  digest?: string;
  /** Of a guard that a cloud carries. */
  rules?: RulesSeen;
}

/** There is a kubeconfig, but its cluster does not answer. */
export interface Unreachable {
  unreachable: string;
  at: string;
}

/** Where a live cluster is read from, and what is asked of it. */
export interface LivePlace {
  kubeconfig: string;
  context?: string;
  namespace: string;
  /** Undefined: nobody asks for a guard. */
  guard?: Pick<ShowOrder, "table" | "place">;
  /** Whether anybody asks what the admission policies let through. */
  admission: boolean;
}

/** Milliseconds for an answer: a thousand nodes are listed in a few seconds. */
export const TIMEOUT = 20_000;

const PROVER = join(import.meta.dirname, "../../prover/main.ts");
const GUARD = join(import.meta.dirname, "../encryption/guard/main.ts");

/** Reads the live cluster of these settings, without a change to it; undefined where there is none yet. Rejects with a UserError where a cloud does not say. */
export async function readLive(
  settings: Settings,
  look: (place: LivePlace) => Promise<Live | Unreachable> = lookAt,
  find: typeof findEks = findEks,
): Promise<Live | Unreachable | undefined> {
  // What the settings have just turned off is still there.
  const place = livePlace({ ...settings, guard: true, admission: true });
  if (isHalfMade(settings) || !(await hasKubeconfig(settings, find))) return undefined;
  return look(place);
}

/** Whether there is a kubeconfig by now. A cluster in a cloud may have been made from another machine: without its file a change would pass for a beginning. */
export async function hasKubeconfig({ cluster }: Settings, find: typeof findEks = findEks): Promise<boolean> {
  const { kubeconfig } = kubeconfigPlace(cluster);
  if (existsSync(kubeconfig)) return true;
  const target = cluster.provider === "eks" ? await find(cluster) : undefined;
  if (target === undefined) return false;
  writeSecret(kubeconfig, eksKubeconfig(target));
  return true;
}

/** Whether a cluster was read. */
export function isLive(live: Live | Unreachable | undefined): live is Live {
  return live !== undefined && !("unreachable" in live);
}

/** Where the cluster of these settings is, known before there is any resource. */
export function livePlace(settings: Settings): LivePlace {
  const place = settings.guard ? guardPlaceOf(settings) : undefined;
  return {
    ...kubeconfigPlace(settings.cluster),
    namespace: settings.cilium.namespace,
    admission: settings.admission,
    ...(place && { guard: { table: tableOf(settings.cluster.name), place } }),
  };
}

/** A cluster whose making was cut short is made anew. */
function isHalfMade({ cluster }: Settings): boolean {
  if (cluster.provider === "existing") return false;
  return readNote<{ made: boolean }>(clusterFiles(stateDir(), cluster.name).record)?.made === false;
}

/** How a cluster and its guard are asked. */
export interface Asking {
  /** What the cluster's API shows of it. */
  cluster(place: LivePlace): Promise<LiveFacts | Unreachable>;
  /** The guard in force; undefined where it could not be asked. */
  guard(order: ShowOrder): Promise<LiveGuard | null | undefined>;
}

/** Asks by programs, so that the asking one loads neither a Kubernetes client nor a cloud's SDK. */
export const byPrograms: Asking = {
  async cluster({ kubeconfig, context, namespace }) {
    const named = context === undefined ? [] : ["--context", context];
    const args = ["live", "--kubeconfig", kubeconfig, "--namespace", namespace, ...named];
    const { code, stdout, stderr, failure } = await program(PROVER, args);
    return code === 0 ? (JSON.parse(stdout) as LiveFacts) : unreachable(stderr.trim() || failure);
  },
  async guard(order) {
    const { code, stdout } = await program(GUARD, ["show"], JSON.stringify(order));
    return code === 0 ? (JSON.parse(stdout) as LiveGuard | null) : undefined;
  },
};

/** Of a cluster that has not answered just now, and why. */
export function unreachable(why = "no answer"): Unreachable {
  return { unreachable: why, at: new Date().toISOString() };
}

/** Reads a live cluster and its guard. */
export async function lookAt(place: LivePlace, asking: Asking = byPrograms): Promise<Live | Unreachable> {
  const { guard, admission } = place;
  const [facts, onBridge] = await Promise.all([
    asking.cluster(place),
    guard && isBridge(guard.place) ? asking.guard(guard) : undefined,
  ]);
  if ("unreachable" in facts) return facts;
  // A cloud's rules are held against what the cluster sends now, whatever the settings have it send next.
  const shown = guard && !isBridge(guard.place) ? await asking.guard({ ...guard, forms: formsSent(facts) }) : onBridge;
  // A guard that cannot be asked is the update's to set, not this reading's to fail on.
  return { ...facts, admission: admission ? facts.admission : undefined, guard: shown };
}

function program(path: string, args: string[], input = "") {
  return runCommand(process.execPath, [path, ...args], {
    cwd: import.meta.dirname,
    env: process.env,
    timeoutMs: TIMEOUT,
    input,
  });
}
