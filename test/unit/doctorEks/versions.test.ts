import { judgeMtu } from "../../../doctor/eks/mtu.ts";
import { judgeNodeKernel, judgeVersion, kernelOf } from "../../../doctor/eks/versions.ts";
import { DENIED, eks } from "./eks.ts";

const versions = {
  value: [
    {
      clusterVersion: "1.35",
      versionStatus: "STANDARD_SUPPORT",
      endOfStandardSupportDate: "2027-03-27T00:00:00+00:00",
    },
    { clusterVersion: "1.34", versionStatus: "STANDARD_SUPPORT", endOfStandardSupportDate: 1796169600 },
    { clusterVersion: "1.33", versionStatus: "EXTENDED_SUPPORT" },
    { clusterVersion: "1.29", versionStatus: "UNSUPPORTED" },
  ],
};

test.each([
  ["1.35", "ok", /standard support until 2027-03-27\.$/],
  ["1.34", "ok", /until 2026-12-02\.$/],
  ["1.33", "warning", /extended support only, which costs more/],
  ["1.29", "error", /makes no clusters of 1\.29/],
  ["1.37", "error", /or not yet/],
])("Kubernetes %s", (kubernetes, level, said) => {
  expect(judgeVersion({ kubernetes }, versions)).toMatchObject({ level, evidence: expect.stringMatching(said) });
});

test("what EKS offers instead is in the fix, and an AWS CLI that cannot ask is told apart from a missing right", () => {
  expect(judgeVersion({ kubernetes: "1.29" }, versions).fix).toContain("1.34, 1.35");
  expect(judgeVersion({ kubernetes: "1.34" }, DENIED)).toMatchObject({
    level: "warning",
    fix: expect.stringContaining("eks:Describe"),
  });
  const old = { code: "", said: "aws: error: argument operation: Invalid choice, valid choices are:" };
  expect(judgeVersion({ kubernetes: "1.34" }, old)).toMatchObject({ level: "warning", fix: "a newer AWS CLI" });
});

test.each([
  ["1.27", "6.1"],
  ["1.32", "6.1"],
  ["1.33", "6.12"],
  ["1.35", "6.12"],
  ["1.36", "6.18"],
])("nodes of Kubernetes %s run Linux %s", (kubernetes, kernel) => {
  expect(kernelOf(kubernetes)).toBe(kernel);
});

test.each([
  ["6.12", "wireguard", "1.20.2", "ok"],
  ["6.1", "ipsec", "1.20.2", "ok"],
  ["5.10", "ipsec", "1.20.2", "ok"],
  ["5.4", "ipsec", "1.20.2", "error"],
  ["5.4", "ipsec", "1.16.19", "ok"],
  ["5.4", "wireguard", "1.16.19", "error"],
] as const)("Linux %s, for %s of Cilium %s", (kernel, mode, version, level) => {
  expect(judgeNodeKernel(kernel, mode, { version }).level).toBe(level);
});

test.each([
  ["eni", "wireguard", 8906],
  ["eni", "ipsec", 8924],
  ["overlay", "wireguard", 8856],
  ["overlay", "ipsec", 8874],
  ["chaining", "wireguard", 8906],
])("pods in %s with %s have about %i bytes", (network, encryption, bytes) => {
  const { settings } = eks({ network }, { encryption, ...(encryption === "ipsec" && { ipsec: { keyId: 3 } }) });
  expect(judgeMtu(settings)).toEqual([
    { level: "ok", what: "MTU", evidence: expect.stringContaining(`about ${bytes} `) },
  ]);
});

test("a transit gateway is named once", () => {
  const route = { DestinationCidrBlock: "10.99.0.0/16", TransitGatewayId: "tgw-1" };
  expect(judgeMtu(eks().settings, [route, { ...route, DestinationCidrBlock: "10.98.0.0/16" }])).toMatchObject([
    { level: "ok" },
    { level: "warning", evidence: expect.stringMatching(/^Traffic through tgw-1 may have 8500/) },
  ]);
});
