import { zonesOf } from "../../components/cluster/eks/subnets.ts";
import type { Settings } from "../../components/settings.ts";
import { type EksSettings, isGivenVpc } from "../../components/settingsEks.ts";
import { type Finding, ok } from "../finding.ts";
import { type Answer, answered, map } from "./aws.ts";
import { judgeInstances } from "./instances.ts";
import { judgeMtu } from "./mtu.ts";
import { checkPermissions } from "./permissions.ts";
import type { ClusterSeen, Identity, InstanceType, Questions } from "./questions.ts";
import { checkQuotas } from "./quotas.ts";
import { judgeNodeKernel, judgeVersion, kernelOf } from "./versions.ts";
import { type GivenVpc, judgeVpc, routesOf, zonesOfSubnets } from "./vpc.ts";

/** All that making a cluster takes of the account, asked side by side. */
export async function checkNewCluster(
  settings: Settings,
  cluster: EksSettings,
  identity: Identity,
  ask: Questions,
): Promise<Finding[]> {
  const types = askTypes(cluster, ask);
  const [permissions, quotas, version, known, offerings, given] = await Promise.all([
    checkPermissions(cluster, identity, ask),
    checkQuotas(cluster, types, ask),
    checkVersion(cluster, ask),
    types,
    ask.offerings(typesOf(cluster)).then((answer) => map(answer, ({ InstanceTypeOfferings }) => InstanceTypeOfferings)),
    isGivenVpc(cluster) ? askVpc(cluster, types, ask) : undefined,
  ]);
  const subnets = given && (answered(given.subnets) ?? []);
  const zones = subnets ? zonesOfSubnets(subnets) : zonesOf(cluster);
  // Without subnets there are no zones to hold the offerings against.
  const offered = given && !("value" in given.subnets) ? given.subnets : offerings;
  return [
    ...permissions,
    ...quotas,
    version,
    kernel(settings, cluster),
    ...judgeInstances(cluster, known, offered, zones),
    ...(given ? judgeVpc(cluster, given) : []),
    ...judgeMtu(settings, subnets && routesOf(subnets, (given && answered(given.routeTables)) ?? [])),
  ];
}

/** Of a cluster that is there only what a change of its settings brings anew: another version of Kubernetes, other subnets. */
export async function checkOldCluster(
  settings: Settings,
  cluster: EksSettings,
  { version, status, resourcesVpcConfig }: ClusterSeen["cluster"],
  ask: Questions,
): Promise<Finding[]> {
  const there = ok(
    `cluster ${cluster.name}`,
    `It is there (${status ?? "status unknown"}), with Kubernetes ${version}.`,
  );
  const wanted = cluster.vpc.subnetIds ?? [];
  const moved = isGivenVpc(cluster) && !sameSet(wanted, resourcesVpcConfig?.subnetIds ?? []);
  const [upgrade, vpc] = await Promise.all([
    version === cluster.kubernetes
      ? []
      : checkVersion(cluster, ask).then((finding) => [finding, kernel(settings, cluster)]),
    moved ? askVpc(cluster, askTypes(cluster, ask), ask).then((seen) => judgeVpc(cluster, seen)) : [],
  ]);
  return [there, ...upgrade, ...vpc];
}

function kernel({ encryption, cilium }: Settings, { kubernetes }: EksSettings): Finding {
  return judgeNodeKernel(kernelOf(kubernetes), encryption, cilium);
}

async function checkVersion(cluster: EksSettings, ask: Questions): Promise<Finding> {
  return judgeVersion(
    cluster,
    map(await ask.versions(), ({ clusterVersions }) => clusterVersions),
  );
}

async function askVpc({ vpc }: EksSettings, types: Promise<Answer<InstanceType[]>>, ask: Questions): Promise<GivenVpc> {
  const { id = "", subnetIds = [] } = vpc;
  const [seen, support, hostnames, subnets, routeTables, known] = await Promise.all([
    ask.vpc(id),
    ask.dnsSupport(id),
    ask.dnsHostnames(id),
    ask.subnets(subnetIds),
    ask.routeTables(id),
    types,
  ]);
  return {
    vpc: map(seen, ({ Vpcs }) => Vpcs[0]),
    dnsSupport: map(support, ({ EnableDnsSupport }) => EnableDnsSupport?.Value === true),
    dnsHostnames: map(hostnames, ({ EnableDnsHostnames }) => EnableDnsHostnames?.Value === true),
    subnets: map(subnets, ({ Subnets }) => Subnets),
    routeTables: map(routeTables, ({ RouteTables }) => RouteTables),
    types: known,
  };
}

function askTypes(cluster: EksSettings, ask: Questions): Promise<Answer<InstanceType[]>> {
  return ask.instanceTypes(typesOf(cluster)).then((answer) => map(answer, ({ InstanceTypes }) => InstanceTypes));
}

function typesOf({ nodeGroups }: EksSettings): string[] {
  return [...new Set(Object.values(nodeGroups).flatMap(({ instanceTypes }) => instanceTypes))];
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}
