import { z } from "zod";
import { UserError } from "../userError.ts";
import { type Aws, refusalOf } from "./eksFound.ts";
import type { SecurityGroupPlace } from "./guardPlace.ts";

/** What AWS tells of a cluster's security groups, and of its nodes' network interfaces. */
export interface EksGroups {
  /** When it was asked. */
  at: string;
  /** The group that the stack made for nodes; null where there is none, or no cluster. */
  nodes: string | null;
  /** The control plane's group, which EKS made and in which everything passes. */
  controlPlane: string;
  /** The rules of both. */
  rules: RuleFound[];
  instances: InstanceFound[];
}

/** One rule in force. */
export interface RuleFound {
  id: string;
  group: string;
  egress: boolean;
  protocol: string;
  /** Of ICMP type and code; -1: all. */
  fromPort: number;
  toPort: number;
  /** The other end: id of a group or of a prefix list, or a range. */
  peer: string;
}

/** A machine that is a node, or is about to be one. */
export interface InstanceFound {
  /** Its private DNS name, which is a node's name on EKS. */
  name: string;
  /** Its first address. */
  address: string;
  interfaces: { id: string; addresses: string[]; groups: { id: string; name: string }[] }[];
}

const groupsSaid = z.object({ SecurityGroups: z.array(z.object({ GroupId: z.string() })) });

const rulesSaid = z.object({
  SecurityGroupRules: z.array(
    z.object({
      SecurityGroupRuleId: z.string(),
      GroupId: z.string(),
      IsEgress: z.boolean(),
      IpProtocol: z.string(),
      FromPort: z.int().default(-1),
      ToPort: z.int().default(-1),
      ReferencedGroupInfo: z.object({ GroupId: z.string() }).optional(),
      CidrIpv4: z.string().optional(),
      CidrIpv6: z.string().optional(),
      PrefixListId: z.string().optional(),
    }),
  ),
});

const instancesSaid = z.object({
  Reservations: z.array(
    z.object({
      Instances: z.array(
        z.object({
          InstanceId: z.string(),
          PrivateDnsName: z.string().default(""),
          PrivateIpAddress: z.string().default(""),
          NetworkInterfaces: z.array(
            z.object({
              NetworkInterfaceId: z.string(),
              PrivateIpAddresses: z.array(z.object({ PrivateIpAddress: z.string() })).default([]),
              Groups: z.array(z.object({ GroupId: z.string(), GroupName: z.string().default("") })),
            }),
          ),
        }),
      ),
    }),
  ),
});

/**
 * Asks AWS for the rules in force and for the groups that nodes are in. Reads only: ec2:DescribeSecurityGroups, DescribeSecurityGroupRules and DescribeInstances.
 * Rejects with a UserError where AWS does not say.
 */
export async function findEksGroups({ region, cluster }: SecurityGroupPlace, aws: Aws): Promise<EksGroups> {
  const ask = async <T>(what: string, filters: Record<string, string>, shape: z.ZodType<T>): Promise<T> => {
    const named = Object.entries(filters).map(([name, values]) => `Name=${name},Values=${values}`);
    const answer = await aws(["--region", region, "ec2", what, "--filters", ...named, "--output", "json"]);
    if (answer.code === 0) return shape.parse(JSON.parse(answer.stdout));
    throw new UserError([unanswered(cluster, region, refusalOf(answer))]);
  };
  const at = new Date().toISOString();
  const [ours, theirs] = await Promise.all([
    // The stack's tag (eks/nodeSpec.ts, tagsOf).
    ask("describe-security-groups", { "tag:wirecloak:cluster": cluster }, groupsSaid),
    // EKS's tag of the group that it makes (https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html).
    ask("describe-security-groups", { "tag:aws:eks:cluster-name": cluster }, groupsSaid),
  ]);
  const [nodes, ...more] = ours.SecurityGroups.map(({ GroupId }) => GroupId);
  const controlPlane = theirs.SecurityGroups[0]?.GroupId;
  if (nodes === undefined || controlPlane === undefined)
    return { at, nodes: null, controlPlane: "", rules: [], instances: [] };
  if (more.length > 0) {
    const said = `${[nodes, ...more].join(", ")} all bear the tag wirecloak:cluster=${cluster}, and one is the nodes'`;
    throw new UserError([unanswered(cluster, region, said)]);
  }
  const [rules, machines] = await Promise.all([
    ask("describe-security-group-rules", { "group-id": `${nodes},${controlPlane}` }, rulesSaid),
    ask(
      "describe-instances",
      // Any node's tag, whoever makes it: managed node groups and Karpenter set it, and kubelets of others need it.
      { "tag-key": `kubernetes.io/cluster/${cluster}`, "instance-state-name": "pending,running" },
      instancesSaid,
    ),
  ]);
  return {
    ...{ at, nodes, controlPlane },
    rules: rules.SecurityGroupRules.map((rule) => ({
      ...{ id: rule.SecurityGroupRuleId, group: rule.GroupId, egress: rule.IsEgress, protocol: rule.IpProtocol },
      ...{ fromPort: rule.FromPort, toPort: rule.ToPort },
      peer: rule.ReferencedGroupInfo?.GroupId ?? rule.CidrIpv4 ?? rule.CidrIpv6 ?? rule.PrefixListId ?? "",
    })),
    instances: machines.Reservations.flatMap(({ Instances }) => Instances).map((instance) => ({
      ...{ name: instance.PrivateDnsName || instance.InstanceId, address: instance.PrivateIpAddress },
      interfaces: instance.NetworkInterfaces.map((one) => ({
        id: one.NetworkInterfaceId,
        addresses: one.PrivateIpAddresses.map(({ PrivateIpAddress }) => PrivateIpAddress),
        groups: one.Groups.map(({ GroupId, GroupName }) => ({ id: GroupId, name: GroupName })),
      })),
    })),
  };
}

function unanswered(cluster: string, region: string, said: string) {
  return {
    key: "wirecloak:cluster.name",
    value: cluster,
    message: `AWS in ${region} does not say which security group rules are in force: ${said}`,
    allowed:
      "credentials with ec2:DescribeSecurityGroups, ec2:DescribeSecurityGroupRules and ec2:DescribeInstances, and no other right",
    fix: "aws sts get-caller-identity   # shows whether there are credentials, and whose",
  };
}
