import type { V1Pod } from "@kubernetes/client-node";
import { type ProbeApi, RefusedError } from "../clusterApi.ts";

/** Seconds between two tries. */
const AGAIN = 0.3;

/**
 * Makes a pod in a namespace that is new, whose service account is made only after a moment: by the controller manager, which after a restart of the API server looks
 * for it again after up to half a minute, and where it runs with others takes its lease back first. Throws as `createPod` does, this refusal too once `until` is over.
 * @param until on the clock of performance.now
 */
export async function createPod(
  api: ProbeApi,
  namespace: string,
  pod: V1Pod,
  { until, sleep }: { until: number; sleep: (seconds: number) => Promise<void> },
): Promise<void> {
  for (;;) {
    try {
      return await api.createPod(namespace, pod);
    } catch (error) {
      const early = error instanceof RefusedError && /serviceaccount/i.test(error.message);
      if (!early || performance.now() >= until) throw error;
      await sleep(AGAIN);
    }
  }
}
