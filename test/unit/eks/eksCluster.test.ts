import * as pulumi from "@pulumi/pulumi";
import { overlap, parseCidr } from "../../../components/cidr.ts";
import type { OwnLifetime } from "../../../components/cluster/cluster.ts";
import { outputValue } from "../outputs.ts";
import { CERTIFICATE, type EksStack, ENDPOINT, eksStack, GIVEN, ISSUER, KEY, TYPES } from "./stack.ts";

/** How a secret looks to a mock. */
const SECRET = "4dabf18193072939515e22adb298388d";

/** Every mode in every network that has it. */
const STACKS = [
  ["eni", "wireguard"],
  ["eni", "ipsec"],
  ["overlay", "wireguard"],
  ["overlay", "ipsec"],
  ["chaining", "wireguard"],
] as const;

const isAws = ({ type }: { type: string }) => type.startsWith("aws:");
const optionsOf = ({ options }: EksStack, name: string) => (options.get(name) ?? {}) as pulumi.CustomResourceOptions;

/** Every text of a resource's inputs that is not a secret's. */
function plainTexts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || SECRET in value) return [];
  return Object.values(value).flatMap(plainTexts);
}

describe.each(STACKS)("an EKS cluster in network mode %s with %s", (network, encryption) => {
  const stack = () => eksStack({ network }, { encryption });

  test("is born without CNI, kube-proxy and DNS", async () => {
    expect((await stack()).named("dev-cluster").inputs).toMatchObject({ bootstrapSelfManagedAddons: false });
  });

  test("keeps pods off every node until Cilium runs there", async () => {
    const groups = (await stack()).of(TYPES.nodeGroup);
    expect(groups).not.toEqual([]);
    for (const { inputs } of groups) {
      expect(inputs.taints).toEqual([{ key: "node.cilium.io/agent-not-ready", value: "true", effect: "NO_EXECUTE" }]);
    }
  });

  test("has the guard's rules before Cilium, and before its first node", async () => {
    const made = await stack();
    const rules = [...made.of(TYPES.ingress), ...made.of(TYPES.egress)].map(({ name }) => name);
    const form = encryption === "ipsec" ? "dev-guard-ipsec-esp" : "dev-guard-wireguard-udp-51871";
    expect(rules).toEqual(expect.arrayContaining([`${form}-from-nodes`, `${form}-to-nodes`]));
    expect(await made.before("cilium-release")).toEqual(expect.arrayContaining(rules));
    expect(await made.before("dev-nodes-workers")).toEqual(expect.arrayContaining(rules));
  });

  test("lets nodes send each other nothing but ciphertext and named ports", async () => {
    const made = await stack();
    const between = [...made.of(TYPES.ingress), ...made.of(TYPES.egress)].filter(
      ({ inputs }) => inputs.securityGroupId === "dev-guard-id" && inputs.referencedSecurityGroupId === "dev-guard-id",
    );
    const esp = between.filter(({ inputs }) => inputs.ipProtocol === "50");
    expect(esp).toHaveLength(encryption === "ipsec" ? 2 : 0);
    for (const { inputs } of between) {
      if (inputs.ipProtocol === "50") continue;
      expect(["tcp", "udp", "icmp"]).toContain(inputs.ipProtocol);
      // Of ICMP these are type and code.
      expect(inputs.fromPort).toEqual(inputs.ipProtocol === "icmp" ? expect.any(Number) : inputs.toPort);
    }
  });

  test("lets nodes send nothing to addresses in which nodes are, but to the nodes' group and the control plane's", async () => {
    const made = await stack();
    expect(made.named("dev-guard").inputs).not.toHaveProperty("egress");
    const everywhere = made.of(TYPES.egress).filter(({ inputs }) => inputs.cidrIpv4 !== undefined);
    expect(everywhere.length).toBeGreaterThan(10);
    for (const { inputs } of everywhere) {
      const to = parseCidr(String(inputs.cidrIpv4));
      for (const nodes of ["10.0.0.0/19", "10.0.32.0/19"]) {
        const range = parseCidr(nodes);
        expect([nodes, inputs.cidrIpv4, to && range && overlap(range, to)]).toEqual([nodes, inputs.cidrIpv4, false]);
      }
    }
  });

  test("gets its nodes after Cilium, which does not wait for any, and then its agents are waited for", async () => {
    const made = await stack();
    expect(await made.before("dev-nodes-workers")).toContain("cilium");
    expect(made.named("cilium-release").inputs).toMatchObject({ skipAwait: true });
    expect(await made.before("agents-wait")).toEqual(["dev-nodes-workers"]);
  });

  test("gets DNS after its nodes; what Cilium itself needs comes before it", async () => {
    const made = await stack();
    const addons = made.of(TYPES.addon).map(({ inputs }) => inputs.addonName);
    expect(addons.sort()).toEqual(network === "chaining" ? ["coredns", "kube-proxy", "vpc-cni"] : ["coredns"]);
    expect(await made.before("dev-coredns")).toEqual(["dev-nodes-workers"]);
    const early = network === "chaining" ? ["dev-kube-proxy", "dev-vpc-cni"] : [];
    expect(await made.before("cilium-release")).toEqual(expect.arrayContaining(early));
    expect(await made.before("cilium-release")).not.toContain("dev-coredns");
  });

  test("has the IPsec Secret before Cilium, and none in the other mode", async () => {
    const made = await stack();
    const secrets = made.of(TYPES.secret).map(({ name }) => name);
    expect(secrets).toEqual(encryption === "ipsec" ? ["cilium-ipsec-keys"] : []);
    expect(await made.before("cilium-release")).toEqual(expect.arrayContaining(secrets));
  });

  test("has no secret in plain anywhere", async () => {
    const texts = (await stack()).resources.flatMap(({ inputs }) => plainTexts(inputs));
    expect(texts.length).toBeGreaterThan(100);
    for (const text of texts) {
      expect(text).not.toContain(KEY.slice(0, 40));
      expect(text).not.toContain(CERTIFICATE);
    }
  });

  test("makes all of it in the settings' region, with its tags, by a provider of its own", async () => {
    const made = await stack();
    expect(made.named("dev-aws").inputs).toMatchObject({
      region: "us-west-2",
      defaultTags: expect.stringContaining('"wirecloak:cluster":"dev"'),
    });
    for (const { name, provider } of made.resources.filter(isAws))
      expect([name, provider]).toEqual([name, expect.stringContaining("::dev-aws::")]);
  });

  test("gives every resource a parent", async () => {
    const made = await stack();
    for (const { name } of made.resources.filter(isAws))
      expect([name, optionsOf(made, name).parent]).toEqual([name, expect.anything()]);
  });

  test("survives a preview in which nothing of it is known yet", async () => {
    const made = await eksStack({ network }, { encryption }, true);
    expect(made.of(TYPES.nodeGroup)).toHaveLength(1);
  });
});

describe("the nodes of an EKS cluster", () => {
  test("give their credentials to nothing that is a hop away, and have encrypted disks", async () => {
    const [template] = (await eksStack()).of(TYPES.template);
    expect(template?.inputs).toMatchObject({
      metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
      blockDeviceMappings: [{ ebs: { encrypted: "true" } }],
    });
  });

  test("are in their own security group alone, not in the one of EKS, in which everything passes", async () => {
    const [template] = (await eksStack()).of(TYPES.template);
    expect(template?.inputs.vpcSecurityGroupIds).toEqual(["dev-guard-id"]);
  });

  test("have tags, and so do their disks and network interfaces", async () => {
    const [template] = (await eksStack({ tags: { team: "net" } })).of(TYPES.template);
    const specifications = template?.inputs.tagSpecifications as { resourceType: string; tags: object }[];
    expect(specifications.map(({ resourceType }) => resourceType)).toEqual(["instance", "volume", "network-interface"]);
    for (const { tags } of specifications) expect(tags).toMatchObject({ team: "net", "wirecloak:cluster": "dev" });
  });

  test("have no right in AWS but to join and to pull images", async () => {
    const made = await eksStack();
    const ofNodes = made.of(TYPES.attachment).filter(({ name }) => name.startsWith("dev-nodes"));
    expect(ofNodes.map(({ inputs }) => String(inputs.policyArn).split("/").at(-1))).toEqual([
      "AmazonEKSWorkerNodePolicy",
      "AmazonEC2ContainerRegistryPullOnly",
    ]);
    expect(made.of(TYPES.rolePolicy).filter(({ name }) => name.startsWith("dev-nodes"))).toEqual([]);
  });

  test("are moved back to their number only where nothing else scales them", async () => {
    const scaled = await eksStack({ nodeGroups: { a: { nodes: 2, min: 1, max: 5 }, b: { nodes: 2 } } });
    expect(optionsOf(scaled, "dev-nodes-a").ignoreChanges).toEqual(["scalingConfig.desiredSize"]);
    expect(optionsOf(scaled, "dev-nodes-b").ignoreChanges).toBeUndefined();
  });
});

describe("where plaintext is allowed", () => {
  const allowPlaintext = { reason: "a test", until: "2099-01-01" };

  test("the rules that open come after Cilium has changed, and before the nodes that are waited for", async () => {
    const made = await eksStack({}, { encryption: "none", allowPlaintext });
    const open = ["dev-guard-unguarded-from-nodes", "dev-guard-unguarded-to-nodes"];
    for (const name of open) expect(await made.before(name)).toEqual(["cilium"]);
    expect(await made.before("dev-nodes-workers")).toEqual(expect.arrayContaining(open));
    const first = await made.before("cilium-release");
    expect(first.filter((name) => open.includes(name))).toEqual([]);
    expect(first).toContain("dev-guard-health-tcp-4240-from-nodes");
    expect(made.cluster.guardLimits).toBeUndefined();
  });
});

describe("pods with addresses of the VPC", () => {
  test("have them in the nodes' subnets only, where the guard knows them", async () => {
    const eni = await eksStack();
    expect(eni.named("cilium-release").inputs).toMatchObject({
      values: {
        eni: {
          subnetIDsFilter: ["dev-network-private-us-west-2a-id", "dev-network-private-us-west-2b-id"],
        },
      },
    });
    const chaining = await eksStack({ network: "chaining" }, { encryption: "wireguard" });
    const configuration = JSON.parse(String(chaining.named("dev-vpc-cni").inputs.configurationValues));
    expect(configuration).toEqual({ env: { ENABLE_SUBNET_DISCOVERY: "false" } });
  });
});

describe("the control plane", () => {
  test("encrypts Secrets with a key that rotates, and keeps logs for a time", async () => {
    const made = await eksStack();
    expect(made.named("dev-cluster-secrets").inputs).toMatchObject({ enableKeyRotation: true });
    expect(made.named("dev-cluster").inputs).toMatchObject({
      encryptionConfig: { resources: ["secrets"], provider: { keyArn: expect.stringContaining("arn:aws:kms") } },
      enabledClusterLogTypes: ["api", "audit", "authenticator"],
    });
    expect(made.of(TYPES.logGroup)[0]?.inputs).toMatchObject({ name: "/aws/eks/dev/cluster", retentionInDays: 30 });
    expect(await made.before("dev-cluster")).toContain("dev-cluster-logs");
  });

  test("answers outside of the VPC only as the settings say, and inside always", async () => {
    const vpcConfig = async (cluster: object) => (await eksStack(cluster)).named("dev-cluster").inputs.vpcConfig;
    expect(await vpcConfig({ endpoint: { public: false } })).toMatchObject({
      endpointPublicAccess: false,
      endpointPrivateAccess: true,
    });
    expect(await vpcConfig({ endpoint: { allowedCidrs: ["203.0.113.7/32"] } })).toMatchObject({
      ...{ endpointPublicAccess: true, endpointPrivateAccess: true },
      publicAccessCidrs: ["203.0.113.7/32"],
    });
  });

  test.each([true, false])(
    "with protect %s: cluster, key and VPC, and nothing that an update has to delete",
    async (protect) => {
      const made = await eksStack({ protect });
      const names = made.resources.map(({ name }) => name).filter((name) => optionsOf(made, name).protect === true);
      expect(new Set(names)).toEqual(new Set(protect ? ["dev-network", "dev-cluster", "dev-cluster-secrets"] : []));
      expect(made.named("dev-cluster").inputs).toMatchObject({ deletionProtection: protect });
    },
  );

  test("knows the administrators that the settings name", async () => {
    const arn = "arn:aws:iam::111122223333:role/ops";
    const made = await eksStack({ admins: [arn] });
    const [entry] = made.of("aws:eks/accessPolicyAssociation:AccessPolicyAssociation");
    expect(entry?.inputs).toMatchObject({ principalArn: arn, accessScope: { type: "cluster" } });
  });
});

describe("the network", () => {
  test("is made with private subnets for the nodes and one gateway, or one for each zone", async () => {
    const one = await eksStack();
    expect(one.of(TYPES.nat)).toHaveLength(1);
    expect(one.of(TYPES.nodeGroup)[0]?.inputs.subnetIds).toEqual([
      "dev-network-private-us-west-2a-id",
      "dev-network-private-us-west-2b-id",
    ]);
    expect((await eksStack({ vpc: { natGateways: "per-zone" } })).of(TYPES.nat)).toHaveLength(2);
  });

  test("is there before the first node, ways out included", async () => {
    expect(await (await eksStack()).before("dev-nodes-workers")).toEqual(
      expect.arrayContaining([
        "dev-network-public",
        "dev-network-private-us-west-2a",
        "dev-network-private-us-west-2b",
      ]),
    );
  });

  test("that is there already is used as it is", async () => {
    const made = await eksStack({ vpc: GIVEN });
    expect(made.resources.filter(({ type }) => [TYPES.vpc, TYPES.subnet, TYPES.nat].includes(type as never))).toEqual(
      [],
    );
    expect(made.of(TYPES.nodeGroup)[0]?.inputs.subnetIds).toEqual(GIVEN.subnetIds);
    expect(made.named("dev-guard").inputs).toMatchObject({ vpcId: GIVEN.id });
    const outside = made.of(TYPES.egress).map(({ inputs }) => inputs.cidrIpv4);
    expect(outside).toContain("10.8.128.0/17");
  });
});

describe("rights in AWS", () => {
  test("to make network interfaces are Cilium's operator's alone, in ENI mode alone", async () => {
    const [policy, ...others] = (await eksStack()).of(TYPES.rolePolicy).filter(({ name }) => name.includes("operator"));
    expect(others).toEqual([]);
    expect(policy?.inputs.policy).toContain("ec2:CreateNetworkInterface");
    expect((await eksStack({ network: "overlay" })).resources.map(({ name }) => name)).not.toContain(
      "dev-cilium-operator",
    );
  });

  test("of the operator are taken by its service account and no other", async () => {
    const role = (await eksStack()).of(TYPES.role).find(({ name }) => name === "dev-cilium-operator");
    expect(role?.inputs.assumeRolePolicy).toContain("system:serviceaccount:kube-system:cilium-operator");
  });

  test("reach the operator by the values of the chart, which stay readable otherwise", async () => {
    const { inputs } = (await eksStack()).named("cilium-release");
    expect(inputs.values).toMatchObject({
      eni: { iamRole: "arn:aws:iam::111122223333:role/r" },
      ipam: { mode: "eni" },
    });
  });
});

describe("the kubeconfig", () => {
  test("is secret, names this cluster, and holds no credential", async () => {
    const { cluster } = await eksStack();
    expect(await pulumi.isSecret(cluster.kubeconfig)).toBe(true);
    const { clusters, users, ...rest } = JSON.parse(await outputValue(cluster.kubeconfig));
    expect(clusters).toEqual([
      { name: "dev", cluster: { server: ENDPOINT, "certificate-authority-data": CERTIFICATE } },
    ]);
    expect(users).toEqual([{ name: "dev", user: { exec: expect.objectContaining({ command: "aws" }) } }]);
    expect(rest).toMatchObject({ "current-context": "dev" });
  });

  test("goes to its file by stdin, unseen", async () => {
    const { inputs } = (await eksStack()).named("dev-kubeconfig");
    expect(inputs).toMatchObject({
      stdin: { [SECRET]: expect.any(String) },
      logging: "none",
      addPreviousOutputInEnv: false,
    });
    expect(inputs.create).toBe('node "$PROGRAM" write "$FILE"');
  });

  test("has a path that is no secret, and an API server for agents", async () => {
    const { cluster } = await eksStack();
    expect(await pulumi.isSecret(cluster.kubeconfigPath)).toBe(false);
    expect(await outputValue(cluster.kubeconfigPath)).toMatch(/clusters\/dev\/kubeconfig$/);
    expect(await outputValue(pulumi.output(cluster.apiServer))).toEqual({
      host: new URL(ENDPOINT).hostname,
      port: 443,
    });
  });
});

describe("what is inside the cluster", () => {
  test("goes with it, and is told apart from what an earlier one of its name had", async () => {
    const made = await eksStack();
    const { deletedWith, replaceWith } = made.cluster.lifetime as OwnLifetime;
    expect(await outputValue((deletedWith as pulumi.Resource).urn)).toMatch(/::dev-inside$/);
    expect(await Promise.all(replaceWith.map(({ urn }) => outputValue(urn)))).toEqual([
      expect.stringMatching(/aws:eks\/cluster:Cluster::dev-cluster$/),
    ]);
    expect(optionsOf(made, "dev-cluster").deleteBeforeReplace).toBe(true);
    expect(await outputValue(made.cluster.incarnation)).toBe(ISSUER);
  });
});

describe("on the first preview", () => {
  const kubeconfig = process.env.KUBECONFIG;
  beforeEach(() => {
    process.env.KUBECONFIG = "/poison/kubeconfig";
  });
  afterEach(() => {
    if (kubeconfig === undefined) delete process.env.KUBECONFIG;
    else process.env.KUBECONFIG = kubeconfig;
  });

  test("what is inside the cluster waits for the cluster's own kubeconfig, and none of the shell's is read", async () => {
    const made = await eksStack({}, { encryption: "ipsec" }, true);
    const { inputs } = made.named("dev-kubernetes");
    // Unknown as yet, which is not the same as absent: then the plugin would take the shell's.
    expect(inputs.kubeconfig).toMatchObject({ [SECRET]: expect.any(String) });
    expect(JSON.stringify(inputs)).not.toContain("poison");
    for (const { name, provider } of made.resources.filter(({ type }) => type.startsWith("kubernetes:")))
      expect([name, provider]).toEqual([name, expect.stringContaining("::dev-kubernetes::")]);
  });
});

describe("a change of settings replaces neither cluster nor network nor nodes", () => {
  /** Inputs of everything in AWS by type and name, but for what the change is meant to touch. */
  async function inputs(cluster: object, config: Record<string, unknown>, without: readonly string[] = []) {
    const { resources } = await eksStack(cluster, config);
    const kept = resources.filter((resource) => isAws(resource) && !without.includes(resource.type));
    return Object.fromEntries(kept.map(({ type, name, inputs }) => [`${type} ${name}`, inputs]));
  }

  test.each(["eni", "overlay"])("the mode (%s): the guard's own rules alone differ", async (network) => {
    const rules = [TYPES.ingress, TYPES.egress];
    const ipsec = await inputs({ network }, { encryption: "ipsec" }, rules);
    expect(await inputs({ network }, { encryption: "wireguard" }, rules)).toEqual(ipsec);
    expect(Object.keys(ipsec).length).toBeGreaterThan(20);
  });

  test("the mode: each mode's rule is a resource of its own, so that both are there while nodes change", async () => {
    const names = async (encryption: string) =>
      (await eksStack({}, { encryption })).resources
        .filter(({ type }) => type === TYPES.ingress || type === TYPES.egress)
        .map(({ name }) => name);
    const [wireguard, ipsec] = [await names("wireguard"), await names("ipsec")];
    expect(wireguard.filter((name) => !ipsec.includes(name))).toEqual([
      "dev-guard-wireguard-udp-51871-from-nodes",
      "dev-guard-wireguard-udp-51871-to-nodes",
    ]);
    expect(ipsec.filter((name) => !wireguard.includes(name))).toEqual([
      "dev-guard-ipsec-esp-from-nodes",
      "dev-guard-ipsec-esp-to-nodes",
    ]);
  });

  test("the mode, in each input that would replace the cluster, the network or the nodes: none differs", async () => {
    const lasting: readonly string[] = [TYPES.cluster, TYPES.vpc, TYPES.subnet, TYPES.nodeGroup, TYPES.template];
    const config = [
      { encryption: "ipsec" },
      { encryption: "wireguard" },
      { encryption: "wireguard", wireguard: { nodeEncryption: true } },
      { encryption: "none", allowPlaintext: { reason: "a test", until: "2099-01-01" } },
    ];
    const made: { type: string; name: string; inputs: object }[][] = [];
    // One after another: Pulumi has one set of mocks at a time.
    for (const each of config)
      made.push((await eksStack({}, each)).resources.filter(({ type }) => lasting.includes(type)));
    const [first, ...others] = made;
    expect(new Set(first?.map(({ type }) => type))).toEqual(new Set(lasting));
    const byName = (resources: { name: string; inputs: object }[] = []) =>
      Object.fromEntries(resources.map(({ name, inputs }) => [name, inputs]));
    for (const other of others) expect(byName(other)).toEqual(byName(first));
  });

  test("the key: nothing in AWS differs", async () => {
    const three = await inputs({}, { encryption: "ipsec" });
    expect(await inputs({}, { encryption: "ipsec", ipsec: { keyId: 4 } })).toEqual(three);
  });

  test("the number of nodes: their group is scaled in place", async () => {
    const two = await inputs({}, {});
    const three = await inputs({ nodeGroups: { workers: { nodes: 3 } } }, {});
    const group = `${TYPES.nodeGroup} dev-nodes-workers`;
    const { scalingConfig: _, ...rest } = two[group] ?? {};
    expect(three[group]).toEqual({ ...rest, scalingConfig: { desiredSize: 3, minSize: 3, maxSize: 3 } });
    expect({ ...three, [group]: two[group] }).toEqual(two);
  });

  test("a node group more: the others are as they are", async () => {
    const before = await inputs({}, {});
    expect(await inputs({ nodeGroups: { workers: {}, arm: { instanceTypes: ["t4g.medium"] } } }, {})).toMatchObject(
      before,
    );
  });

  test("a zone more: the subnets of the others are as they are", async () => {
    const zones = ["us-west-2a", "us-west-2b"];
    const subnets = async (names: string[]) => (await eksStack({ vpc: { zones: names } })).of(TYPES.subnet);
    expect(await subnets([...zones, "us-west-2c"])).toEqual(expect.arrayContaining(await subnets(zones)));
  });
});
