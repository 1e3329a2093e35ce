import { allChecks } from "../../prover/checks/checks.ts";
import { changedSince, type EvidenceStanding, type Subject, withEvidence } from "../../prover/evidence/standing.ts";
import { judge } from "../../prover/judge.ts";
import type { NodeSeen, Observation } from "../../prover/observation.ts";
import { reportOf } from "../../prover/report.ts";
import { healthy, intentFor } from "./proverTroubles/healthy.ts";

const subject = (change: Partial<Observation> = {}): Subject => ({
  intent: intentFor("ipsec"),
  observation: { ...healthy("ipsec"), ...change },
});

test("evidence holds for a cluster that is as it was, whenever it is looked at", () => {
  expect(changedSince(subject(), subject({ takenAt: "2027-01-01T00:00:00.000Z" }))).toEqual([]);
});

test("how a cluster is to be proven is no part of what was proven", () => {
  const { intent, observation } = subject();
  const asked = { ...intent, proof: { ...intent.proof, seconds: 60 } };
  expect(changedSince(subject(), { intent: asked, observation })).toEqual([]);
});

const { config, daemonSet, nodes, ciliumNodes, agents } = healthy("ipsec");
test.each<[string, Partial<Observation>]>([
  ["cilium-config", { config: config && { ...config, data: { ...config.data, "enable-ipsec": "false" } } }],
  ["the rollout of the agents", { daemonSet: daemonSet && { ...daemonSet, generation: 99 } }],
  [`the set of nodes (${nodes[0]?.name} left)`, { nodes: nodes.slice(1) }],
  [
    "the set of nodes (m0, m1, m2, m3, m4 and 2 more joined)",
    { nodes: [...nodes, ...Array.from({ length: 7 }, (_, index) => ({ ...nodes[1], name: `m${index}` }) as NodeSeen)] },
  ],
  ["the keys that nodes announce", { ciliumNodes: ciliumNodes.map((node) => ({ ...node, encryptionKey: 4 })) }],
  ["the agents' starts", { agents: agents.map((agent) => ({ ...agent, startedAt: "2026-11-21T23:00:00.000Z" })) }],
])("evidence is stale where %s changed", (aspect, change) => {
  expect(changedSince(subject(), subject(change))).toEqual([aspect]);
});

test("evidence is stale where the settings changed", () => {
  const { intent, observation } = subject();
  expect(changedSince(subject(), { intent: { ...intent, keyId: 4 }, observation })).toEqual(["the settings"]);
});

describe("the verdict of a status", () => {
  const evidence: EvidenceStanding = {
    page: "evidence.html",
    verdict: "proven",
    statement: "proven: all",
    reasons: [],
    takenAt: "2026-11-21T10:00:00.000Z",
    standing: "current",
    changed: [],
  };
  /** What the cluster says of itself, without anybody looking at its wire. */
  const told = (change: Partial<Observation> = {}) => {
    const { intent, observation } = subject({ wire: null, ...change });
    return reportOf(intent, observation, judge(intent, observation, allChecks), { requests: 1, seconds: 1 });
  };

  test("is the evidence's while that holds, with its reasons", () => {
    const reasons = ["somebody was silent"];
    expect(withEvidence(told(), { ...evidence, verdict: "not proven", reasons })).toMatchObject({
      verdict: "not proven",
      reasons,
    });
    expect(withEvidence(told(), evidence)).toMatchObject({ verdict: "proven", reasons: [] });
  });

  test("is stale where the cluster is not the one that was proven", () => {
    const joined = { ...nodes[1], name: "n9" } as NodeSeen;
    const changed = changedSince(subject(), subject({ nodes: [...nodes, joined] }));
    const stale = withEvidence(told(), { ...evidence, standing: "stale", changed });
    expect(stale.verdict).toBe("stale");
    expect(stale.statement).toContain("the set of nodes (n9 joined)");
  });

  test("is failed where the cluster contradicts the settings now, whatever was proven", () => {
    const config = { data: { "enable-ipsec": "false" }, changedAt: null };
    expect(withEvidence(told({ config }), evidence).verdict).toBe("failed");
  });

  test("is no more than not proven without any evidence", () => {
    expect(withEvidence(told(), null).verdict).toBe("not proven");
  });
});
