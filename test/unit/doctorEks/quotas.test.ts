import type { NodeGroupSettings } from "../../../components/settings.ts";
import {
  type Demand,
  judgeQuota,
  judgeQuotas,
  vcpuDemands,
  vcpuQuota,
  vcpusRunning,
} from "../../../doctor/eks/quotas.ts";
import { DENIED, eks, instanceType } from "./eks.ts";

const quota = { what: "VPCs", service: "vpc", code: "L-F678F1CE" } as const;
const demand = (limit: number, used: number, needed: number, upTo?: number): Demand => ({
  quota,
  limit: { value: limit },
  used: { value: used },
  needed: { value: needed },
  ...(upTo !== undefined && { upTo }),
});

test.each<[string, Demand, string]>([
  ["enough", demand(5, 4, 1), "ok"],
  ["one too few", demand(5, 5, 1), "error"],
  ["none at all", demand(0, 0, 1), "error"],
  ["enough now, not once it is scaled up", demand(32, 20, 4, 16), "warning"],
])("a quota of which there is %s", (_, wanted, level) => {
  expect(judgeQuota(wanted, "us-west-2")?.level).toBe(level);
});

test("the command that mends it asks for what is missing", () => {
  expect(judgeQuota(demand(5, 5, 2), "us-west-2")?.fix).toBe(
    "aws --region us-west-2 service-quotas request-service-quota-increase --service-code vpc --quota-code L-F678F1CE --desired-value 7",
  );
});

test("what could not be asked is one warning, by reason", () => {
  const open = (what: string): Demand => ({ ...demand(1, 0, 1), quota: { ...quota, what }, limit: DENIED });
  const findings = judgeQuotas([demand(5, 0, 1), open("A"), open("B")], ["mac2.metal"], "us-west-2");
  expect(findings).toMatchObject([
    { level: "ok" },
    { level: "warning", evidence: expect.stringMatching(/^Not checked: A, B: .*AccessDenied.*; vCPUs of mac2.metal/) },
  ]);
});

test.each([
  ["t3.medium", "L-1216C47A", "L-34B43A08"],
  ["m7g.large", "L-1216C47A", "L-34B43A08"],
  ["im4gn.large", "L-1216C47A", "L-34B43A08"],
  ["g5.xlarge", "L-DB2E81BA", "L-3819A6DF"],
  ["p4d.24xlarge", "L-417A185B", "L-7212CCBC"],
  ["x2iedn.xlarge", "L-7295265B", "L-E3A00192"],
  ["inf2.xlarge", undefined, undefined],
  ["trn1.2xlarge", undefined, undefined],
  ["mac2.metal", undefined, undefined],
])("%s counts against its family's quota", (type, onDemand, spot) => {
  expect([vcpuQuota(type, false)?.code, vcpuQuota(type, true)?.code]).toEqual([onDemand, spot]);
});

describe("vCPUs that node groups need", () => {
  const group = (change: object) => eks({ nodeGroups: { g: change } }).cluster.nodeGroups.g as NodeGroupSettings;
  const types = [instanceType("t3.medium"), instanceType("t3.xlarge", { vcpus: 4 })];

  test("at least nodes of the smallest type, at most all of the largest, spot apart", () => {
    const groups = [
      group({ instanceTypes: ["t3.medium", "t3.xlarge"], nodes: 3, max: 5 }),
      group({ instanceTypes: ["t3.xlarge"], nodes: 2 }),
      group({ instanceTypes: ["t3.medium"], nodes: 1, spot: true }),
    ];
    expect([...vcpuDemands(groups, types).demands.values()].map(({ needed, upTo }) => [needed, upTo])).toEqual([
      [14, 28],
      [2, 2],
    ]);
  });

  test("are not known of families whose quota is not on record, nor of types of several", () => {
    const groups = [group({ instanceTypes: ["inf2.xlarge"] }), group({ instanceTypes: ["t3.medium", "g5.xlarge"] })];
    expect(vcpuDemands(groups, types)).toMatchObject({
      demands: new Map(),
      unknown: ["inf2.xlarge", "t3.medium, g5.xlarge"],
    });
  });
});

test("running instances count against their own quota, but for the cluster's", () => {
  const running = (type: string, lifecycle: string | null, cluster: string | null = null) => ({
    type,
    lifecycle,
    cores: 2,
    threads: 2,
    cluster,
  });
  const standard = vcpuQuota("t3.medium", false);
  if (standard === undefined) throw new Error("no quota");
  const instances = [
    running("m5.large", null),
    running("t3.medium", "spot"),
    running("g5.xlarge", null),
    running("t3.medium", null, "dev"),
  ];
  expect(vcpusRunning(instances, standard, "dev")).toBe(4);
});
