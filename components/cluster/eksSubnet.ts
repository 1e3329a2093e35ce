import { contains, parseCidr } from "../cidr.ts";
import type { EksVpcSettings } from "../settings.ts";
import type { Problem } from "../userError.ts";

/** What AWS says of a subnet. */
export interface SubnetSeen {
  id: string;
  vpcId: string;
  cidrBlock: string;
}

/** What is wrong where a subnet is not of the VPC, or outside the ranges that the guard takes for the nodes'. */
export function misplaced(
  { id, vpcId, cidrBlock }: SubnetSeen,
  { id: vpc, nodeRanges = [] }: EksVpcSettings,
): Problem | undefined {
  if (vpcId !== vpc) {
    return {
      key: "wirecloak:cluster.vpc.subnetIds",
      value: id,
      message: `This subnet is of ${vpcId}, not of ${vpc}.`,
      allowed: `private subnets of ${vpc}`,
    };
  }
  const subnet = parseCidr(cidrBlock);
  const known = nodeRanges.flatMap((range) => parseCidr(range) ?? []);
  if (subnet && known.some((range) => contains(range, subnet))) return undefined;
  return {
    key: "wirecloak:cluster.vpc.nodeRanges",
    value: nodeRanges,
    message: `Subnet ${id} has ${cidrBlock}, so nodes would have addresses that the guard takes for the world's.`,
    allowed: "ranges that hold each of the subnets",
    fix: `pulumi config set --path "wirecloak:cluster.vpc.nodeRanges[${nodeRanges.length}]" ${cidrBlock}`,
  };
}
