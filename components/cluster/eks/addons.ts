import { Addon } from "@pulumi/aws/eks/addon.js";
import type { Cluster } from "@pulumi/aws/eks/cluster.js";
import type * as pulumi from "@pulumi/pulumi";
import type { EksSettings, Settings } from "../../settings.ts";
import { managedPolicy } from "./policyDocuments.ts";
import type { ServiceAccountRoleArgs } from "./serviceAccountRole.ts";

/** Else pods may get addresses in other subnets that bear a tag of Amazon's CNI (its version 1.18), where the guard takes them for the world's. */
const NODE_SUBNETS_ONLY = { env: { ENABLE_SUBNET_DISCOVERY: "false" } };

/** Makes a role that one service account may take; returns its ARN. */
export type RoleFor = (
  account: string,
  namespace: string,
  rights: ServiceAccountRoleArgs["rights"],
) => pulumi.Output<string>;

export interface AddonsArgs {
  /** First part of their logical names. */
  name: string;
  made: Cluster;
  /** Parent and provider. */
  opts: pulumi.CustomResourceOptions;
}

/** What runs in the nodes' own network, so that it needs no CNI, and Cilium needs it. */
export function addonsBeforeCilium(
  args: AddonsArgs,
  { cilium }: Settings,
  { network, region }: EksSettings,
  roleFor: RoleFor,
): Addon[] {
  const proxy = cilium.kubeProxyReplacement ? [] : [addon(args, "kube-proxy")];
  if (network !== "chaining") return proxy;
  const managed = managedPolicy(region, "AmazonEKS_CNI_Policy");
  const cni = {
    serviceAccountRoleArn: roleFor("aws-node", "kube-system", { managed }),
    configurationValues: JSON.stringify(NODE_SUBNETS_ONLY),
  };
  return [...proxy, addon(args, "vpc-cni", cni)];
}

/** DNS, which needs a node with a CNI to run on. */
export function addonsAfterNodes(args: AddonsArgs, nodes: pulumi.Resource[]): Addon[] {
  return [addon(args, "coredns", {}, nodes)];
}

function addon({ name, made, opts }: AddonsArgs, addonName: string, more = {}, dependsOn: pulumi.Resource[] = []) {
  return new Addon(
    `${name}-${addonName}`,
    {
      addonName,
      clusterName: made.name,
      resolveConflictsOnCreate: "OVERWRITE",
      resolveConflictsOnUpdate: "OVERWRITE",
      ...more,
    },
    { ...opts, dependsOn, deletedWith: made },
  );
}
