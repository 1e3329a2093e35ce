import { Provider } from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import type { Cluster } from "./cluster.ts";

/**
 * The one way to a cluster's API: its own kubeconfig, never the one in the user's shell.
 * @param after what must be there before anything that goes through it
 */
export function clusterProvider(
  name: string,
  cluster: Cluster,
  opts?: pulumi.CustomResourceOptions,
  after: readonly pulumi.Resource[] = [],
): Provider {
  const { deletedWith }: pulumi.CustomResourceOptions = cluster.lifetime;
  return new Provider(
    `${name}-kubernetes`,
    {
      kubeconfig: pulumi.secret(unlinked(cluster.kubeconfig)),
      ...(cluster.context !== undefined && { context: cluster.context }),
      // Without it any change of the kubeconfig, a renewed certificate say, replaces all that is inside (pulumi/pulumi-kubernetes#2745).
      clusterIdentifier: unlinked(cluster.incarnation),
      // Without it the provider deletes and creates a Secret whose data changes, and a rotated key must be patched in place.
      enableSecretMutable: true,
      // So is the record of the last update, which must never be missing.
      enableConfigMapMutable: true,
      // A run killed between the API's answer and the state finds its own Secret there when it is run again. In a cluster of
      // others' it may be theirs, and is refused.
      ...(deletedWith && { upsertExistingObjects: true }),
    },
    // Its identifier replaces it, in its turn; `replaceWith` would delete it in no order with what it has to delete.
    { ...opts, ...(deletedWith && { deletedWith }), dependsOn: [...(deletedWith ? [deletedWith] : []), ...after] },
  );
}

/**
 * A value that does not say which resource it comes from. Where the provider's settings depend on a cluster that is replaced,
 * engine 3.259 asks the provider what their change means, closes it on the answer (registry.go, Diff), and then cannot delete
 * what is inside the cluster. Previews delete nothing, and may hold values that never come to be.
 */
function unlinked(output: pulumi.Output<string>): pulumi.Input<string> {
  if (pulumi.runtime.isDryRun()) return output;
  return new Promise<string>((resolve) => {
    output.apply(resolve);
  });
}
