import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup.js";
import { SecurityGroupEgressRule } from "@pulumi/aws/vpc/securityGroupEgressRule.js";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule.js";
import * as pulumi from "@pulumi/pulumi";
import type * as rule from "../../encryption/guard/securityGroup.ts";
import type { GuardRules } from "./guardRules.ts";

export interface EksNodeGuardArgs {
  vpcId: pulumi.Input<string>;
  /** Security group of the control plane. */
  controlPlane: pulumi.Input<string>;
  rules: GuardRules;
}

/**
 * The nodes' security group: what it does not name, AWS drops before it leaves a node or reaches one, whatever Cilium does. Each rule is a resource of its own: on a change of
 * mode Pulumi makes the new mode's before it deletes the old one's, at the end of the update, so that both pass while nodes change.
 */
export class EksNodeGuard extends pulumi.ComponentResource {
  readonly securityGroupId: pulumi.Output<string>;
  /** The rules, to be there before Cilium changes and before there is a node. */
  readonly rules: pulumi.Resource[];
  private readonly logicalName: string;
  private readonly args: EksNodeGuardArgs;

  constructor(name: string, args: EksNodeGuardArgs, opts: pulumi.ComponentResourceOptions) {
    super("wirecloak:cluster:EksNodeGuard", name, {}, opts);
    this.logicalName = name;
    this.args = args;
    const { vpcId, controlPlane, rules } = args;
    const group = new SecurityGroup(
      name,
      // Without rules of its own the provider takes away the one by which AWS lets everything out.
      { vpcId, description: "Nodes: ciphertext between them, and what the control plane needs", tags: { Name: name } },
      { parent: this },
    );
    this.securityGroupId = group.id;
    this.rules = [
      ...rules.controlPlane.map(
        (rule) =>
          new SecurityGroupIngressRule(
            `${name}-${rule.name}`,
            { securityGroupId: controlPlane, referencedSecurityGroupId: group.id, ...matching(rule) },
            { parent: this },
          ),
      ),
      ...this.of((rule) => !opens(rule), {}),
    ];
    this.registerOutputs({ securityGroupId: this.securityGroupId });
  }

  /** Where nodes may send each other everything: not before Cilium has changed, or plaintext would pass that is not yet allowed. */
  openedAfter(cilium: pulumi.Resource): pulumi.Resource[] {
    return this.of(opens, { dependsOn: [cilium] });
  }

  private of(wanted: (rule: { name: string }) => boolean, opts: pulumi.CustomResourceOptions): pulumi.Resource[] {
    const { ingress, egress } = this.args.rules;
    const securityGroupId = this.securityGroupId;
    // Identity: a rule of another name is another resource.
    const nameOf = (rule: { name: string }) => `${this.logicalName}-${rule.name}`;
    const inHere = { parent: this, ...opts };
    return [
      ...ingress
        .filter(wanted)
        .map(
          (rule) =>
            new SecurityGroupIngressRule(
              nameOf(rule),
              { securityGroupId, referencedSecurityGroupId: this.group(rule.peer), ...matching(rule) },
              inHere,
            ),
        ),
      ...egress.filter(wanted).map((rule) => {
        const { peer } = rule;
        const to = typeof peer === "object" ? { cidrIpv4: peer.cidr } : { referencedSecurityGroupId: this.group(peer) };
        return new SecurityGroupEgressRule(nameOf(rule), { securityGroupId, ...to, ...matching(rule) }, inHere);
      }),
    ];
  }

  private group(peer: rule.SecurityGroupRule["peer"]): pulumi.Input<string> {
    return peer === "nodes" ? this.securityGroupId : this.args.controlPlane;
  }
}

function opens({ name }: { name: string }): boolean {
  return name.startsWith("unguarded-");
}

/** What of a rule AWS compares packets with, and its words for people. */
function matching(rule: Omit<rule.SecurityGroupRule, "peer">) {
  const { protocol, fromPort, toPort, description } = rule;
  return {
    ipProtocol: protocol,
    ...(fromPort !== undefined && { fromPort }),
    ...(toPort !== undefined && { toPort }),
    description,
  };
}
