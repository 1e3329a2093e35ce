import { clusterFiles, stateDir } from "../../tools/paths.ts";
import type { ClusterSettings } from "../settings.ts";

/** Where a cluster's kubeconfig is, by convention or by setting; known before there is any resource, and whether or not the file is there. */
export function kubeconfigPlace(
  cluster: ClusterSettings,
  state: string = stateDir(),
): { kubeconfig: string; context?: string } {
  if (cluster.provider !== "existing") return { kubeconfig: clusterFiles(state, cluster.name).kubeconfig };
  const { kubeconfig, context } = cluster;
  return { kubeconfig, ...(context !== undefined && { context }) };
}
