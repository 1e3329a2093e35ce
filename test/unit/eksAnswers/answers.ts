import type { SecurityGroupEgressRule, SecurityGroupRule } from "../../../components/encryption/guard/securityGroup.ts";

/** Ids of the corpus' groups: the nodes', the one that EKS made, and somebody's. */
export const NODES = "sg-0a1b2c3d4e5f60001";
export const EKS = "sg-0a1b2c3d4e5f60002";
export const OTHER = "sg-0a1b2c3d4e5f60003";

/** What `aws ec2 describe-... --output json` prints, in the form of its reference (docs.aws.amazon.com/cli). */
export interface Answers {
  ours: { SecurityGroups: object[] };
  theirs: { SecurityGroups: object[] };
  rules: { SecurityGroupRules: AwsRule[] };
  instances: { Reservations: { Instances: AwsInstance[] }[] };
}

export interface AwsRule {
  SecurityGroupRuleId: string;
  GroupId: string;
  IsEgress: boolean;
  IpProtocol: string;
  FromPort?: number;
  ToPort?: number;
  ReferencedGroupInfo?: { GroupId: string; UserId: string };
  CidrIpv4?: string;
  CidrIpv6?: string;
  PrefixListId?: string;
}

export interface AwsInstance {
  InstanceId: string;
  PrivateDnsName: string;
  PrivateIpAddress: string;
  NetworkInterfaces: {
    NetworkInterfaceId: string;
    PrivateIpAddresses: { PrivateIpAddress: string }[];
    Groups: { GroupId: string; GroupName: string }[];
  }[];
}

/** A cluster of two nodes whose rules are these. */
export function answersOf(rules: readonly AwsRule[]): Answers {
  return {
    ours: { SecurityGroups: [{ GroupId: NODES, GroupName: "dev-guard-1f2e3d4", VpcId: "vpc-1" }] },
    theirs: { SecurityGroups: [{ GroupId: EKS, GroupName: "eks-cluster-sg-dev-1234", VpcId: "vpc-1" }] },
    rules: { SecurityGroupRules: [...rules] },
    instances: { Reservations: [{ Instances: [instance(1)] }, { Instances: [instance(2)] }] },
  };
}

/** A node that is as it must be, with a second interface as Cilium's operator makes it. */
export function instance(number: number): AwsInstance {
  const address = `10.0.${number}.10`;
  const networkInterface = (which: number) => ({
    NetworkInterfaceId: `eni-${number}${which}`,
    PrivateIpAddresses: [which === 0 ? address : `10.0.${number}.${which}1`].map((one) => ({ PrivateIpAddress: one })),
    Groups: [{ GroupId: NODES, GroupName: "dev-guard-1f2e3d4" }],
  });
  return {
    ...{ InstanceId: `i-${number}`, PrivateDnsName: `ip-10-0-${number}-10.ec2.internal`, PrivateIpAddress: address },
    NetworkInterfaces: [networkInterface(0), networkInterface(1)],
  };
}

let drawn = 0;

/** A rule as AWS shows it. */
export function shownRule(
  rule: Pick<SecurityGroupRule | SecurityGroupEgressRule, "protocol" | "fromPort" | "toPort"> & {
    peer: "nodes" | "control-plane" | { cidr: string } | { prefixList: string } | { group: string };
  },
  egress: boolean,
  group = NODES,
): AwsRule {
  const { protocol, fromPort = -1, toPort = -1, peer } = rule;
  const reference = (id: string) => ({ ReferencedGroupInfo: { GroupId: id, UserId: "111122223333" } });
  drawn += 1;
  return {
    ...{ SecurityGroupRuleId: `sgr-${drawn}`, GroupId: group, IsEgress: egress, IpProtocol: protocol },
    ...{ FromPort: fromPort, ToPort: toPort },
    ...(peer === "nodes" && reference(NODES)),
    ...(peer === "control-plane" && reference(EKS)),
    ...(typeof peer === "object" &&
      ("group" in peer
        ? reference(peer.group)
        : "cidr" in peer
          ? { [peer.cidr.includes(":") ? "CidrIpv6" : "CidrIpv4"]: peer.cidr }
          : { PrefixListId: peer.prefixList })),
  };
}
