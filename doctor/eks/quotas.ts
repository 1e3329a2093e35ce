import { zonesOf } from "../../components/cluster/eks/subnets.ts";
import { type EksSettings, isGivenVpc, type NodeGroupSettings } from "../../components/settingsEks.ts";
import { error, type Finding, ok, warning } from "../finding.ts";
import { type Answer, answered, map } from "./aws.ts";
import { CLUSTER_TAG, type InstanceType, type Questions, type RunningInstance } from "./questions.ts";

/** A limit of AWS on what one account may have in one region. */
export interface Quota {
  what: string;
  service: "vpc" | "ec2" | "eks";
  code: string;
}

/** How much of a quota is there, and how much the settings need. */
export interface Demand {
  quota: Quota;
  limit: Answer<number>;
  used: Answer<number>;
  needed: Answer<number>;
  /** What is needed once something scales the nodes up. */
  upTo?: number;
}

/** Codes: Service Quotas, `aws service-quotas list-service-quotas`; also https://docs.aws.amazon.com/eks/latest/best-practices/known_limits_and_service_quotas.html. */
const VPCS: Quota = { what: "VPCs", service: "vpc", code: "L-F678F1CE" };
const ADDRESSES: Quota = { what: "elastic IP addresses", service: "ec2", code: "L-0263D0A3" };
const CLUSTERS: Quota = { what: "EKS clusters", service: "eks", code: "L-1194D53C" };

/**
 * vCPUs that run, by the letters that instance types begin with (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html, "On-Demand Instance quotas",
 * whose links hold the codes; and using-spot-limits.html). Other families are not on record here.
 */
const VCPUS: readonly { families: readonly string[]; name: string; onDemand: string; spot: string }[] = [
  { families: [..."acdhimrtz"], name: "standard", onDemand: "L-1216C47A", spot: "L-34B43A08" },
  { families: ["g", "vt"], name: "G and VT", onDemand: "L-DB2E81BA", spot: "L-3819A6DF" },
  { families: ["p"], name: "P", onDemand: "L-417A185B", spot: "L-7212CCBC" },
  { families: ["x"], name: "X", onDemand: "L-7295265B", spot: "L-E3A00192" },
];

/** Families whose letters are not the quota's: `im4gn` counts as I, `is4gen` too. */
const STANDARD_OF_TWO = new Set(["im", "is"]);

/** The quota that an instance type counts against; undefined where it is not on record. */
export function vcpuQuota(instanceType: string, spot: boolean): Quota | undefined {
  const letters = /^[a-z]+/.exec(instanceType)?.[0] ?? "";
  const family = STANDARD_OF_TWO.has(letters) ? "i" : letters;
  const row = VCPUS.find(({ families }) => families.includes(family));
  if (row === undefined) return undefined;
  const what = `vCPUs of ${row.name} ${spot ? "spot" : "on-demand"} instances`;
  return { what, service: "ec2", code: spot ? row.spot : row.onDemand };
}

/** vCPUs that node groups take of each quota: at least, and once all have their most nodes of their largest type. */
export function vcpuDemands(
  groups: readonly NodeGroupSettings[],
  types: readonly InstanceType[],
): { demands: Map<string, { quota: Quota; needed: number; upTo: number }>; unknown: string[] } {
  const demands = new Map<string, { quota: Quota; needed: number; upTo: number }>();
  const unknown: string[] = [];
  for (const { instanceTypes, nodes, max = nodes, spot } of groups) {
    const [first = ""] = instanceTypes;
    const quota = vcpuQuota(first, spot);
    const sizes = instanceTypes.flatMap(
      (name) => types.find(({ InstanceType }) => InstanceType === name)?.VCpuInfo.DefaultVCpus ?? [],
    );
    if (quota === undefined || instanceTypes.some((type) => vcpuQuota(type, spot)?.code !== quota.code)) {
      unknown.push(instanceTypes.join(", "));
      continue;
    }
    if (sizes.length === 0) continue;
    const { needed, upTo } = demands.get(quota.code) ?? { needed: 0, upTo: 0 };
    const most = upTo + max * Math.max(...sizes);
    demands.set(quota.code, { quota, needed: needed + nodes * Math.min(...sizes), upTo: most });
  }
  return { demands, unknown };
}

/** vCPUs that run already and count against the same quota. Nodes of the cluster itself are what the settings need. */
export function vcpusRunning(instances: readonly RunningInstance[], { code }: Quota, name: string): number {
  return instances
    .filter(({ cluster }) => cluster !== name)
    .filter(({ type, lifecycle }) => vcpuQuota(type, lifecycle === "spot")?.code === code)
    .reduce((sum, { cores, threads }) => sum + (cores ?? 1) * (threads ?? 1), 0);
}

/** Whether what is left of a quota is enough; undefined where that cannot be told. */
export function judgeQuota({ quota, limit, used, needed, upTo = 0 }: Demand, region: string): Finding | undefined {
  const [most, now, wanted] = [answered(limit), answered(used), answered(needed)];
  if (most === undefined || now === undefined || wanted === undefined) return undefined;
  const { what, service, code } = quota;
  const key = `quota of ${what}`;
  const seen = `${now} of ${most} are used in ${region}, and this cluster needs ${wanted}`;
  const ask = (value: number) =>
    `aws --region ${region} service-quotas request-service-quota-increase --service-code ${service} --quota-code ${code} --desired-value ${value}`;
  if (now + wanted > most) return error(key, `${seen}.`, ask(now + wanted));
  if (now + upTo > most) return warning(key, `${seen}, up to ${upTo} where something scales it.`, ask(now + upTo));
  return ok(key, `${seen}.`);
}

/** Of each quota whether it is enough; what nobody could tell in one warning. */
export function judgeQuotas(demands: readonly Demand[], unknown: readonly string[], region: string): Finding[] {
  const judged = demands.map((demand) => ({ demand, finding: judgeQuota(demand, region) }));
  const open = judged.flatMap(({ demand: { quota, limit, used, needed }, finding }) => {
    if (finding !== undefined) return [];
    const reason = [limit, used, needed].flatMap((answer) => ("value" in answer ? [] : [answer.said]))[0] ?? "";
    return [{ what: quota.what, reason }];
  });
  const findings = judged.flatMap(({ finding }) => finding ?? []);
  const reasons = [...new Set(open.map(({ reason }) => reason))].map(
    (reason) =>
      `${open
        .filter((one) => one.reason === reason)
        .map(({ what }) => what)
        .join(", ")}: ${reason}`,
  );
  if (unknown.length > 0) reasons.push(`vCPUs of ${unknown.join(", ")}: their quota is not on record here`);
  if (reasons.length > 0) findings.push(warning("quotas", `Not checked: ${reasons.join("; ")}`, RIGHTS));
  return findings;
}

const RIGHTS = "allow servicequotas:GetServiceQuota and what counts the use (docs/eks.md, Rights), or go on without";

/** Asks what is used and what there may be, and judges. `types` is what EC2 said of the node groups' instance types. */
export async function checkQuotas(
  cluster: EksSettings,
  types: Promise<Answer<InstanceType[]>>,
  ask: Questions,
): Promise<Finding[]> {
  const { name, region, nodeGroups, vpc } = cluster;
  const others = (tagged: { Tags?: { Key: string; Value: string }[] }[]) =>
    tagged.filter(({ Tags = [] }) => !Tags.some(({ Key, Value }) => Key === CLUSTER_TAG && Value === name)).length;
  const demand = async (quota: Quota, used: Promise<Answer<number>>, needed: number): Promise<Demand> => {
    const [limit, now] = await Promise.all([limitOf(quota, ask), used]);
    return { quota, limit, used: now, needed: { value: needed } };
  };
  const gateways = vpc.natGateways === "per-zone" ? zonesOf(cluster).length : 1;
  const counted = [
    demand(
      CLUSTERS,
      ask.clusters().then((answer) => map(answer, ({ clusters }) => clusters.length)),
      1,
    ),
    ...(isGivenVpc(cluster)
      ? []
      : [
          demand(
            VPCS,
            ask.vpcs().then((answer) => map(answer, ({ Vpcs }) => others(Vpcs))),
            1,
          ),
          demand(
            ADDRESSES,
            ask.addresses().then((answer) => map(answer, ({ Addresses }) => others(Addresses))),
            gateways,
          ),
        ]),
  ];
  const [some, vcpus] = await Promise.all([
    Promise.all(counted),
    vcpuQuotas(name, Object.values(nodeGroups), types, ask),
  ]);
  return judgeQuotas([...some, ...vcpus.demands], vcpus.unknown, region);
}

async function vcpuQuotas(
  name: string,
  groups: readonly NodeGroupSettings[],
  types: Promise<Answer<InstanceType[]>>,
  ask: Questions,
): Promise<{ demands: Demand[]; unknown: string[] }> {
  const quotas = new Map(
    groups
      .flatMap(({ instanceTypes, spot }) => instanceTypes.flatMap((type) => vcpuQuota(type, spot) ?? []))
      .map((quota) => [quota.code, quota]),
  );
  const [running, sizes, limits] = await Promise.all([
    ask.running(),
    types,
    Promise.all([...quotas.values()].map(async (quota) => [quota.code, await limitOf(quota, ask)] as const)),
  ]);
  const { demands, unknown } = vcpuDemands(groups, answered(sizes) ?? []);
  const limitsByCode = new Map(limits);
  return {
    unknown,
    demands: [...quotas.values()].flatMap((quota) => {
      const wanted = demands.get(quota.code);
      const limit = limitsByCode.get(quota.code);
      // Types that EC2 does not have are another finding.
      if (limit === undefined || (wanted === undefined && "value" in sizes)) return [];
      const used = map(running, (instances) => vcpusRunning(instances, quota, name));
      return [{ quota, limit, used, needed: map(sizes, () => wanted?.needed ?? 0), upTo: wanted?.upTo ?? 0 }];
    }),
  };
}

/** The quota as it applies to the account; AWS has none on record where nobody has ever had it raised. */
async function limitOf({ service, code }: Quota, ask: Questions): Promise<Answer<number>> {
  const applied = await ask.quota(service, code);
  const unset = !("value" in applied) && applied.code === "NoSuchResourceException";
  return map(unset ? await ask.defaultQuota(service, code) : applied, ({ Quota }) => Quota.Value);
}
