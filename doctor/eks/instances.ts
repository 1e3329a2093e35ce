import type { EksSettings, NodeGroupSettings } from "../../components/settingsEks.ts";
import { isArm } from "../../components/settingsEksChecks.ts";
import { error, type Finding, ok, warning } from "../finding.ts";
import type { Answer } from "./aws.ts";
import type { InstanceType, Offering } from "./questions.ts";

/** Pods that one node may have to hold: Cilium's agent, proxy and operator, both of CoreDNS, Hubble's two, and the proof's and the watch's two each. */
const SYSTEM_PODS = 11;

/** Behind Amazon's CNI there are its own agent and kube-proxy besides. */
const CHAINED_PODS = 2;

/** Whether EC2 has what the node groups ask for, where they ask for it. */
export function judgeInstances(
  cluster: Pick<EksSettings, "region" | "network" | "nodeGroups">,
  types: Answer<InstanceType[]>,
  offerings: Answer<Offering[]>,
  zones: readonly string[],
): Finding[] {
  return Object.entries(cluster.nodeGroups).flatMap(([name, group]) => {
    const what = `node group ${name}`;
    if (!("value" in types)) return [warning(what, `Its instance types are not checked: ${types.said}`, RIGHTS)];
    const found = [
      ...group.instanceTypes.flatMap((type) => judgeType(name, group, type, cluster, types.value)),
      ...judgeOffering(name, group, offerings, zones),
    ];
    return found.length > 0 ? found : [ok(what, described(group, types.value, cluster.network))];
  });
}

const RIGHTS = "allow ec2:DescribeInstanceTypes and ec2:DescribeInstanceTypeOfferings, or go on without";

function judgeType(
  name: string,
  { spot }: NodeGroupSettings,
  type: string,
  { region, network }: Pick<EksSettings, "region" | "network">,
  types: readonly InstanceType[],
): Finding[] {
  const what = `node group ${name}`;
  const path = `wirecloak:cluster.nodeGroups.${name}`;
  const seen = types.find(({ InstanceType }) => InstanceType === type);
  const other = `pulumi config set --path "${path}.instanceTypes[0]" t3.medium`;
  if (seen === undefined) return [error(what, `EC2 has no instance type ${type} in ${region}.`, other)];
  const findings: Finding[] = [];
  const image = isArm(type) ? "arm64" : "x86_64";
  if (!seen.ProcessorInfo.SupportedArchitectures.includes(image)) {
    const evidence = `${type} is ${seen.ProcessorInfo.SupportedArchitectures.join(" or ")}, and the machine image that Wirecloak takes for it is ${image}.`;
    findings.push(error(what, evidence, other));
  }
  if (spot && !seen.SupportedUsageClasses.includes("spot")) {
    findings.push(error(what, `EC2 gives no spot capacity of ${type}.`, `pulumi config set --path ${path}.spot false`));
  }
  const [pods, needed] = [podsOn(seen, network), systemPods(network)];
  if (pods < needed) {
    const evidence = `A node of ${type} holds ${pods} pods, since the VPC has addresses for no more, and the system's alone may be ${needed}.`;
    findings.push(warning(what, evidence, other));
  }
  return findings;
}

function judgeOffering(
  name: string,
  { instanceTypes }: NodeGroupSettings,
  offerings: Answer<Offering[]>,
  zones: readonly string[],
): Finding[] {
  const what = `node group ${name}`;
  if (!("value" in offerings)) {
    return [warning(what, `Whether its zones offer its instance types is not checked: ${offerings.said}`, RIGHTS)];
  }
  const offered = (zone: string) =>
    offerings.value.some(({ InstanceType, Location }) => Location === zone && instanceTypes.includes(InstanceType));
  const without = zones.filter((zone) => !offered(zone));
  if (without.length === 0) return [];
  const list = instanceTypes.join(" nor ");
  const evidence = `EC2 offers no ${list} in ${without.join(", ")}`;
  const fix =
    "other instance types, or other zones: aws ec2 describe-instance-type-offerings --location-type availability-zone";
  if (without.length === zones.length) return [error(what, `${evidence}, and the cluster has no other zones.`, fix)];
  return [warning(what, `${evidence}: all its nodes will be in the other zones.`, fix)];
}

/** Pods that EKS lets a node have: the addresses of its network interfaces but for each one's first, and two that take the node's own (amazon-eks-ami, "max pods"). An overlay has no such bound: 110. */
export function podsOn({ NetworkInfo }: InstanceType, network: EksSettings["network"]): number {
  if (network === "overlay") return OVERLAY_PODS;
  const { MaximumNetworkInterfaces, Ipv4AddressesPerInterface } = NetworkInfo;
  return MaximumNetworkInterfaces * (Ipv4AddressesPerInterface - 1) + 2;
}

/** As components/cluster/eks/nodeSpec.ts tells the nodes. */
const OVERLAY_PODS = 110;

function systemPods(network: EksSettings["network"]): number {
  return SYSTEM_PODS + (network === "chaining" ? CHAINED_PODS : 0);
}

function described(
  { instanceTypes }: NodeGroupSettings,
  types: readonly InstanceType[],
  network: EksSettings["network"],
): string {
  const each = types
    .filter(({ InstanceType }) => instanceTypes.includes(InstanceType))
    .map((type) => `${type.InstanceType} (${type.VCpuInfo.DefaultVCpus} vCPUs, ${podsOn(type, network)} pods)`);
  return `All its zones offer ${each.join(", ")}.`;
}
