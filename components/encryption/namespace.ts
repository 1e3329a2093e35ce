import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import type { Provider } from "@pulumi/kubernetes/provider.js";
import type * as pulumi from "@pulumi/pulumi";
import type { Cluster } from "../cluster/cluster.ts";
import type { Settings } from "../settings.ts";

/** Those that every cluster comes with. */
const INITIAL: readonly string[] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/**
 * Cilium's namespace, where a cluster of ours does not come with it; else empty. In a cluster of others' it has to be there (doctor/existing.ts): what we make we also
 * remove, with all that others have put into it.
 */
export function ciliumNamespace(
  name: string,
  { cilium, cluster: { provider: made } }: Settings,
  cluster: Cluster,
  provider: Provider,
  opts?: pulumi.CustomResourceOptions,
): Namespace[] {
  if (made === "existing" || INITIAL.includes(cilium.namespace)) return [];
  // Agents are privileged, which clusters may refuse by default.
  const labels = { "pod-security.kubernetes.io/enforce": "privileged" };
  const metadata = { name: cilium.namespace, labels };
  return [new Namespace(name, { metadata }, { ...opts, provider, ...cluster.lifetime })];
}
