import { contains, overlap, parseCidr } from "../../components/cidr.ts";
import { misplaced } from "../../components/cluster/eksSubnet.ts";
import type { EksSettings } from "../../components/settingsEks.ts";
import type { Problem } from "../../components/userError.ts";
import { error, type Finding, ok, warning } from "../finding.ts";
import type { Answer, Refusal } from "./aws.ts";
import type { InstanceType, Route, RouteTableSeen, SubnetSeen, VpcSeen } from "./questions.ts";

/** What AWS says of a VPC that is there. */
export interface GivenVpc {
  vpc: Answer<VpcSeen | undefined>;
  dnsSupport: Answer<boolean>;
  dnsHostnames: Answer<boolean>;
  subnets: Answer<SubnetSeen[]>;
  routeTables: Answer<RouteTableSeen[]>;
  types: Answer<InstanceType[]>;
}

const WHAT = "VPC";
const ANYWHERE = "0.0.0.0/0";

/** Whether a VPC that is there can hold the cluster that the settings ask for. */
export function judgeVpc(cluster: EksSettings, seen: GivenVpc): Finding[] {
  const subnets = "value" in seen.subnets ? seen.subnets.value : [];
  const tables = "value" in seen.routeTables ? seen.routeTables.value : [];
  const found = [
    ...unanswered(cluster, seen),
    ...("value" in seen.vpc ? judgeRanges(cluster, seen.vpc.value) : []),
    ...judgeDns(seen),
    ...judgePlaces(cluster, subnets),
    ...judgeRoom(cluster, subnets, "value" in seen.types ? seen.types.value : []),
    ...("value" in seen.routeTables ? subnets.flatMap((subnet) => judgeWay(subnet, tables)) : []),
    ...judgeRoutes(cluster, routesOf(subnets, tables)),
  ];
  if (found.length > 0) return found;
  return [
    ok(
      WHAT,
      `${cluster.vpc.id} has ${subnets.length} private subnets in ${zonesOfSubnets(subnets).join(", ")}, with room and a way out.`,
    ),
  ];
}

/** AWS's own words for what is not there; else what could not be asked. */
function unanswered({ region }: EksSettings, seen: GivenVpc): Finding[] {
  const refusals = Object.values(seen).flatMap((answer: Answer<unknown>) => ("value" in answer ? [] : [answer]));
  const isMissing = ({ code }: Refusal) => /^Invalid\w+\.(?:NotFound|Malformed)$/.test(code);
  // Several questions may stumble over the same thing.
  const missing = new Set(refusals.filter(isMissing).map(({ said }) => said.replace(/^.* operation: /, "")));
  const open = new Set(refusals.filter((refusal) => !isMissing(refusal)).map(({ said }) => said));
  const fix = `aws --region ${region} ec2 describe-subnets   # shows which there are; it may be another region's or account's`;
  return [
    ...[...missing].map((said) => error(WHAT, said, fix)),
    ...[...open].map((said) => warning(WHAT, `Not all of it is checked: ${said}`, RIGHTS)),
  ];
}

const RIGHTS =
  "allow ec2:DescribeVpcs, ec2:DescribeVpcAttribute, ec2:DescribeSubnets and ec2:DescribeRouteTables, or go on without";

/** The VPC's range as the settings have it, and ranges of the cluster's own that the VPC must not have: also those that were added to it later. */
function judgeRanges({ network, vpc, podCidr, serviceCidr }: EksSettings, seen: VpcSeen | undefined): Finding[] {
  if (seen === undefined) return [error(WHAT, `There is no VPC ${vpc.id}.`, "aws ec2 describe-vpcs")];
  const ranges = (seen.CidrBlockAssociationSet ?? [])
    .filter(({ CidrBlockState }) => (CidrBlockState?.State ?? "associated") === "associated")
    .map(({ CidrBlock }) => CidrBlock);
  const findings: Finding[] = [];
  if (vpc.cidr !== undefined && !ranges.includes(vpc.cidr)) {
    const evidence = `wirecloak:cluster.vpc.cidr is ${vpc.cidr}, and ${vpc.id} has ${ranges.join(", ")}.`;
    findings.push(error(WHAT, evidence, `pulumi config set --path wirecloak:cluster.vpc.cidr ${ranges[0]}`));
  }
  const own = [
    ...(network === "overlay" ? [["podCidr", podCidr] as const] : []),
    ["serviceCidr", serviceCidr] as const,
  ];
  for (const [setting, range] of own) {
    const shared = ranges.filter((other) => range !== undefined && share(range, other));
    if (shared.length === 0) continue;
    const evidence = `wirecloak:cluster.${setting} ${range} shares addresses with ${shared.join(", ")} of ${vpc.id}.`;
    findings.push(
      error(
        WHAT,
        evidence,
        `pulumi config set --path wirecloak:cluster.${setting} RANGE, apart from all of ${ranges.join(", ")}`,
      ),
    );
  }
  return findings;
}

/** Nodes find the control plane by a name that only the VPC's own resolver knows (EKS user guide, "VPC requirements and considerations"). */
function judgeDns({ dnsSupport, dnsHostnames }: GivenVpc): Finding[] {
  return [
    { answer: dnsSupport, attribute: "DNS support", option: "--enable-dns-support" },
    { answer: dnsHostnames, attribute: "DNS hostnames", option: "--enable-dns-hostnames" },
  ]
    .filter(({ answer }) => "value" in answer && !answer.value)
    .map(({ attribute, option }) =>
      error(
        WHAT,
        `Its ${attribute} are off, so nodes would not find the control plane.`,
        `aws ec2 modify-vpc-attribute --vpc-id ID ${option}`,
      ),
    );
}

/** Whether the subnets are where the settings, the guard and EKS expect them. */
function judgePlaces({ vpc, network }: EksSettings, subnets: readonly SubnetSeen[]): Finding[] {
  if (subnets.length === 0) return [];
  const seen = subnets.map(({ SubnetId: id, VpcId: vpcId, CidrBlock: cidrBlock }) => ({ id, vpcId, cidrBlock }));
  const findings = misplaced(seen, vpc).map(ofProblem);
  const zones = zonesOfSubnets(subnets);
  if (zones.length < 2) {
    const evidence = `All subnets are in ${zones.join()}, and EKS wants two zones or more.`;
    findings.push(
      error(WHAT, evidence, "pulumi config set --path wirecloak:cluster.vpc.subnetIds[1] ID, of another zone"),
    );
  }
  const outside = subnets.filter(({ CidrBlock }) => vpc.cidr !== undefined && !holds(vpc.cidr, CidrBlock));
  if (network !== "overlay" && outside.length > 0) {
    const list = outside.map(({ SubnetId, CidrBlock }) => `${SubnetId} (${CidrBlock})`).join(", ");
    const evidence = `Pods get addresses of their node's subnet, and ${list} is not in wirecloak:cluster.vpc.cidr ${vpc.cidr}, which is taken for the pods' range.`;
    findings.push(error(WHAT, evidence, "subnets of that range, or the range that holds them"));
  }
  return findings;
}

/** Addresses that EKS itself wants in a subnet: at least six, for interfaces of the control plane and its upgrades (EKS user guide, "Subnet requirements and considerations"). */
const CONTROL_PLANE_ADDRESSES = 6;

function judgeRoom(cluster: EksSettings, subnets: readonly SubnetSeen[], types: readonly InstanceType[]): Finding[] {
  if (subnets.length === 0) return [];
  const fix = "larger subnets, or fewer nodes";
  const tight = subnets.filter(({ AvailableIpAddressCount: free }) => free < CONTROL_PLANE_ADDRESSES);
  if (tight.length > 0) {
    const list = tight
      .map(({ SubnetId, AvailableIpAddressCount }) => `${SubnetId} (${AvailableIpAddressCount})`)
      .join(", ");
    return [
      error(
        WHAT,
        `Too few free addresses, of which EKS wants ${CONTROL_PLANE_ADDRESSES} in each subnet: ${list}.`,
        fix,
      ),
    ];
  }
  const free = subnets.reduce(
    (sum, { AvailableIpAddressCount }) => sum + AvailableIpAddressCount - CONTROL_PLANE_ADDRESSES,
    0,
  );
  const nodes = Object.values(cluster.nodeGroups).reduce((sum, group) => sum + group.nodes, 0);
  if (free < nodes) return [error(WHAT, `Its subnets have ${free} addresses free for ${nodes} nodes.`, fix)];
  if (cluster.network === "overlay") return [];
  const full = Object.values(cluster.nodeGroups).reduce(
    (sum, group) => sum + group.nodes * mostAddresses(group.instanceTypes, types),
    0,
  );
  if (free >= full) return [];
  return [
    warning(
      WHAT,
      `Its subnets have ${free} addresses free; nodes full of pods would take ${full}, and then pods wait for one.`,
      `${fix}, or wirecloak:cluster.network overlay`,
    ),
  ];
}

function mostAddresses(wanted: readonly string[], types: readonly InstanceType[]): number {
  const sizes = types
    .filter(({ InstanceType }) => wanted.includes(InstanceType))
    .map(({ NetworkInfo }) => NetworkInfo.MaximumNetworkInterfaces * NetworkInfo.Ipv4AddressesPerInterface);
  return Math.max(0, ...sizes);
}

/** Whether a subnet is private, and its nodes get anywhere. */
function judgeWay({ SubnetId, MapPublicIpOnLaunch }: SubnetSeen, tables: readonly RouteTableSeen[]): Finding[] {
  const table = tableOf(SubnetId, tables);
  const way = table?.Routes?.find(({ DestinationCidrBlock }) => DestinationCidrBlock === ANYWHERE);
  if (way?.GatewayId?.startsWith("igw-") || MapPublicIpOnLaunch) {
    const why = MapPublicIpOnLaunch ? "it gives nodes public addresses" : `its default route is ${way?.GatewayId}`;
    return [
      error(
        WHAT,
        `${SubnetId} is no private subnet: ${why}.`,
        "subnets whose default route is a NAT gateway, in wirecloak:cluster.vpc.subnetIds",
      ),
    ];
  }
  if (table === undefined)
    return [warning(WHAT, `Not checked where ${SubnetId} leads: AWS shows no route table of it.`)];
  if (way === undefined) {
    const evidence = `${SubnetId} has no default route: its nodes reach ECR, S3, EC2 and STS only by endpoints of the VPC, and images of quay.io only by a mirror. Whether there are such is not checked.`;
    return [warning(WHAT, evidence, "a default route to a NAT gateway, or endpoints outside of the nodes' ranges")];
  }
  if (way.State !== "blackhole") return [];
  return [
    error(
      WHAT,
      `The default route of ${SubnetId} leads to what is gone.`,
      `aws ec2 replace-route --route-table-id ${table.RouteTableId} --destination-cidr-block ${ANYWHERE} --nat-gateway-id ID`,
    ),
  ];
}

/** Routes to other networks whose addresses are the cluster's own: nothing in it would reach them. */
function judgeRoutes({ network, podCidr, serviceCidr }: EksSettings, routes: readonly Route[]): Finding[] {
  const own = [
    ...(network === "overlay" ? [["podCidr", podCidr] as const] : []),
    ["serviceCidr", serviceCidr] as const,
  ];
  return own.flatMap(([setting, range]) => {
    const hidden = routes
      .filter(({ GatewayId, DestinationCidrBlock }) => GatewayId !== "local" && DestinationCidrBlock !== ANYWHERE)
      .flatMap(({ DestinationCidrBlock: to }) =>
        to !== undefined && range !== undefined && share(range, to) ? [to] : [],
      );
    if (hidden.length === 0) return [];
    const evidence = `The VPC has routes to ${[...new Set(hidden)].join(", ")}, which share addresses with wirecloak:cluster.${setting} ${range}: pods would not reach these networks.`;
    return [warning(WHAT, evidence, `pulumi config set --path wirecloak:cluster.${setting} RANGE`)];
  });
}

/** The routes that packets of these subnets may take. */
export function routesOf(subnets: readonly SubnetSeen[], tables: readonly RouteTableSeen[]): Route[] {
  const used = new Set(subnets.map(({ SubnetId }) => tableOf(SubnetId, tables)));
  return [...used].flatMap((table) => table?.Routes ?? []);
}

/** A subnet without a table of its own has the VPC's main one. */
function tableOf(subnet: string, tables: readonly RouteTableSeen[]): RouteTableSeen | undefined {
  const own = tables.find(({ Associations = [] }) => Associations.some(({ SubnetId }) => SubnetId === subnet));
  return own ?? tables.find(({ Associations = [] }) => Associations.some(({ Main }) => Main));
}

export function zonesOfSubnets(subnets: readonly SubnetSeen[]): string[] {
  return [...new Set(subnets.map(({ AvailabilityZone }) => AvailabilityZone))].sort();
}

function ofProblem({ key, message, fix }: Problem): Finding {
  return error(WHAT, `${key}: ${message}`, fix);
}

function share(a: string, b: string): boolean {
  const [one, other] = [parseCidr(a), parseCidr(b)];
  return one !== undefined && other !== undefined && overlap(one, other);
}

function holds(outer: string, inner: string): boolean {
  const [one, other] = [parseCidr(outer), parseCidr(inner)];
  return one !== undefined && other !== undefined && contains(one, other);
}
