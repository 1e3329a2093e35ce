import * as pulumi from "@pulumi/pulumi";
import { createCluster } from "../../../components/cluster/eks/index.ts";
import { clusterProvider } from "../../../components/cluster/provider.ts";
import { AgentsAgree } from "../../../components/encryption/agents/agents.ts";
import { Cilium } from "../../../components/encryption/cilium.ts";
import { Guard } from "../../../components/encryption/guard/guard.ts";
import { Proof } from "../../../components/proof/proof.ts";
import { settingsOf } from "../components/config.ts";
import { outputValue, type Recorded, type Registered, startMocks } from "../outputs.ts";
import { type Links, recordLinks } from "./links.ts";

export const ISSUER = "https://oidc.eks.us-west-2.amazonaws.com/id/0123456789ABCDEF";
export const ENDPOINT = "https://0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com";
export const CERTIFICATE = "Q0VSVElGSUNBVEU=";
/** The IPsec key, as the mock of the random provider draws it. */
export const KEY = "0123456789abcdef".repeat(5);

/** A VPC that is there; its subnets, as AWS is mocked, fill the first of the ranges that the settings have for nodes. */
export const GIVEN = {
  id: "vpc-0123456789abcdef0",
  subnetIds: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
  nodeRanges: ["10.8.0.0/17"],
};

export const TYPES = {
  cluster: "aws:eks/cluster:Cluster",
  nodeGroup: "aws:eks/nodeGroup:NodeGroup",
  template: "aws:ec2/launchTemplate:LaunchTemplate",
  egress: "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
  ingress: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  addon: "aws:eks/addon:Addon",
  role: "aws:iam/role:Role",
  rolePolicy: "aws:iam/rolePolicy:RolePolicy",
  attachment: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  key: "aws:kms/key:Key",
  vpc: "aws:ec2/vpc:Vpc",
  subnet: "aws:ec2/subnet:Subnet",
  nat: "aws:ec2/natGateway:NatGateway",
  logGroup: "aws:cloudwatch/logGroup:LogGroup",
  command: "command:local:Command",
  kubernetes: "pulumi:providers:kubernetes",
  aws: "pulumi:providers:aws",
  secret: "kubernetes:core/v1:Secret",
  release: "kubernetes:helm.sh/v3:Release",
} as const;

/** What AWS and the others answer; `subnets`: the range of given ones. */
export const mocksOf = (subnets: string) => ({
  [TYPES.cluster]: ({ vpcConfig }: Record<string, unknown>) => ({
    endpoint: ENDPOINT,
    certificateAuthority: { data: CERTIFICATE },
    identities: [{ oidcs: [{ issuer: ISSUER }] }],
    vpcConfig: { ...(vpcConfig as object), clusterSecurityGroupId: "sg-control-plane" },
  }),
  [TYPES.role]: () => ({ arn: "arn:aws:iam::111122223333:role/r" }),
  [TYPES.key]: () => ({ arn: "arn:aws:kms:us-west-2:111122223333:key/k" }),
  "aws:ec2/getSubnet:getSubnet": () => ({ vpcId: GIVEN.id, cidrBlock: subnets }),
  [TYPES.template]: () => ({ latestVersion: 1 }),
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": () => ({ arn: "arn:aws:iam::111122223333:oidc-provider/p" }),
  "random:index/randomPassword:RandomPassword": ({ length }: Record<string, unknown>) => ({
    result: KEY.slice(0, Number(length)),
  }),
  [TYPES.release]: () => ({ status: { revision: 1 } }),
  [TYPES.command]: () => ({ stdout: "{}" }),
});

export interface EksStack extends Recorded {
  cluster: ReturnType<typeof createCluster>;
  /** What each has to do with others, by type and name. */
  links: Map<string, Links>;
  /** The resources of a type. */
  of(type: string): Registered[];
  /** The only resource of a name. */
  named(name: string): Registered;
  /** Names of the resources that must be there before. */
  before(name: string): Promise<string[]>;
}

const made = new Map<string, Promise<EksStack>>();

// A stack is some sixty resources, on a slow machine for seconds.
jest.setTimeout(120_000);

/** What the program makes of a cluster and its encryption, as index.ts puts it together; of the same settings once only. */
export function eksStack(
  cluster: object = {},
  config: Record<string, unknown> = {},
  preview = false,
): Promise<EksStack> {
  const key = JSON.stringify([cluster, config, preview]);
  const known = made.get(key) ?? make(cluster, config, preview);
  made.set(key, known);
  return known;
}

async function make(cluster: object, config: Record<string, unknown>, preview: boolean): Promise<EksStack> {
  const settings = settingsOf({ ...config, cluster: { provider: "eks", ...cluster } });
  const { name, ...eks } = settings.cluster;
  const [subnets = ""] = ("vpc" in eks && eks.vpc.nodeRanges) || [];
  const recorded = await startMocks(mocksOf(subnets), preview);
  const links = recordLinks();
  const { recording, resources, options } = recorded;
  const target = createCluster(name, settings, recording);
  const guard = new Guard("guard", { settings, cluster: target }, recording);
  const provider = clusterProvider(name, target, recording);
  const cilium = new Cilium("cilium", { settings, cluster: target, provider, after: [...guard.widened] }, recording);
  const joined = target.nodesAfter(cilium);
  const agents = new AgentsAgree(
    "agents",
    { settings, cluster: target, revision: cilium.revision, after: joined },
    recording,
  );
  const { revision } = cilium;
  const proof = new Proof("proof", { settings, cluster: target, revision, after: [agents] }, recording);
  await Promise.all([
    outputValue(proof.ran),
    outputValue(agents.urn),
    outputValue(provider.urn),
    ...joined.map(({ urn }) => outputValue(urn)),
  ]);
  // A component tells its outputs last; the next test's mocks would not know it.
  await pulumi.runtime.disconnect();
  return {
    ...recorded,
    cluster: target,
    links,
    of: (type) => resources.filter((resource) => resource.type === type),
    named: (name) => {
      const [found, ...more] = resources.filter(
        (resource) => resource.name === name && !resource.type.startsWith("wirecloak:"),
      );
      if (!found || more.length > 0) throw new Error(`${found ? "more than one" : "no"} ${name}`);
      return found;
    },
    before: async (name) => {
      const { dependsOn = [] } = (options.get(name) ?? {}) as { dependsOn?: pulumi.Resource[] };
      return Promise.all(dependsOn.map(async ({ urn }) => (await outputValue(urn)).split("::").at(-1) ?? ""));
    },
  };
}
