import fc from "fast-check";
import { contains, overlap, parseCidr } from "../../../components/cidr.ts";
import { guardLimits, guardRules } from "../../../components/cluster/eks/guardRules.ts";
import { isScaled, launchTemplateSpec, nodeGroupSpec } from "../../../components/cluster/eks/nodeSpec.ts";
import { ciliumOperator, partitionOf, serviceAccountTrust } from "../../../components/cluster/eks/policyDocuments.ts";
import { nodeRanges, zoneSubnets, zonesOf } from "../../../components/cluster/eks/subnets.ts";
import { misplaced } from "../../../components/cluster/eksSubnet.ts";
import type { EksSettings, NodeGroupSettings } from "../../../components/settings.ts";
import { settingsOf } from "../components/config.ts";
import { GIVEN } from "./stack.ts";

function range(text: string) {
  const parsed = parseCidr(text);
  if (!parsed) throw new Error(`no range: ${text}`);
  return parsed;
}

describe("the subnets of a VPC", () => {
  test("are a private part for each zone, and small public ones", () => {
    expect(zoneSubnets("10.0.0.0/16", ["a", "b"])).toEqual([
      { zone: "a", private: "10.0.0.0/19", public: "10.0.224.0/23" },
      { zone: "b", private: "10.0.32.0/19", public: "10.0.226.0/23" },
    ]);
  });

  const vpcs = fc
    .tuple(fc.integer({ min: 16, max: 20 }), fc.nat(255), fc.integer({ min: 2, max: 4 }))
    .map(([prefix, octet, zones]) => ({
      vpc: `10.${octet}.0.0/${prefix}`,
      zones: ["a", "b", "c", "d"].slice(0, zones),
    }));

  test("are inside of it, and never share an address", () => {
    fc.assert(
      fc.property(vpcs, ({ vpc, zones }) => {
        const all = zoneSubnets(vpc, zones).flatMap((subnets) => [range(subnets.private), range(subnets.public)]);
        for (const [i, one] of all.entries()) {
          expect(contains(range(vpc), one)).toBe(true);
          for (const other of all.slice(i + 1)) expect(overlap(one, other)).toBe(false);
        }
      }),
    );
  });

  test("have a size that AWS takes, /16 to /28", () => {
    fc.assert(
      fc.property(vpcs, ({ vpc, zones }) => {
        for (const subnets of zoneSubnets(vpc, zones))
          for (const { prefix } of [range(subnets.private), range(subnets.public)]) {
            expect(prefix).toBeGreaterThanOrEqual(16);
            expect(prefix).toBeLessThanOrEqual(28);
          }
      }),
    );
  });

  test("are in two zones of the region where none are named", () => {
    expect(zonesOf({ region: "eu-west-1", vpc: {} })).toEqual(["eu-west-1a", "eu-west-1b"]);
    expect(zonesOf({ region: "ap-northeast-1", vpc: {} })).toEqual(["ap-northeast-1a", "ap-northeast-1c"]);
  });
});

const group = (more: Partial<NodeGroupSettings> = {}): NodeGroupSettings => ({
  ...{ instanceTypes: ["t3.medium"], nodes: 2, spot: false, diskGiB: 30, labels: {} },
  ...more,
});

describe("a node group", () => {
  const of = (more: Partial<NodeGroupSettings>) => nodeGroupSpec({ kubernetes: "1.34" }, group(more));

  test("runs the machine image of its instances' architecture", () => {
    expect(of({}).amiType).toBe("AL2023_x86_64_STANDARD");
    expect(of({ instanceTypes: ["t4g.medium"] }).amiType).toBe("AL2023_ARM_64_STANDARD");
  });

  test("has as many nodes as are asked for, within bounds that AWS takes", () => {
    expect(of({}).scalingConfig).toEqual({ desiredSize: 2, minSize: 2, maxSize: 2 });
    expect(of({ nodes: 0 }).scalingConfig).toEqual({ desiredSize: 0, minSize: 0, maxSize: 1 });
    expect(of({ min: 1, max: 5 }).scalingConfig).toEqual({ desiredSize: 2, minSize: 1, maxSize: 5 });
  });

  test("is scaled by others only where it has room", () => {
    expect([isScaled(group()), isScaled(group({ max: 3 })), isScaled(group({ min: 1 }))]).toEqual([false, true, true]);
  });

  test("lets a node have more pods than the VPC has addresses for it, in an overlay only", () => {
    const userData = (network: "eni" | "overlay" | "chaining") =>
      launchTemplateSpec({ name: "dev", tags: {}, network }, group()).userData;
    expect(Buffer.from(userData("overlay") ?? "", "base64").toString()).toContain("maxPods: 110");
    expect([userData("eni"), userData("chaining")]).toEqual([undefined, undefined]);
  });
});

describe("a policy document", () => {
  interface Statement {
    Action: string[];
    Resource: string[];
    Condition?: object;
  }
  const operator = (region: string): Statement[] =>
    JSON.parse(ciliumOperator({ region, vpc: "vpc-1", cluster: "dev" })).Statement;

  test("of Cilium's operator allows nothing on everything but to read", () => {
    for (const { Action, Resource } of operator("us-west-2").filter(({ Resource }) => Resource.includes("*")))
      for (const action of [...Action, ...(Resource.length > 1 ? ["more than *"] : [])])
        expect(action).toMatch(/^ec2:Describe/);
  });

  test("of Cilium's operator changes what is there only in this VPC, or on this cluster's nodes", () => {
    const changes = operator("us-west-2").filter(({ Action }) =>
      Action.some((action) => !/Describe|Create/.test(action)),
    );
    expect(changes.length).toBeGreaterThan(2);
    for (const { Condition } of changes) expect(JSON.stringify(Condition)).toMatch(/vpc-1|"dev"/);
  });

  test.each([
    ["us-west-2", "aws"],
    ["cn-north-1", "aws-cn"],
    ["us-gov-west-1", "aws-us-gov"],
  ])("names the partition of %s", (region, partition) => {
    expect(partitionOf(region)).toBe(partition);
    const arns = operator(region)
      .flatMap(({ Resource }) => Resource)
      .filter((resource) => resource !== "*");
    for (const arn of arns) expect(arn).toContain(`arn:${partition}:ec2:${region}:`);
  });

  test("of a service account is for that account of that cluster alone", () => {
    const [{ Condition, Principal }] = JSON.parse(
      serviceAccountTrust({ issuer: "https://oidc.example/id/1", provider: "arn:p", namespace: "n", name: "a" }),
    ).Statement;
    expect(Principal).toEqual({ Federated: "arn:p" });
    expect(Condition).toEqual({
      StringEquals: {
        "oidc.example/id/1:sub": "system:serviceaccount:n:a",
        "oidc.example/id/1:aud": "sts.amazonaws.com",
      },
    });
  });
});

describe("the guard's rules", () => {
  const rules = (config: Record<string, unknown>, cluster: object = {}) => {
    const settings = settingsOf({ cluster: { provider: "eks", ...cluster }, ...config });
    return guardRules(settings, settings.cluster as EksSettings);
  };
  const allowPlaintext = { reason: "a test", until: "2099-01-01" };
  const opening = (config: Record<string, unknown>) => {
    const { ingress, egress } = rules(config);
    return [...ingress, ...egress]
      .filter(({ peer, protocol }) => peer === "nodes" && protocol === "-1")
      .map(({ name }) => name);
  };

  test("let nodes send each other anything only without a guard, or where plaintext is allowed", () => {
    expect([opening({}), opening({ encryption: "ipsec" })]).toEqual([[], []]);
    const open = ["unguarded-from-nodes", "unguarded-to-nodes"];
    expect(opening({ guard: "false" })).toEqual(open);
    expect(opening({ encryption: "none", allowPlaintext })).toEqual(open);
  });

  test.each(["wireguard", "ipsec"])("have names of their own each way, each of them a resource: %s", (encryption) => {
    const { ingress, egress, controlPlane } = rules({ encryption });
    for (const names of [[...ingress, ...controlPlane], egress].map((each) => each.map(({ name }) => name)))
      expect(new Set(names).size).toBe(names.length);
  });

  test("let out to no address of a node what is meant for everywhere else", () => {
    for (const cluster of [{}, { vpc: { id: GIVEN.id, subnetIds: GIVEN.subnetIds, nodeRanges: GIVEN.nodeRanges } }]) {
      const settings = settingsOf({ cluster: { provider: "eks", ...cluster } });
      const nodes = nodeRanges(settings.cluster as EksSettings);
      const outside = rules({}, cluster).egress.flatMap(({ peer }) => (typeof peer === "object" ? [peer.cidr] : []));
      expect(outside.length).toBeGreaterThan(10);
      for (const cidr of outside) for (const node of nodes) expect(overlap(range(cidr), node)).toBe(false);
    }
  });

  test("take nodes to be in the private subnets of a VPC that is made", () => {
    const { cluster } = settingsOf({ cluster: { provider: "eks", vpc: { cidr: "10.8.0.0/16" } } });
    expect(nodeRanges(cluster as EksSettings)).toEqual([range("10.8.0.0/19"), range("10.8.32.0/19")]);
  });

  test("say what they cannot tell apart, and nothing where they hold nothing up", () => {
    const limits = (config: object) => guardLimits(settingsOf({ cluster: { provider: "eks" }, ...config }));
    expect(limits({})?.join()).toMatch(/Readable UDP on port 51871.*no SSH/);
    expect(limits({ encryption: "ipsec" })?.join()).not.toMatch(/51871/);
    expect([limits({ guard: "false" }), limits({ encryption: "none", allowPlaintext })]).toEqual([
      undefined,
      undefined,
    ]);
  });
});

describe("a subnet that is there", () => {
  const seen = { id: "subnet-0123456789abcdef0", vpcId: GIVEN.id, cidrBlock: "10.8.32.0/20" };

  test("is taken where it is of the VPC and in the nodes' ranges", () => {
    expect(misplaced([seen], GIVEN)).toEqual([]);
  });

  test.each([
    ["of another VPC", { vpcId: "vpc-0000000000000000a" }, "subnetIds"],
    ["beside the ranges", { cidrBlock: "10.8.128.0/20" }, "nodeRanges"],
    ["larger than the range", { cidrBlock: "10.8.0.0/16" }, "nodeRanges"],
    ["without an IPv4 range", { cidrBlock: "" }, "nodeRanges"],
  ])("is refused where it is %s", (_, change, setting) => {
    const problems = misplaced([seen, { ...seen, ...change }], GIVEN);
    expect(problems.map(({ key }) => key)).toEqual([`wirecloak:cluster.vpc.${setting}`]);
  });

  test("and others are refused together, each with a command that leaves the others' ranges as they are", () => {
    const beside = ["10.8.128.0/20", "10.8.144.0/20"].map((cidrBlock) => ({ ...seen, cidrBlock }));
    const stranger = { ...seen, vpcId: "vpc-0000000000000000a" };
    expect(misplaced([...beside, stranger], GIVEN).map(({ fix }) => fix)).toEqual([
      undefined,
      'pulumi config set --path "wirecloak:cluster.vpc.nodeRanges[1]" 10.8.128.0/20',
      'pulumi config set --path "wirecloak:cluster.vpc.nodeRanges[2]" 10.8.144.0/20',
    ]);
  });
});
