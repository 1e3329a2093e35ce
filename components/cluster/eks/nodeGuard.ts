import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup.js";
import { SecurityGroupEgressRule } from "@pulumi/aws/vpc/securityGroupEgressRule.js";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule.js";
import * as pulumi from "@pulumi/pulumi";
import { ANYWHERE } from "./network.ts";
import type { SecurityGroupRule } from "./securityGroupRules.ts";

export interface EksNodeGuardArgs {
  vpcId: pulumi.Input<string>;
  /** Security group of the control plane. */
  controlPlane: pulumi.Input<string>;
  rules: readonly SecurityGroupRule[];
}

/**
 * The nodes' security group: what it does not name, AWS drops before it reaches a node, whatever Cilium does. Each rule is a resource of its own: on a change of
 * mode Pulumi makes the new mode's before it deletes the old one's, at the end of the update, so that both pass while nodes change.
 */
export class EksNodeGuard extends pulumi.ComponentResource {
  readonly securityGroupId: pulumi.Output<string>;
  /** The rules, to be there before Cilium changes and before there is a node. */
  readonly rules: pulumi.Resource[];

  constructor(name: string, args: EksNodeGuardArgs, opts: pulumi.ComponentResourceOptions) {
    super("wirecloak:cluster:EksNodeGuard", name, {}, opts);
    const { vpcId, controlPlane } = args;
    const inHere = { parent: this };
    const group = new SecurityGroup(
      name,
      { vpcId, description: "Nodes: ciphertext between them, and what the control plane needs", tags: { Name: name } },
      inHere,
    );
    this.securityGroupId = group.id;
    // What leaves a node reaches another one only as that one's rules let it in.
    const out = new SecurityGroupEgressRule(
      `${name}-out`,
      { securityGroupId: group.id, ipProtocol: "-1", cidrIpv4: ANYWHERE, description: "Anywhere" },
      inHere,
    );
    const apiServer = new SecurityGroupIngressRule(
      `${name}-api-server`,
      {
        securityGroupId: controlPlane,
        referencedSecurityGroupId: group.id,
        ...{ ipProtocol: "tcp", fromPort: 443, toPort: 443, description: "API server, TLS" },
      },
      inHere,
    );
    const ingress = args.rules.map(
      ({ name: rule, protocol, fromPort, toPort, peer, description }) =>
        new SecurityGroupIngressRule(
          // Identity: a rule of another name is another resource.
          `${name}-${rule}`,
          {
            securityGroupId: group.id,
            referencedSecurityGroupId: peer === "nodes" ? group.id : controlPlane,
            ipProtocol: protocol,
            ...(fromPort !== undefined && { fromPort }),
            ...(toPort !== undefined && { toPort }),
            description,
          },
          inHere,
        ),
    );
    this.rules = [out, apiServer, ...ingress];
    this.registerOutputs({ securityGroupId: this.securityGroupId });
  }
}
