import { LaunchTemplate } from "@pulumi/aws/ec2/launchTemplate.js";
import { NodeGroup } from "@pulumi/aws/eks/nodeGroup.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import * as pulumi from "@pulumi/pulumi";
import type { EksSettings, NodeGroupSettings } from "../../settings.ts";
import { isScaled, launchTemplateSpec, nodeGroupSpec } from "./nodeSpec.ts";
import { managedPolicy, serviceTrust } from "./policyDocuments.ts";

/** What any node needs: to join, and to pull images. What the CNI needs is a service account's, not each node's. */
const NODE_POLICIES = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"];

export interface EksNodesArgs {
  cluster: EksSettings;
  /** The cluster's name, known once there is one. */
  clusterName: pulumi.Input<string>;
  subnetIds: pulumi.Input<string>[];
  securityGroupId: pulumi.Input<string>;
  /** What must be there before the first node. */
  after: pulumi.Resource[];
}

/** Managed node groups, whose nodes no pod may use before Cilium runs on them. EKS waits until they are Ready, so that Cilium is installed before. */
export class EksNodes extends pulumi.ComponentResource {
  readonly groups: NodeGroup[];

  constructor(name: string, args: EksNodesArgs, opts: pulumi.ComponentResourceOptions) {
    super("wirecloak:cluster:EksNodes", name, {}, opts);
    const { region, nodeGroups } = args.cluster;
    const role = new Role(name, { assumeRolePolicy: serviceTrust("ec2") }, { parent: this });
    const rights = NODE_POLICIES.map(
      (policy) =>
        new RolePolicyAttachment(
          `${name}-${policy}`,
          { role: role.name, policyArn: managedPolicy(region, policy) },
          { parent: this },
        ),
    );
    const after = [...args.after, ...rights];
    this.groups = Object.entries(nodeGroups).map(([group, spec]) =>
      this.group(`${name}-${group}`, spec, { ...args, role, after }),
    );
    this.registerOutputs({});
  }

  private group(name: string, spec: NodeGroupSettings, args: EksNodesArgs & { role: Role }): NodeGroup {
    const template = new LaunchTemplate(
      name,
      {
        ...launchTemplateSpec(args.cluster, spec),
        // Named ones only: EKS adds the cluster's own group, in which everything may pass, just where none is named.
        vpcSecurityGroupIds: [args.securityGroupId],
        updateDefaultVersion: true,
      },
      { parent: this },
    );
    return new NodeGroup(
      // No fixed name: where it has to be replaced, the new nodes are there before the old ones go.
      name,
      {
        ...nodeGroupSpec(args.cluster, spec),
        clusterName: args.clusterName,
        nodeRoleArn: args.role.arn,
        subnetIds: args.subnetIds,
        launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
      },
      {
        parent: this,
        dependsOn: args.after,
        ...(isScaled(spec) && { ignoreChanges: ["scalingConfig.desiredSize"] }),
      },
    );
  }
}
