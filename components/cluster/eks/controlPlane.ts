import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup.js";
import { AccessEntry } from "@pulumi/aws/eks/accessEntry.js";
import { AccessPolicyAssociation } from "@pulumi/aws/eks/accessPolicyAssociation.js";
import { Cluster } from "@pulumi/aws/eks/cluster.js";
import { OpenIdConnectProvider } from "@pulumi/aws/iam/openIdConnectProvider.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import { Key } from "@pulumi/aws/kms/key.js";
import * as pulumi from "@pulumi/pulumi";
import type { EksSettings } from "../../settings.ts";
import type { EksNetwork } from "./network.ts";
import { managedPolicy, partitionOf, secretsKeyUse, serviceTrust } from "./policyDocuments.ts";

/** Days for which a deleted key can be brought back: the fewest that AWS takes, or the most. */
const KEY_DELETION = { hasty: 7, careful: 30 };

/** The control plane that AWS runs: born without any add-on, its Secrets encrypted with a key of their own, its logs kept for a time. */
export class EksControlPlane extends pulumi.ComponentResource {
  readonly cluster: Cluster;
  /** Security group of the control plane's own network interfaces, made by EKS. */
  readonly securityGroupId: pulumi.Output<string>;
  /** Another one for each cluster that is made, whatever its name. */
  readonly issuer: pulumi.Output<string>;
  /** By which service accounts take roles. */
  readonly identity: OpenIdConnectProvider;

  constructor(
    name: string,
    args: { cluster: EksSettings; network: EksNetwork },
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("wirecloak:cluster:EksControlPlane", name, {}, opts);
    const { cluster: settings, network } = args;
    const { protect, endpoint, logs } = settings;
    const key = new Key(
      `${name}-secrets`,
      {
        description: `Secrets of the EKS cluster ${settings.name}`,
        enableKeyRotation: true,
        deletionWindowInDays: protect ? KEY_DELETION.careful : KEY_DELETION.hasty,
      },
      { parent: this, protect },
    );
    const { role, rights } = this.role(name, settings, key);

    this.cluster = new Cluster(
      name,
      {
        // Fixed: evidence and the kubeconfig name it.
        name: settings.name,
        version: settings.kubernetes,
        roleArn: role.arn,
        // No CNI, no kube-proxy, no DNS: no pod runs before Cilium.
        bootstrapSelfManagedAddons: false,
        accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: true },
        kubernetesNetworkConfig: { ipFamily: "ipv4", serviceIpv4Cidr: settings.serviceCidr },
        vpcConfig: {
          subnetIds: network.subnetIds,
          endpointPrivateAccess: true,
          endpointPublicAccess: endpoint.public,
          ...(endpoint.public && { publicAccessCidrs: endpoint.allowedCidrs }),
        },
        encryptionConfig: { resources: ["secrets"], provider: { keyArn: key.arn } },
        enabledClusterLogTypes: logs,
        deletionProtection: protect,
      },
      { parent: this, protect, deleteBeforeReplace: true, dependsOn: [...rights, ...this.logs(name, settings)] },
    );
    this.securityGroupId = this.cluster.vpcConfig.clusterSecurityGroupId;
    this.issuer = this.cluster.identities.apply(([identity]) => identity?.oidcs?.[0]?.issuer ?? "");
    this.identity = new OpenIdConnectProvider(
      `${name}-identity`,
      { url: this.issuer, clientIdLists: ["sts.amazonaws.com"] },
      { parent: this },
    );
    for (const arn of settings.admins) this.administrator(name, settings, arn);
    this.registerOutputs({ issuer: this.issuer });
  }

  private role(name: string, { region }: EksSettings, key: Key): { role: Role; rights: pulumi.Resource[] } {
    const role = new Role(`${name}-control-plane`, { assumeRolePolicy: serviceTrust("eks") }, { parent: this });
    const clusterPolicy = new RolePolicyAttachment(
      `${name}-control-plane`,
      { role: role.name, policyArn: managedPolicy(region, "AmazonEKSClusterPolicy") },
      { parent: this },
    );
    const keyUse = new RolePolicy(
      `${name}-control-plane-key`,
      { role: role.name, policy: key.arn.apply(secretsKeyUse) },
      { parent: this },
    );
    return { role, rights: [clusterPolicy, keyUse] };
  }

  /** EKS makes the group itself where there is none, and keeps all in it for ever. */
  private logs(name: string, { logs, logRetentionDays, ...settings }: EksSettings): pulumi.Resource[] {
    if (logs.length === 0) return [];
    const group = { name: `/aws/eks/${settings.name}/cluster`, retentionInDays: logRetentionDays };
    return [new LogGroup(`${name}-logs`, group, { parent: this })];
  }

  private administrator(name: string, { region }: EksSettings, principalArn: string): void {
    const clusterName = this.cluster.name;
    const child = `${name}-admin-${principalArn.split(":").at(-1)?.replaceAll("/", "-")}`;
    const entry = new AccessEntry(child, { clusterName, principalArn }, { parent: this });
    new AccessPolicyAssociation(
      child,
      {
        ...{ clusterName, principalArn },
        policyArn: `arn:${partitionOf(region)}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy`,
        accessScope: { type: "cluster" },
      },
      { parent: this, dependsOn: [entry] },
    );
  }
}
