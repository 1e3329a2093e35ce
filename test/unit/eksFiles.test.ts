import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { isGivenVpc } from "../../components/settingsEks.ts";
import { projectRoot } from "../../tools/paths.ts";
import { load } from "./components/config.ts";
import { type EksStack, eksStack, GIVEN, TYPES } from "./eks/stack.ts";

const configOf = (file: string) =>
  (parse(readFileSync(join(projectRoot, file), "utf8")) as { config: Record<string, object> }).config;

/** The settings of a config file of this project, and what they are warned of. */
function read(file: string) {
  const { settings, warnings } = load(configOf(file));
  if (settings.cluster.provider !== "eks") throw new Error(`${file} is of ${settings.cluster.provider}`);
  return { settings, cluster: settings.cluster, warned: warnings.map(({ key }) => key) };
}

test("the committed stack of EKS is small, encrypted and guarded, and can be deleted", () => {
  const { settings, cluster, warned } = read("Pulumi.eks.yaml");
  expect(settings).toMatchObject({ encryption: "wireguard", guard: true, admission: true });
  expect(cluster).toMatchObject({ network: "eni", protect: false, vpc: { natGateways: "one" } });
  expect(Object.values(cluster.nodeGroups)).toMatchObject([{ nodes: 2, instanceTypes: ["t3.medium"] }]);
  expect(warned).toEqual(["wirecloak:cluster.endpoint.allowedCidrs"]);
});

describe("examples of EKS", () => {
  test("a new cluster, in a VPC of its own", () => {
    const { settings, cluster } = read("examples/eks-new/stack.yaml");
    expect(settings.encryption).toBe("wireguard");
    expect(isGivenVpc(cluster)).toBe(false);
  });

  test("a given VPC, with strict mode for the pods' own range", () => {
    const { settings, cluster } = read("examples/eks-given-vpc/stack.yaml");
    expect(settings).toMatchObject({ encryption: "ipsec", strict: true });
    expect(isGivenVpc(cluster)).toBe(true);
    expect(cluster.podCidr).not.toBe(cluster.vpc.cidr);
  });

  test("a private cluster, which nobody from outside reaches and nobody deletes by mistake", () => {
    const { cluster, warned } = read("examples/eks-private/stack.yaml");
    expect(cluster).toMatchObject({ endpoint: { public: false }, protect: true });
    expect(warned).toEqual([]);
  });
});

/** What the program makes of a config file, as AWS is mocked. */
function made(file: string, preview = false): Promise<EksStack> {
  const { "wirecloak:cluster": cluster, ...config } = configOf(file);
  return eksStack(cluster, config, preview);
}

/** Names of what Pulumi refuses to delete. */
function kept({ resources, options }: EksStack): string[] {
  const names = resources.map(({ name }) => name).filter((name) => options.get(name)?.protect === true);
  return [...new Set(names)].sort();
}

const NETWORK: readonly string[] = [TYPES.vpc, TYPES.subnet, TYPES.nat];
const networkOf = ({ resources }: EksStack) =>
  resources.map(({ type }) => type).filter((type) => NETWORK.includes(type));

const FILES = [
  ["Pulumi.eks.yaml", "eks"],
  ["examples/eks-new/stack.yaml", "ex-eks-new"],
  ["examples/eks-given-vpc/stack.yaml", "ex-eks-given"],
  ["examples/eks-private/stack.yaml", "ex-eks-private"],
] as const;

describe.each(FILES)("the cluster of %s", (file, name) => {
  test("comes up with its nodes, their guard and Cilium", async () => {
    const stack = await made(file);
    expect(stack.of(TYPES.cluster).map(({ inputs }) => inputs.name)).toEqual([name]);
    expect(stack.of(TYPES.nodeGroup)).toHaveLength(1);
    expect(stack.of(TYPES.release)).toHaveLength(1);
    expect(await stack.before("cilium-release")).toEqual(
      expect.arrayContaining([...stack.of(TYPES.ingress), ...stack.of(TYPES.egress)].map((rule) => rule.name)),
    );
  });

  test("has its tag on everything that AWS can tag, the nodes' disks included", async () => {
    const stack = await made(file);
    const tags = `"wirecloak:cluster":"${name}"`;
    expect(stack.named(`${name}-aws`).inputs.defaultTags).toContain(tags);
    for (const { type, name: made, provider } of stack.resources.filter((each) => each.type.startsWith("aws:")))
      expect([type, made, provider]).toEqual([type, made, expect.stringContaining(`::${name}-aws::`)]);
    const specifications = stack.of(TYPES.template).flatMap(({ inputs }) => inputs.tagSpecifications as object[]);
    expect(specifications).toHaveLength(3);
    for (const specification of specifications) expect(JSON.stringify(specification)).toContain(tags);
  });

  test("has a preview before anything of it is there", async () => {
    expect((await made(file, true)).of(TYPES.nodeGroup)).toHaveLength(1);
  });
});

describe("what the files ask for is made", () => {
  test.each(["Pulumi.eks.yaml", "examples/eks-new/stack.yaml"])(
    "%s: a VPC of its own with one gateway, an API server that answers outside, and nothing that cannot be deleted",
    async (file) => {
      const stack = await made(file);
      expect(stack.of(TYPES.vpc)).toHaveLength(1);
      expect(stack.of(TYPES.subnet)).toHaveLength(4);
      expect(stack.of(TYPES.nat)).toHaveLength(1);
      expect(stack.of(TYPES.cluster)[0]?.inputs).toMatchObject({
        vpcConfig: { endpointPublicAccess: true, endpointPrivateAccess: true, publicAccessCidrs: ["0.0.0.0/0"] },
        deletionProtection: false,
      });
      expect(kept(stack)).toEqual([]);
    },
  );

  test("eks-new: spare capacity of two kinds, up to four nodes", async () => {
    const [group] = (await made("examples/eks-new/stack.yaml")).of(TYPES.nodeGroup);
    expect(group?.inputs).toMatchObject({
      capacityType: "SPOT",
      instanceTypes: ["t3.medium", "t3a.medium"],
      scalingConfig: { desiredSize: 3, minSize: 3, maxSize: 4 },
    });
  });

  test("eks-given-vpc: nothing of a network, nodes in the given subnets, IPsec with strict mode for the pods' range", async () => {
    const stack = await made("examples/eks-given-vpc/stack.yaml");
    expect(networkOf(stack)).toEqual([]);
    expect(stack.of(TYPES.nodeGroup)[0]?.inputs.subnetIds).toEqual(GIVEN.subnetIds);
    expect(stack.of(TYPES.secret).map(({ name }) => name)).toEqual(["cilium-ipsec-keys"]);
    const strict = { strictMode: { egress: { enabled: true, cidr: "100.64.0.0/16" } } };
    expect(stack.of(TYPES.release)[0]?.inputs.values).toMatchObject({ encryption: { type: "ipsec", ...strict } });
    expect(kept(stack)).toEqual([]);
  });

  test("eks-private: nothing of a network, an API server that answers in the VPC only, and what must not be deleted by mistake", async () => {
    const stack = await made("examples/eks-private/stack.yaml");
    expect(networkOf(stack)).toEqual([]);
    const { vpcConfig, ...cluster } = stack.of(TYPES.cluster)[0]?.inputs ?? {};
    expect(vpcConfig).toEqual({
      ...{ endpointPublicAccess: false, endpointPrivateAccess: true },
      subnetIds: GIVEN.subnetIds,
    });
    expect(cluster).toMatchObject({ deletionProtection: true });
    expect(kept(stack)).toEqual(["ex-eks-private-cluster", "ex-eks-private-cluster-secrets"]);
    expect(stack.of(TYPES.logGroup)[0]?.inputs).toMatchObject({ retentionInDays: 365 });
    expect(stack.of("aws:eks/accessEntry:AccessEntry")[0]?.inputs).toMatchObject({
      principalArn: "arn:aws:iam::111122223333:role/platform",
    });
    expect(stack.of(TYPES.nodeGroup)[0]?.inputs).toMatchObject({ amiType: "AL2023_ARM_64_STANDARD" });
  });
});
