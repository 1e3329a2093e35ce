import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster, Named } from "./cluster.ts";

/** Seconds between two looks. */
const PAUSE = 0.5;

interface Live {
  metadata?: { generation?: number; annotations?: Record<string, string> };
  spec?: { replicas?: number };
  status?: {
    observedGeneration?: number;
    desiredNumberScheduled?: number;
    updatedNumberScheduled?: number;
    numberAvailable?: number;
    updatedReplicas?: number;
    availableReplicas?: number;
    phase?: string;
    conditions?: { type: string; status: string; message?: string }[];
  };
}

/** Why an object is not ready yet, by its kind's own status; undefined where it is, or where a kind has nothing to wait for. */
export function notReady(kind: string, { metadata, spec, status = {} }: Live): string | undefined {
  const seen = (status.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
  switch (kind) {
    case "DaemonSet": {
      const { desiredNumberScheduled: wanted = 0, updatedNumberScheduled = 0, numberAvailable = 0 } = status;
      const ready = Math.min(updatedNumberScheduled, numberAvailable);
      return seen && ready >= wanted ? undefined : `${ready} of ${wanted} pods are up to date and available`;
    }
    case "Deployment":
    case "StatefulSet": {
      const wanted = spec?.replicas ?? 1;
      const ready = Math.min(status.updatedReplicas ?? 0, status.availableReplicas ?? 0);
      return seen && ready >= wanted ? undefined : `${ready} of ${wanted} pods are up to date and available`;
    }
    case "Pod": {
      const { phase = "Pending" } = status;
      const ready = status.conditions?.find(({ type }) => type === "Ready");
      return ready?.status === "True" || phase === "Succeeded"
        ? undefined
        : `it is ${phase}. ${ready?.message ?? ""}`.trim();
    }
    case "CustomResourceDefinition": {
      const established = status.conditions?.find(({ type }) => type === "Established");
      return established?.status === "True" ? undefined : "it is not established";
    }
    default:
      return undefined;
  }
}

/** Waits for an object to be ready; resolves with what is missing once the time is over. */
export async function readyWithin(
  cluster: Cluster,
  object: Named,
  seconds: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (object.metadata.annotations?.["pulumi.com/skipAwait"] === "true") return undefined;
  const own = Number(object.metadata.annotations?.["pulumi.com/timeoutSeconds"]);
  return until(own || seconds, signal, async () => {
    const live = await cluster.read(object);
    return live ? notReady(object.kind, live as Live) : "it is gone";
  });
}

/** Waits for an object to be gone. Throws once the time is over. */
export async function goneWithin(cluster: Cluster, object: Named, seconds: number, signal: AbortSignal): Promise<void> {
  const left = await until(seconds, signal, async () =>
    (await cluster.read(object)) ? "it is still there" : undefined,
  );
  if (left) throw new Error(`${object.kind} ${object.metadata.name}: ${left}`);
}

async function until(
  seconds: number,
  signal: AbortSignal,
  missing: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const end = performance.now() + 1000 * seconds;
  for (;;) {
    const left = await missing();
    if (left === undefined || performance.now() > end || signal.aborted) return left;
    await sleep(1000 * PAUSE, undefined, { signal }).catch(() => undefined);
  }
}
