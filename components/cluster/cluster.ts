import type * as pulumi from "@pulumi/pulumi";
import type { OutsideVantage } from "../../prover/intent.ts";
import type { Settings } from "../settings.ts";
import { loadCloud } from "./cloud.ts";
import { ExistingCluster } from "./existing.ts";
import type { GuardPlace } from "./guardPlace.ts";
import { KindCluster } from "./kind.ts";
import { RehearsalCluster } from "./rehearsal.ts";

/** A Kubernetes cluster without a CNI, or (`existing`) one that is there already. Its nodes are not Ready before Cilium runs. */
export interface Cluster {
  readonly name: string;
  /** Contents of a kubeconfig that reaches it. Secret. */
  readonly kubeconfig: pulumi.Output<string>;
  /** A file with that kubeconfig. Known once all nodes have joined, where they come with the cluster: what needs every node waits by using it. */
  readonly kubeconfigPath: pulumi.Output<string>;
  /** Absent: the kubeconfig's current context. */
  readonly context?: string;
  /** The API server as the nodes reach it, for agents that must do without kube-proxy. */
  readonly apiServer: { readonly host: pulumi.Input<string>; readonly port: pulumi.Input<number> };
  /** A new one for each newly made cluster, so that nothing is taken for the contents of an earlier one of the same name. */
  readonly incarnation: pulumi.Output<string>;
  /** Options for every resource inside the cluster. */
  readonly lifetime: Lifetime;
  /** Path on each node of a file that holds the node's own boot id, where the kernel's is shared (kind). */
  readonly bootIdFile?: string;
  /** How many nodes it must have, control plane included. Absent where others decide that. */
  readonly nodes?: number;
  /** A place between the nodes where their packets can be captured; `image` has tcpdump. Absent where there is none. */
  outside?(image: string): OutsideVantage;
  /** Where packets between the nodes are dropped. Absent where there is no such place. */
  readonly guardPlace?: GuardPlace;
  /** The guard's own rules, where the cloud carries them: to be there before Cilium starts or changes. */
  readonly guarded?: readonly pulumi.Resource[];
  /** What a guard that the cloud carries cannot tell apart, and what it closes besides, as sentences for the evidence. */
  readonly guardLimits?: readonly string[];
  /** Ids of the subnets in which Cilium's operator may make network interfaces, where it does. */
  readonly nodeSubnets?: readonly pulumi.Input<string>[];
  /** ARN of the AWS role by which Cilium's operator gives nodes network interfaces, where it does. */
  readonly operatorRole?: pulumi.Input<string>;
  /**
   * Makes the nodes, once Cilium is installed: who makes nodes in a cloud waits until they are Ready, and without Cilium they never are. Returns what to
   * wait for. Absent: the nodes come with the cluster.
   */
  nodesAfter?(cilium: pulumi.Resource): readonly pulumi.Resource[];
  /** True where nodes and agents only stand in for real ones. */
  readonly simulated: boolean;
}

/**
 * Ties what is inside a cluster to the cluster: replaced with it, not deleted one by one when all of it goes.
 * Empty for a cluster that is not ours to delete: there every resource is deleted on its own.
 */
export type Lifetime = OwnLifetime | Record<never, never>;

/** Of a cluster that is ours. */
export type OwnLifetime = Required<Pick<pulumi.CustomResourceOptions, "deletedWith" | "replaceWith">>;

/** Makes the cluster that the settings ask for, or finds it. */
export function createCluster(name: string, settings: Settings, opts?: pulumi.ComponentResourceOptions): Cluster {
  const { cluster, cilium } = settings;
  switch (cluster.provider) {
    case "kind":
      return new KindCluster(name, { cluster, kubeProxyReplacement: cilium.kubeProxyReplacement }, opts);
    case "existing":
      return new ExistingCluster(name, { cluster }, opts);
    case "rehearsal":
      return new RehearsalCluster(name, { cluster }, opts);
    case "eks":
      return loadCloud(cluster.provider).createCluster(name, settings, opts);
  }
}
