import { overlap, parseCidr } from "./cidr.ts";
import { chartVersion, eksMinorsWith } from "./encryption/chartVersions.ts";
import type { Settings } from "./settings.ts";
import { type EksSettings, isGivenVpc, type NodeGroupSettings } from "./settingsEks.ts";
import { guardWithoutEffect, rangesOfNodes } from "./settingsEksGuard.ts";
import { about, FIELDS, remove, set } from "./settingsFields.ts";
import type { Problem } from "./userError.ts";

/** Settings whose cluster is on EKS. */
type EksStack = Settings & { cluster: EksSettings };

/** A rule over the settings of an EKS cluster; it runs only where each setting that it reads is sound. */
interface EksCheck {
  reads: readonly string[];
  find: (settings: Settings) => Problem[];
}

function onEks(reads: readonly string[], find: (settings: EksStack) => Problem[]): EksCheck {
  return {
    reads: ["cluster.provider", ...reads],
    find: ({ cluster, ...rest }) => (cluster.provider === "eks" ? find({ ...rest, cluster }) : []),
  };
}

/** What is wrong with an EKS cluster's settings, or between them and the others. */
export const EKS_CHECKS: readonly EksCheck[] = [
  onEks(["encryption", "cluster.network"], chainedIpsec),
  onEks(["encryption", "cluster.network", "strict", "cilium.version"], chainedStrict),
  onEks(["strict", "cluster.network", "cluster.podCidr", "cluster.vpc.cidr", "cluster.vpc.id"], strictRange),
  onEks(["cluster.kubernetes", "cilium.version"], kubernetesVersion),
  onEks(["cluster.vpc.id", "cluster.vpc.subnetIds"], wholeVpc),
  onEks(["cluster.vpc.id", "cluster.vpc.nodeRanges"], rangesOfNodes),
  onEks(["guard", "encryption", "cilium.version", "cluster.network", "ipsec.encryptedOverlay"], guardWithoutEffect),
  onEks(["cluster.vpc.cidr", "cluster.vpc.id"], vpcSize),
  onEks(["cluster.region", "cluster.vpc.zones"], zonesOfRegion),
  onEks(["cluster.network", "cluster.vpc.cidr", "cluster.podCidr", "cluster.serviceCidr"], apart),
  onEks(["cluster.nodeGroups"], nodeGroups),
  onEks(["cluster.tags"], tags),
];

function chainedIpsec({ encryption, cluster }: EksStack): Problem[] {
  if (cluster.network !== "chaining" || encryption !== "ipsec") return [];
  return [
    {
      ...about("encryption", encryption),
      message: "Cilium has no IPsec behind another CNI (cilium/cilium#15596): nothing would be encrypted.",
      allowed: "wireguard, or ipsec with wirecloak:cluster.network eni or overlay",
      fix: set("encryption", "wireguard"),
    },
  ];
}

function chainedStrict({ encryption, strict, cilium, cluster }: EksStack): Problem[] {
  const { strictIngress } = chartVersion(cilium.version);
  if (cluster.network !== "chaining" || !strict || encryption !== "wireguard") return [];
  if (!strictIngress?.includes(cilium.routing)) return [];
  return [
    {
      ...about("strict", true),
      message: `Cilium ${cilium.version} would drop unencrypted incoming pod traffic too, which it does not support behind another CNI.`,
      allowed: "false, or true with wirecloak:cluster.network eni or overlay",
      fix: set("strict", "false"),
    },
  ];
}

function strictRange({ strict, cluster: { network, podCidr } }: EksStack): Problem[] {
  if (!strict || podCidr !== undefined) return [];
  return [
    {
      ...about("cluster.vpc.cidr"),
      message: `Strict mode has to know which addresses are pods'. With wirecloak:cluster.network ${network} they are the VPC's, and of a VPC that is there Wirecloak does not know the range.`,
      allowed: FIELDS["cluster.vpc.cidr"]?.allowed ?? "",
      fix: set("cluster.vpc.cidr", "10.0.0.0/16"),
    },
  ];
}

function kubernetesVersion({ cilium, cluster: { kubernetes } }: EksStack): Problem[] {
  const row = chartVersion(cilium.version);
  const tested = row.eks;
  const minor = Number(kubernetes.split(".")[1]);
  if (tested && minor >= tested.from && minor <= tested.to) return [];
  const others = eksMinorsWith(minor);
  return [
    {
      ...about("cluster.kubernetes", kubernetes),
      message: tested
        ? `Cilium ${row.minor} is not tested with it.`
        : `With which versions of Kubernetes Cilium ${row.minor} is tested is not on record here.`,
      allowed: [
        ...(tested ? [`1.${tested.from} to 1.${tested.to} with Cilium ${row.minor}`] : []),
        ...(others === "" ? [] : [`${kubernetes} with Cilium ${others}`]),
      ].join("; "),
      fix: tested ? set("cluster.kubernetes", `1.${tested.to}`) : set("cilium.version", "1.20.2"),
    },
  ];
}

function wholeVpc({ cluster }: EksStack): Problem[] {
  const { id, subnetIds, zones, natGateways } = cluster.vpc;
  if (id === undefined && subnetIds === undefined) return [];
  if (id === undefined || subnetIds === undefined) {
    const missing = id === undefined ? "cluster.vpc.id" : "cluster.vpc.subnetIds";
    return [
      {
        ...about(missing),
        message: "A VPC that is there is named by its id and by the private subnets for the nodes, both.",
        allowed: FIELDS[missing]?.allowed ?? "",
        fix:
          id === undefined ? set(missing, "vpc-0123456789abcdef0") : set(`${missing}[0]`, "subnet-0123456789abcdef0"),
      },
    ];
  }
  return [["zones", zones] as const, ["natGateways", natGateways] as const]
    .filter(([, value]) => value !== undefined)
    .map(([part]) => ({
      ...about(`cluster.vpc.${part}`),
      message: "The VPC is there already, with the zones and gateways it has.",
      allowed: "without wirecloak:cluster.vpc.id",
      fix: remove(`cluster.vpc.${part}`),
    }));
}

/** Of a VPC that is made: what its subnets leave room for (components/cluster/eks/subnets.ts). AWS itself takes up to /16. */
const LARGEST = 16;
const SMALLEST = 20;

function vpcSize({ cluster }: EksStack): Problem[] {
  const prefix = range(cluster.vpc.cidr)?.prefix;
  if (isGivenVpc(cluster) || prefix === undefined || (prefix >= LARGEST && prefix <= SMALLEST)) return [];
  return [
    {
      ...about("cluster.vpc.cidr", cluster.vpc.cidr),
      message: `AWS makes no VPC larger than /${LARGEST}, and below /${SMALLEST} there is no room for subnets in each zone.`,
      allowed: `a range from /${LARGEST} to /${SMALLEST}`,
      fix: set("cluster.vpc.cidr", "10.0.0.0/16"),
    },
  ];
}

function zonesOfRegion({ cluster: { region, vpc } }: EksStack): Problem[] {
  const { zones = [] } = vpc;
  const wrong = zones.find((zone, index) => !isZoneOf(region, zone) || zones.indexOf(zone) !== index);
  if (wrong === undefined) return [];
  return [
    {
      ...about(`cluster.vpc.zones[${zones.lastIndexOf(wrong)}]`, wrong),
      message: isZoneOf(region, wrong) ? "This zone is there twice." : `This is no zone of ${region}.`,
      allowed: `different zones such as ${region}a`,
      fix: remove("cluster.vpc.zones"),
    },
  ];
}

function isZoneOf(region: string, zone: string): boolean {
  return zone.startsWith(region) && /^[a-z]$/.test(zone.slice(region.length));
}

/** Of an overlay the pods' range is not the VPC's; that pods and services are apart is checked for every provider. */
function apart({ cluster: { network, vpc, podCidr, serviceCidr } }: EksStack): Problem[] {
  const nodes = range(vpc.cidr);
  if (network !== "overlay" || nodes === undefined) return [];
  const others = [
    { path: "cluster.podCidr", value: podCidr, instead: "100.64.0.0/16" },
    { path: "cluster.serviceCidr", value: serviceCidr, instead: "192.168.0.0/16" },
  ];
  return others.flatMap(({ path, value, instead }) => {
    const other = range(value);
    if (other === undefined || !overlap(nodes, other)) return [];
    return [
      {
        ...about(path, value),
        message: `It shares addresses with the VPC's range ${vpc.cidr}.`,
        allowed: `a range apart from ${vpc.cidr}`,
        fix: set(path, instead),
      },
    ];
  });
}

function nodeGroups({ cluster }: EksStack): Problem[] {
  const groups = Object.entries(cluster.nodeGroups);
  if (groups.some(([, { nodes }]) => nodes > 0)) return groups.flatMap(([name, group]) => nodeGroup(name, group));
  return [
    {
      ...about("cluster.nodeGroups"),
      message: "The cluster would have no node, and Cilium nothing to run on.",
      allowed: "a node group with one node or more",
      fix: set("cluster.nodeGroups.workers.nodes", "2"),
    },
  ];
}

function nodeGroup(name: string, group: NodeGroupSettings): Problem[] {
  const path = `cluster.nodeGroups.${name}`;
  const { nodes, min = nodes, max = nodes, instanceTypes } = group;
  const problems: Problem[] = [];
  if (min > nodes || nodes > max) {
    problems.push({
      ...about(`${path}.nodes`, nodes),
      message: `The group may have ${min} to ${max} nodes.`,
      allowed: `a number from ${min} to ${max}, or other bounds`,
      fix: set(`${path}.nodes`, String(Math.min(Math.max(nodes, min), Math.max(min, max)))),
    });
  }
  if (new Set(instanceTypes.map(isArm)).size > 1) {
    problems.push({
      ...about(`${path}.instanceTypes`),
      message: `These instance types are of two architectures (${instanceTypes.join(", ")}), and one machine image does not run on both.`,
      allowed: "types of one architecture; a node group for each",
      fix: remove(`${path}.instanceTypes`),
    });
  }
  return problems;
}

/** A Graviton type has a g after the number of its generation (t4g, m7gd, im4gn); only a1 has none. */
export function isArm(instanceType: string): boolean {
  return /^(?:a1|[a-z]+\d+g[a-z]*)(?:-|\.)/.test(instanceType);
}

function tags({ cluster }: EksStack): Problem[] {
  return Object.keys(cluster.tags)
    .filter((tag) => /^(?:aws:|wirecloak:)/.test(tag))
    .map((tag) => ({
      ...about(`cluster.tags[${JSON.stringify(tag)}]`),
      message: "Tags of this prefix are AWS's and Wirecloak's own.",
      allowed: "other names",
      fix: remove(`cluster.tags[${JSON.stringify(tag)}]`),
    }));
}

/** What is allowed on EKS, but not what one may think. */
export function eksWarnings({ cluster, encryption, wireguard, strict }: Settings): Problem[] {
  if (cluster.provider !== "eks") return [];
  const warnings: Problem[] = [];
  if (cluster.endpoint.public && cluster.endpoint.allowedCidrs.includes("0.0.0.0/0")) {
    warnings.push({
      ...about("cluster.endpoint.allowedCidrs", "0.0.0.0/0"),
      message: "The API server answers the whole internet; only IAM decides whom it lets in.",
      fix: set("cluster.endpoint.allowedCidrs[0]", "YOUR.ADDRESS/32"),
    });
  }
  if (strict && cluster.network !== "overlay") {
    warnings.push({
      ...about("strict", true),
      message: `Pods have addresses of the VPC, so strict mode drops what they send to any other host in ${cluster.podCidr}, a database say.`,
    });
  }
  if (encryption === "wireguard" && wireguard.nodeEncryption) {
    warnings.push({
      ...about("wireguard.nodeEncryption", true),
      message:
        "The control plane of EKS is not a node of the cluster: what it and the nodes say to each other is TLS, not WireGuard.",
    });
  }
  if (cluster.network === "overlay") {
    warnings.push({
      ...about("cluster.network", cluster.network),
      message:
        "The control plane of EKS cannot reach pods in an overlay, so admission webhooks work in hostNetwork pods only.",
    });
  }
  return warnings;
}

function range(text: string | undefined) {
  return text === undefined ? undefined : parseCidr(text);
}
