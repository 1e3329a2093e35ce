import { Provider } from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import type { Cluster } from "./cluster.ts";

/** The one way to a cluster's API: its own kubeconfig, never the one in the user's shell. */
export function clusterProvider(name: string, cluster: Cluster, opts?: pulumi.CustomResourceOptions): Provider {
  return new Provider(
    `${name}-kubernetes`,
    {
      kubeconfig: pulumi.secret(cluster.kubeconfig),
      ...(cluster.context !== undefined && { context: cluster.context }),
      // Without it any change of the kubeconfig, a renewed certificate say, replaces all that is inside (pulumi/pulumi-kubernetes#2745).
      clusterIdentifier: cluster.incarnation,
      // Without it the provider deletes and creates a Secret whose data changes, and a rotated key must be patched in place.
      enableSecretMutable: true,
    },
    { ...opts, ...cluster.lifetime },
  );
}
