import type { RouteTableSeen, SubnetSeen, VpcSeen } from "../../../doctor/eks/questions.ts";
import { type GivenVpc, judgeVpc, routesOf } from "../../../doctor/eks/vpc.ts";
import { DENIED, eks, instanceType } from "./eks.ts";

const ID = "vpc-0123456789abcdef0";
const given = {
  id: ID,
  cidr: "10.20.0.0/16",
  subnetIds: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
  nodeRanges: ["10.20.0.0/18"],
};
const subnet = (index: 0 | 1, change: Partial<SubnetSeen> = {}): SubnetSeen => ({
  SubnetId: given.subnetIds[index] ?? "",
  VpcId: ID,
  AvailabilityZone: index === 0 ? "us-west-2a" : "us-west-2b",
  CidrBlock: index === 0 ? "10.20.0.0/20" : "10.20.16.0/20",
  AvailableIpAddressCount: 4091,
  ...change,
});
const vpcWith = (...ranges: string[]): VpcSeen => ({
  VpcId: ID,
  CidrBlockAssociationSet: ranges.map((CidrBlock) => ({ CidrBlock })),
});
const local = { DestinationCidrBlock: "10.20.0.0/16", GatewayId: "local" };
const nat = { DestinationCidrBlock: "0.0.0.0/0", NatGatewayId: "nat-1", State: "active" };
const table = (...routes: NonNullable<RouteTableSeen["Routes"]>): RouteTableSeen => ({
  RouteTableId: "rtb-main",
  Associations: [{ Main: true }],
  Routes: routes,
});
const good: GivenVpc = {
  vpc: { value: vpcWith("10.20.0.0/16") },
  dnsSupport: { value: true },
  dnsHostnames: { value: true },
  subnets: { value: [subnet(0), subnet(1)] },
  routeTables: { value: [table(local, nat)] },
  types: { value: [instanceType("t3.medium")] },
};
const judge = (change: Partial<GivenVpc> = {}, cluster: object = {}) =>
  judgeVpc(eks({ vpc: given, ...cluster }).cluster, { ...good, ...change });
const subnets = (...list: SubnetSeen[]) => ({ subnets: { value: list } });
const routes = (...list: Parameters<typeof table>) => ({ routeTables: { value: [table(local, ...list)] } });
const overlay = { network: "overlay", podCidr: "100.64.0.0/16" };

test("a VPC that can hold the cluster", () => {
  expect(judge()).toMatchObject([
    { level: "ok", evidence: expect.stringContaining("2 private subnets in us-west-2a, us-west-2b") },
  ]);
});

test.each<[string, Partial<GivenVpc>, object, string, RegExp]>([
  [
    "it is not there",
    { vpc: { code: "InvalidVpcID.NotFound", said: "The vpc ID 'vpc-0' does not exist" } },
    {},
    "error",
    /does not exist/,
  ],
  [
    "a subnet is not there",
    { subnets: { code: "InvalidSubnetID.NotFound", said: "The subnet ID 'subnet-0' does not exist" } },
    {},
    "error",
    /subnet-0/,
  ],
  [
    "a subnet is of another VPC",
    subnets(subnet(0), subnet(1, { VpcId: "vpc-0aaaaaaaaaaaaaaaa" })),
    {},
    "error",
    /is of vpc-0a/,
  ],
  [
    "a subnet is beside the nodes' ranges",
    subnets(subnet(0), subnet(1, { CidrBlock: "10.20.128.0/20" })),
    {},
    "error",
    /the guard takes for the world's/,
  ],
  [
    "all subnets are in one zone",
    subnets(subnet(0), subnet(1, { AvailabilityZone: "us-west-2a" })),
    {},
    "error",
    /two zones or more/,
  ],
  [
    "its range is another than the settings say",
    { vpc: { value: vpcWith("10.30.0.0/16") } },
    overlay,
    "error",
    /vpc\.cidr is 10\.20/,
  ],
  [
    "services have addresses of a range that was added later",
    { vpc: { value: vpcWith("10.20.0.0/16", "172.20.64.0/20") } },
    {},
    "error",
    /serviceCidr .* shares .* 172\.20\.64/,
  ],
  [
    "pods of an overlay have addresses of a range that was added later",
    { vpc: { value: vpcWith("10.20.0.0/16", "100.64.0.0/20") } },
    overlay,
    "error",
    /podCidr .* shares/,
  ],
  [
    "services hide a network that it has a route to",
    routes(nat, { DestinationCidrBlock: "172.20.0.0/24", VpcPeeringConnectionId: "pcx-1" }),
    {},
    "warning",
    /would not reach/,
  ],
  ["names are not resolved", { dnsSupport: { value: false } }, {}, "error", /DNS support are off/],
  ["hosts have no names", { dnsHostnames: { value: false } }, {}, "error", /DNS hostnames are off/],
  [
    "a subnet is public",
    routes({ DestinationCidrBlock: "0.0.0.0/0", GatewayId: "igw-1" }),
    {},
    "error",
    /no private subnet: its default route is igw-1/,
  ],
  [
    "a subnet gives public addresses",
    subnets(subnet(0), subnet(1, { MapPublicIpOnLaunch: true })),
    {},
    "error",
    /public addresses/,
  ],
  ["there is no way out", routes(), {}, "warning", /no default route/],
  ["the way out is gone", routes({ ...nat, State: "blackhole" }), {}, "error", /leads to what is gone/],
  ["its routes are not shown", { routeTables: { value: [] } }, {}, "warning", /no route table/],
  [
    "EKS itself has no room",
    subnets(subnet(0), subnet(1, { AvailableIpAddressCount: 5 })),
    {},
    "error",
    /EKS wants 6 in each subnet: .*abcdef1 \(5\)/,
  ],
  [
    "nodes have no room",
    subnets(subnet(0, { AvailableIpAddressCount: 7 }), subnet(1, { AvailableIpAddressCount: 6 })),
    {},
    "error",
    /1 addresses free for 2 nodes/,
  ],
  [
    "pods have no room once nodes are full",
    subnets(subnet(0, { AvailableIpAddressCount: 20 }), subnet(1, { AvailableIpAddressCount: 20 })),
    {},
    "warning",
    /28 addresses free; nodes full of pods would take 36/,
  ],
])("%s", (_, change, cluster, level, said) => {
  const findings = judge(change, cluster);
  expect(findings).toContainEqual(
    expect.objectContaining({ level, what: "VPC", evidence: expect.stringMatching(said) }),
  );
  expect(findings.some((finding) => finding.level === "ok")).toBe(false);
});

test("pods of the VPC outside of the range that is taken for theirs are an error, in an overlay they are not there", () => {
  const wider = { ...given, nodeRanges: ["10.20.0.0/18", "10.30.0.0/20"] };
  const second = {
    ...subnets(subnet(0), subnet(1, { CidrBlock: "10.30.0.0/20" })),
    vpc: { value: vpcWith("10.20.0.0/16", "10.30.0.0/16") },
  };
  expect(judge(second, { vpc: wider })).toMatchObject([
    { level: "error", evidence: expect.stringContaining("taken for the pods' range") },
  ]);
  expect(judge(second, { vpc: wider, ...overlay })).toMatchObject([{ level: "ok" }]);
});

test("a range that is no longer associated is none", () => {
  const old = { CidrBlock: "172.20.0.0/16", CidrBlockState: { State: "disassociated" } };
  const seen = vpcWith("10.20.0.0/16");
  expect(
    judge({ vpc: { value: { ...seen, CidrBlockAssociationSet: [...(seen.CidrBlockAssociationSet ?? []), old] } } }),
  ).toMatchObject([{ level: "ok" }]);
});

test.each(["vpc", "dnsSupport", "dnsHostnames", "subnets", "routeTables"] as const)(
  "where %s may not be asked it is not fine",
  (part) => {
    expect(judge({ [part]: DENIED })).toMatchObject([
      { level: "warning", evidence: expect.stringMatching(/^Not all of it is checked/) },
    ]);
  },
);

test("a subnet has its own route table, else the main one", () => {
  const own = {
    RouteTableId: "rtb-own",
    Associations: [{ SubnetId: given.subnetIds[1] ?? "" }],
    Routes: [{ TransitGatewayId: "tgw-1" }],
  };
  const tables = [table(local), own];
  expect(routesOf([subnet(0)], tables)).toEqual([local]);
  expect(routesOf([subnet(0), subnet(1)], tables)).toEqual([local, { TransitGatewayId: "tgw-1" }]);
});

test("a range of the VPC's own that the pods must not have is said once, and is no other network", () => {
  const added = { DestinationCidrBlock: "100.64.0.0/20", GatewayId: "local" };
  const findings = judge({ vpc: { value: vpcWith("10.20.0.0/16", "100.64.0.0/20") }, ...routes(nat, added) }, overlay);
  expect(findings).toMatchObject([{ level: "error", evidence: expect.stringContaining("podCidr") }]);
});
