import { judgeInstances, podsOn } from "../../../doctor/eks/instances.ts";
import type { InstanceType } from "../../../doctor/eks/questions.ts";
import { DENIED, eks, instanceType } from "./eks.ts";

const ZONES = ["us-west-2a", "us-west-2b"];
const offered = (type: string, zones = ZONES) => ({
  value: zones.map((Location) => ({ InstanceType: type, Location })),
});

function judge(group: object, types: InstanceType[], { network = "eni", zones = ZONES } = {}) {
  const { cluster } = eks({ network, nodeGroups: { workers: group } });
  return judgeInstances(
    cluster,
    { value: types },
    offered(cluster.nodeGroups.workers?.instanceTypes[0] ?? "", zones),
    ZONES,
  );
}

test("what EC2 has in all zones is fine, with its size", () => {
  expect(judge({}, [instanceType("t3.medium")])).toEqual([
    { level: "ok", what: "node group workers", evidence: "All its zones offer t3.medium (2 vCPUs, 17 pods)." },
  ]);
});

test.each<[string, object, InstanceType[], string, RegExp]>([
  ["not in the region", {}, [], "error", /no instance type t3.medium in us-west-2/],
  [
    "of another architecture",
    { instanceTypes: ["m7g.large"] },
    [instanceType("m7g.large")],
    "error",
    /is x86_64, .* is arm64/,
  ],
  ["never spare", { spot: true }, [instanceType("t3.medium", { usage: ["on-demand"] })], "error", /no spot capacity/],
  [
    "too small for the system's pods",
    { instanceTypes: ["t3.micro"] },
    [instanceType("t3.micro", { interfaces: 2, addresses: 2 })],
    "warning",
    /holds 4 pods.* may be 11/,
  ],
])("a type that is %s", (_, group, types, level, said) => {
  expect(judge(group, types)).toMatchObject([{ level, evidence: expect.stringMatching(said), fix: expect.anything() }]);
});

test("an overlay bounds no pods by addresses, chaining has more pods of the system", () => {
  const small = (interfaces: number) => instanceType("t3.small", { interfaces, addresses: 4 });
  const group = { instanceTypes: ["t3.small"] };
  expect([podsOn(small(3), "eni"), podsOn(small(3), "overlay")]).toEqual([11, 110]);
  const levels = ["eni", "chaining", "overlay"].map((network) => judge(group, [small(3)], { network })[0]?.level);
  expect(levels).toEqual(["ok", "warning", "ok"]);
});

test.each([
  [["us-west-2a"], "warning", /no t3.medium in us-west-2b: all its nodes/],
  [[], "error", /no t3.medium in us-west-2a, us-west-2b, and/],
])("a type that only %j offer", (zones, level, said) => {
  expect(judge({}, [instanceType("t3.medium")], { zones })).toMatchObject([
    { level, evidence: expect.stringMatching(said) },
  ]);
});

test("what could not be asked is not fine", () => {
  const { cluster } = eks();
  expect(judgeInstances(cluster, DENIED, offered("t3.medium"), ZONES)).toMatchObject([{ level: "warning" }]);
  expect(judgeInstances(cluster, { value: [instanceType("t3.medium")] }, DENIED, ZONES)).toMatchObject([
    { level: "warning" },
  ]);
});
