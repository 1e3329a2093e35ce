import { contains, parseCidr } from "../cidr.ts";
import type { EksVpcSettings } from "../settings.ts";
import type { Problem } from "../userError.ts";

/** What AWS says of a subnet. */
export interface SubnetSeen {
  id: string;
  vpcId: string;
  cidrBlock: string;
}

/** What is wrong where subnets are not of the VPC, or outside the ranges that the guard takes for the nodes'. */
export function misplaced(subnets: readonly SubnetSeen[], { id: vpc, nodeRanges = [] }: EksVpcSettings): Problem[] {
  const known = nodeRanges.flatMap((range) => parseCidr(range) ?? []);
  const strangers = subnets.filter(({ vpcId }) => vpcId !== vpc);
  const outside = subnets.filter(({ vpcId, cidrBlock }) => {
    const subnet = parseCidr(cidrBlock);
    return vpcId === vpc && !(subnet && known.some((range) => contains(range, subnet)));
  });
  return [
    ...strangers.map(({ id, vpcId }) => ({
      key: "wirecloak:cluster.vpc.subnetIds",
      value: id,
      message: `This subnet is of ${vpcId}, not of ${vpc}.`,
      allowed: `private subnets of ${vpc}`,
    })),
    ...outside.map(({ id, cidrBlock }, index) => ({
      key: "wirecloak:cluster.vpc.nodeRanges",
      value: nodeRanges,
      message: `Subnet ${id} has ${cidrBlock}, so nodes would have addresses that the guard takes for the world's.`,
      allowed: "ranges that hold each of the subnets",
      // One more for each, so that the commands can be run one after the other.
      fix: `pulumi config set --path "wirecloak:cluster.vpc.nodeRanges[${nodeRanges.length + index}]" ${cidrBlock}`,
    })),
  ];
}
