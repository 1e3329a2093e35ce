import fc from "fast-check";
import { parseCidr } from "../../../components/cidr.ts";
import type { EksSettings } from "../../../components/settings.ts";
import { isArm } from "../../../components/settingsEksChecks.ts";
import { load, problemsOf, settingsOf } from "./config.ts";

/** Config of an EKS cluster with these of its settings. */
const eks = (cluster: object = {}, others: Record<string, unknown> = {}) => ({
  cluster: { provider: "eks", ...cluster },
  ...others,
});
const given = {
  id: "vpc-0123456789abcdef0",
  subnetIds: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
  nodeRanges: ["10.8.0.0/17"],
};
const clusterOf = (config: Record<string, unknown>) => settingsOf(config).cluster as EksSettings;

describe("an EKS cluster with nothing else set", () => {
  test("is a small one with safe defaults", () => {
    expect(clusterOf(eks())).toMatchSnapshot();
  });

  test("opens its API server to whoever IAM lets in, which is said", () => {
    const keys = ({ warnings }: ReturnType<typeof load>) => warnings.map(({ key }) => key);
    expect(keys(load(eks()))).toEqual(["wirecloak:cluster.endpoint.allowedCidrs"]);
    expect(keys(load(eks({ endpoint: { allowedCidrs: ["203.0.113.7/32"] } })))).toEqual([]);
    expect(keys(load(eks({ endpoint: { public: false } })))).toEqual([]);
  });
});

describe("what the network mode decides", () => {
  test.each<[string, object, object]>([
    ["eni", { routing: "native", ipam: "eni", kubeProxyReplacement: true }, { podCidr: "10.0.0.0/16" }],
    ["overlay", { routing: "tunnel", ipam: "cluster-pool", kubeProxyReplacement: true }, { podCidr: "10.244.0.0/16" }],
    ["chaining", { routing: "native", ipam: "chained", kubeProxyReplacement: false }, { podCidr: "10.0.0.0/16" }],
  ])("%s", (network, cilium, cluster) => {
    const settings = settingsOf(eks({ network }));
    expect(settings.cilium).toMatchObject(cilium);
    expect(settings.cluster).toMatchObject(cluster);
  });

  test("may be said again", () => {
    expect(problemsOf(eks({ network: "eni" }, { cilium: { routing: "native" } }))).toEqual([]);
    expect(problemsOf(eks({ network: "overlay" }, { cilium: { routing: "tunnel", ipam: "cluster-pool" } }))).toEqual(
      [],
    );
    expect(problemsOf(eks({ network: "chaining" }, { cilium: { kubeProxyReplacement: false } }))).toEqual([]);
  });

  test("pods' range is unknown in a VPC that is there, unless it is told", () => {
    expect(clusterOf(eks({ vpc: given }))).not.toHaveProperty("podCidr");
    expect(clusterOf(eks({ vpc: { ...given, cidr: "10.8.0.0/14" } }))).toMatchObject({ podCidr: "10.8.0.0/14" });
  });
});

/** Config, the key that is refused, and words of the message. One row a rule. */
const REFUSED: [string, Record<string, unknown>, string, RegExp][] = [
  ["chaining with IPsec", eks({ network: "chaining" }, { encryption: "ipsec" }), "encryption", /cilium#15596/],
  ["chaining with strict ingress", eks({ network: "chaining" }, { strict: "true" }), "strict", /behind another CNI/],
  ["strict mode in a VPC of unknown range", eks({ vpc: given }, { strict: "true" }), "cluster.vpc.cidr", /the VPC's/],
  ["a Kubernetes older than the matrix", eks({ kubernetes: "1.32" }), "cluster.kubernetes", /1\.20 is not tested/],
  ["a Kubernetes newer than the matrix", eks({ kubernetes: "1.36" }), "cluster.kubernetes", /1\.20 is not tested/],
  [
    "a Kubernetes outside an older Cilium's matrix",
    eks({ kubernetes: "1.35" }, { cilium: { version: "1.19.6" } }),
    "cluster.kubernetes",
    /1\.19 is not tested/,
  ],
  ["a Cilium without a matrix", eks({}, { cilium: { version: "1.17.18" } }), "cluster.kubernetes", /not on record/],
  ["a Kubernetes that YAML read as a number", eks({ kubernetes: 1.34 }), "cluster.kubernetes", /Quote it/],
  ["a range for pods in ENI mode", eks({ podCidr: "10.244.0.0/16" }), "cluster.podCidr", /addresses of the VPC/],
  [
    "a range for pods in chaining",
    eks({ network: "chaining", podCidr: "10.244.0.0/16" }),
    "cluster.podCidr",
    /addresses of the VPC/,
  ],
  ["a tunnel in ENI mode", eks({}, { cilium: { routing: "tunnel" } }), "cilium.routing", /network mode decides/],
  ["a tunnel's protocol in ENI mode", eks({}, { cilium: { tunnel: "geneve" } }), "cilium.tunnel", /network mode/],
  [
    "native routing in an overlay",
    eks({ network: "overlay" }, { cilium: { routing: "native" } }),
    "cilium.routing",
    /in a tunnel/,
  ],
  ["a native range", eks({}, { cilium: { nativeCidr: "10.0.0.0/16" } }), "cilium.nativeCidr", /network mode decides/],
  ["another IPAM", eks({}, { cilium: { ipam: "kubernetes" } }), "cilium.ipam", /network mode decides/],
  [
    "chaining without kube-proxy",
    eks({ network: "chaining" }, { cilium: { kubeProxyReplacement: true } }),
    "cilium.kubeProxyReplacement",
    /by way of kube-proxy/,
  ],
  ["a network mode that is none", eks({ network: "calico" }), "cluster.network", /not one of/],
  ["a region that is none", eks({ region: "Frankfurt" }), "cluster.region", /no AWS region/],
  [
    "a VPC without its subnets",
    eks({ vpc: { id: given.id, nodeRanges: given.nodeRanges } }),
    "cluster.vpc.subnetIds",
    /both/,
  ],
  ["subnets without their VPC", eks({ vpc: { subnetIds: given.subnetIds } }), "cluster.vpc.id", /both/],
  [
    "a VPC without the ranges of its nodes",
    eks({ vpc: { id: given.id, subnetIds: given.subnetIds } }),
    "cluster.vpc.nodeRanges",
    /does not know where/,
  ],
  [
    "ranges of nodes in a VPC that is made",
    eks({ vpc: { nodeRanges: ["10.0.0.0/19"] } }),
    "cluster.vpc.nodeRanges",
    /decides/,
  ],
  [
    "ranges too scattered for a security group",
    eks({ vpc: { ...given, nodeRanges: ["10.8.32.0/24", "10.9.77.0/24", "172.20.3.0/24"] } }),
    "cluster.vpc.nodeRanges",
    /holds 60/,
  ],
  ["one subnet", eks({ vpc: { ...given, subnetIds: [given.subnetIds[0]] } }), "cluster.vpc.subnetIds", /out of range/],
  [
    "zones of a VPC that is there",
    eks({ vpc: { ...given, zones: ["us-west-2a", "us-west-2b"] } }),
    "cluster.vpc.zones",
    /there already/,
  ],
  [
    "gateways of a VPC that is there",
    eks({ vpc: { ...given, natGateways: "one" } }),
    "cluster.vpc.natGateways",
    /there already/,
  ],
  ["a VPC too large for AWS", eks({ vpc: { cidr: "10.0.0.0/12" } }), "cluster.vpc.cidr", /larger than \/16/],
  ["a VPC without room for subnets", eks({ vpc: { cidr: "10.0.0.0/24" } }), "cluster.vpc.cidr", /no room/],
  [
    "a zone of another region",
    eks({ vpc: { zones: ["us-west-2a", "us-east-1a"] } }),
    "cluster.vpc.zones[1]",
    /no zone of us-west-2/,
  ],
  ["one zone twice", eks({ vpc: { zones: ["us-west-2a", "us-west-2a"] } }), "cluster.vpc.zones[1]", /twice/],
  ["services in the VPC's range", eks({ serviceCidr: "10.0.128.0/20" }), "cluster.serviceCidr", /share addresses/],
  [
    "pods of an overlay in the VPC's range",
    eks({ network: "overlay", podCidr: "10.0.128.0/17" }),
    "cluster.podCidr",
    /shares addresses with the VPC/,
  ],
  [
    "services of an overlay in the VPC's range",
    eks({ network: "overlay", serviceCidr: "10.0.128.0/20" }),
    "cluster.serviceCidr",
    /shares addresses with the VPC/,
  ],
  ["no node at all", eks({ nodeGroups: { workers: { nodes: 0 } } }), "cluster.nodeGroups", /no node/],
  ["no node group", eks({ nodeGroups: {} }), "cluster.nodeGroups", /no node/],
  ["more nodes than may be", eks({ nodeGroups: { a: { nodes: 3, max: 2 } } }), "cluster.nodeGroups.a.nodes", /3 to 2/],
  [
    "fewer nodes than must be",
    eks({ nodeGroups: { a: { nodes: 1, min: 2 } } }),
    "cluster.nodeGroups.a.nodes",
    /2 to 1/,
  ],
  [
    "two architectures in one group",
    eks({ nodeGroups: { a: { instanceTypes: ["t3.medium", "t4g.medium"] } } }),
    "cluster.nodeGroups.a.instanceTypes",
    /two architectures/,
  ],
  ["a misspelt part of a node group", eks({ nodeGroups: { a: { node: 3 } } }), "cluster.nodeGroups.a.node", /nodes\?/],
  [
    "a disk too small for the image",
    eks({ nodeGroups: { a: { diskGiB: 5 } } }),
    "cluster.nodeGroups.a.diskGiB",
    /range/,
  ],
  ["a tag of AWS's own", eks({ tags: { "aws:x": "y" } }), 'cluster.tags["aws:x"]', /prefix/],
  ["an administrator that is no ARN", eks({ admins: ["me"] }), "cluster.admins[0]", /no ARN/],
  ["workers, which are kind's", eks({ workers: 3 }), "cluster.workers", /for provider kind and rehearsal/],
];

describe("an EKS cluster is refused with one problem", () => {
  test.each(REFUSED)("%s", (_, config, path, message) => {
    const problems = problemsOf(config);
    expect(problems.map(({ key }) => key)).toEqual([`wirecloak:${path}`]);
    expect(problems[0]?.message).toMatch(message);
  });

  test("and names what would be taken, and the command, for each rule that has one", () => {
    const [problem] = problemsOf(eks({ kubernetes: "1.36" }));
    expect(problem).toMatchObject({
      value: "1.36",
      allowed: "1.33 to 1.35 with Cilium 1.20",
      fix: "pulumi config set --path wirecloak:cluster.kubernetes 1.35",
    });
  });

  test("all problems at once", () => {
    const config = eks({ network: "chaining", kubernetes: "1.30", region: "x" }, { encryption: "ipsec" });
    expect(problemsOf(config).map(({ key }) => key)).toEqual([
      "wirecloak:cluster.region",
      "wirecloak:encryption",
      "wirecloak:cluster.kubernetes",
    ]);
  });
});

describe("an EKS cluster is taken", () => {
  test.each<[string, Record<string, unknown>]>([
    [
      "chaining with strict mode where it is of outgoing traffic only",
      eks({ network: "chaining" }, { strict: "true", cilium: { version: "1.19.6" } }),
    ],
    ["IPsec in ENI mode", eks({}, { encryption: "ipsec" })],
    ["IPsec in an overlay", eks({ network: "overlay" }, { encryption: "ipsec" })],
    ["strict mode in a VPC of known range", eks({ vpc: { ...given, cidr: "10.8.0.0/14" } }, { strict: "true" })],
    [
      "an older Cilium with a Kubernetes of its matrix",
      eks({ kubernetes: "1.33" }, { cilium: { version: "1.18.12" } }),
    ],
  ])("%s", (_, config) => {
    expect(problemsOf(config)).toEqual([]);
  });
});

describe("what is allowed, but not what one may think, is said", () => {
  const quiet = { endpoint: { public: false } };
  test.each<[string, Record<string, unknown>, string, RegExp]>([
    ["strict mode where other hosts share the range", eks(quiet, { strict: "true" }), "strict", /database/],
    ["node encryption", eks(quiet, { wireguard: { nodeEncryption: true } }), "wireguard.nodeEncryption", /TLS/],
    ["an overlay", eks({ ...quiet, network: "overlay" }), "cluster.network", /webhooks/],
  ])("%s", (_, config, path, message) => {
    const [warning, ...others] = load(config).warnings;
    expect(others).toEqual([]);
    expect(warning).toMatchObject({ key: `wirecloak:${path}`, message: expect.stringMatching(message) });
  });
});

test.each([
  ["t3.medium", false],
  ["t4g.medium", true],
  ["m7gd.metal", true],
  ["g4dn.xlarge", false],
  ["g5g.xlarge", true],
  ["im4gn.large", true],
  ["a1.large", true],
  ["u-6tb1.metal", false],
  ["c7i-flex.large", false],
])("%s is of Arm's architecture: %s", (type, arm) => {
  expect(isArm(type)).toBe(arm);
});

test("whatever range a VPC has, in ENI mode the pods' range is the VPC's", () => {
  fc.assert(
    fc.property(fc.integer({ min: 16, max: 20 }), (prefix) => {
      const { podCidr, vpc } = clusterOf(eks({ vpc: { cidr: `10.16.0.0/${prefix}` } }));
      expect(podCidr).toBe(vpc.cidr);
      expect(parseCidr(podCidr ?? "")?.prefix).toBe(prefix);
    }),
  );
});

test("a guard that would let the overlay through is refused together with what else is wrong", () => {
  const config = eks(
    { network: "overlay", tags: { "aws:x": "y" } },
    { encryption: "ipsec", cilium: { version: "1.17.18" } },
  );
  const keys = (others: object = {}) => problemsOf({ ...config, ...others }).map(({ key }) => key);
  expect(keys()).toEqual(expect.arrayContaining(["wirecloak:guard", 'wirecloak:cluster.tags["aws:x"]']));
  expect(keys({ guard: "false" })).not.toContain("wirecloak:guard");
});
