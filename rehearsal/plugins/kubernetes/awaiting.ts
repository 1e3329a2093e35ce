import { setTimeout as sleep } from "node:timers/promises";
import { RequestError } from "../plugin/provider.ts";
import { isMap, type PropertyMap, type Value } from "../plugin/values.ts";
import { annotation, type Cluster, fullName, type Named } from "./cluster.ts";

/** Milliseconds between two looks. */
const pause = 500;

/** The parts of live objects that tell whether they are ready. */
interface Live {
  readonly metadata?: { readonly generation?: number };
  readonly spec?: { readonly replicas?: number; readonly completions?: number; readonly type?: string };
  readonly status?: Status;
}

interface Status {
  readonly observedGeneration?: number;
  readonly desiredNumberScheduled?: number;
  readonly updatedNumberScheduled?: number;
  readonly numberAvailable?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly availableReplicas?: number;
  readonly succeeded?: number;
  readonly phase?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  readonly loadBalancer?: { readonly ingress?: readonly unknown[] };
}

type Rule = (live: Live, status: Status) => string | undefined;

/** What is missing for an object to be ready, by kind; `undefined` when nothing is. Other kinds are ready at once. */
const rules: Readonly<Record<string, Rule>> = {
  "apps/v1 DaemonSet": (live, { desiredNumberScheduled: wanted = 0, updatedNumberScheduled, numberAvailable }) =>
    isObserved(live) ? podsMissing(wanted, updatedNumberScheduled, numberAvailable) : "it is not looked at yet",
  "apps/v1 Deployment": (live, status) =>
    failedCondition(status, "Progressing") ?? (isObserved(live) ? replicasMissing(live) : "it is not looked at yet"),
  "apps/v1 StatefulSet": (live) => (isObserved(live) ? replicasMissing(live) : "it is not looked at yet"),
  "batch/v1 Job": (_, status) =>
    holds(status, "Complete") ? undefined : (trueCondition(status, "Failed") ?? "it is not complete"),
  "v1 Pod": (_, status) =>
    holds(status, "Ready") || status.phase === "Succeeded"
      ? undefined
      : `it is ${status.phase ?? "Pending"}. ${conditionOf(status, "Ready")?.message ?? ""}`.trim(),
  "v1 Namespace": (_, { phase }) => (phase === "Active" ? undefined : `it is ${phase ?? "new"}`),
  "v1 Service": ({ spec }, { loadBalancer }) =>
    spec?.type === "LoadBalancer" && !loadBalancer?.ingress?.length ? "it has no address yet" : undefined,
  "apiextensions.k8s.io/v1 CustomResourceDefinition": (_, status) =>
    holds(status, "Established") ? undefined : "it is not established",
};

/** What is missing for a live object to be ready, in words; `undefined` when nothing is. */
export function notReady(object: PropertyMap): string | undefined {
  const live = object as unknown as Live;
  return rules[kindOf(object)]?.(live, live.status ?? {});
}

/** Whether an apply of this object waits for it. */
export function isAwaited(object: PropertyMap): boolean {
  return annotation(object, "pulumi.com/skipAwait") !== "true" && rules[kindOf(object)] !== undefined;
}

/** Waits for an object to be ready; resolves to what is missing if it is not in time. */
export async function readyWithin(
  cluster: Cluster,
  object: Named,
  seconds: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const own = Number(annotation(object, "pulumi.com/timeoutSeconds"));
  return until(own || seconds, signal, async () => {
    const live = await cluster.read(object);
    return live === undefined ? "it is gone" : notReady(live);
  });
}

/**
 * Waits for an object to be gone, or another one of its name to be there. Throws if it is not in time.
 * @param uid what tells it from others of its name, if known.
 */
export async function goneWithin(
  cluster: Cluster,
  object: Named,
  uid: Value | undefined,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const left = await until(seconds, signal, async () => {
    const live = await cluster.read(object);
    if (live === undefined || (uid !== undefined && uidOf(live) !== uid)) {
      return undefined;
    }
    const finalizers = isMap(live.metadata) ? live.metadata.finalizers : undefined;
    return Array.isArray(finalizers) && finalizers.length > 0
      ? `it waits for its finalizers ${finalizers.join(", ")}`
      : "it is still there";
  });
  if (left !== undefined) {
    throw new RequestError(`${object.kind} ${fullName(object)} was not deleted in ${seconds} s: ${left}`);
  }
}

async function until(
  seconds: number,
  signal: AbortSignal,
  missing: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const end = performance.now() + 1000 * seconds;
  for (;;) {
    const left = await missing();
    if (left === undefined || performance.now() > end) {
      return left;
    }
    if (signal.aborted) {
      return `${left}; interrupted`;
    }
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
}

function kindOf({ apiVersion, kind }: PropertyMap): string {
  return `${String(apiVersion)} ${String(kind)}`;
}

function uidOf({ metadata }: PropertyMap): Value | undefined {
  return isMap(metadata) ? metadata.uid : undefined;
}

function isObserved({ metadata, status }: Live): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
}

function replicasMissing({ spec, status = {} }: Live): string | undefined {
  const wanted = spec?.replicas ?? 1;
  const old = (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    podsMissing(wanted, status.updatedReplicas, status.availableReplicas) ??
    (old > 0 ? `${old} old pods are still there` : undefined)
  );
}

function podsMissing(wanted: number, updated = 0, available = 0): string | undefined {
  const ready = Math.min(updated, available);
  return ready >= wanted ? undefined : `${ready} of ${wanted} pods are up to date and available`;
}

function conditionOf({ conditions }: Status, type: string) {
  return conditions?.find((condition) => condition.type === type);
}

function holds(status: Status, type: string): boolean {
  return conditionOf(status, type)?.status === "True";
}

function trueCondition(status: Status, type: string): string | undefined {
  return holds(status, type) ? `it failed: ${conditionOf(status, type)?.message ?? type}` : undefined;
}

function failedCondition(status: Status, type: string): string | undefined {
  const condition = conditionOf(status, type);
  return condition?.status === "False" ? `it is stuck: ${condition.message ?? type}` : undefined;
}
