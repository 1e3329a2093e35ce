import { allChecks } from "../../prover/checks/checks.ts";
import { guardChecks } from "../../prover/checks/guard.ts";
import { wireChecks } from "../../prover/checks/wire.ts";
import type { Check } from "../../prover/finding.ts";
import type { Intent } from "../../prover/intent.ts";
import { judge } from "../../prover/judge.ts";
import type { Observation } from "../../prover/observation.ts";
import { agentTroubles } from "./proverTroubles/agents.ts";
import { ciliumNodeTroubles } from "./proverTroubles/ciliumNodes.ts";
import { CASES, type Case, healthy, intentFor, nodeName } from "./proverTroubles/healthy.ts";
import { recordTroubles } from "./proverTroubles/record.ts";
import { rolloutTroubles } from "./proverTroubles/rollout.ts";
import { agent, ciliumNode, type Trouble, wireguard } from "./proverTroubles/trouble.ts";

/** All that the cluster tells of itself; with the checks of the wire nothing could be proven without packets, and the guard is outside of it. */
const told = allChecks.filter((check) => ![...wireChecks, ...guardChecks].includes(check));

const without = (name: string): Check[] => told.filter((check) => check.name !== name);

const troubles: readonly Trouble[] = [...rolloutTroubles, ...recordTroubles, ...ciliumNodeTroubles, ...agentTroubles];

function spoiled(trouble: Trouble): { intent: Intent; seen: Observation } {
  const intent = structuredClone(intentFor(trouble.in, trouble.count));
  const seen = healthy(trouble.in, trouble.count);
  trouble.spoil(seen, intent);
  return { intent, seen };
}

const atBest = (name: Case): string => (name === "none" ? "not proven" : "proven");

describe.each(CASES)("a healthy cluster, %s", (name) => {
  test("has nothing that a check of its own word finds", () => {
    expect(judge(intentFor(name), healthy(name), told)).toEqual({
      verdict: atBest(name),
      findings: [],
      nodes: [0, 1, 2, 3].map((index) => ({ name: nodeName(index), verdict: "agrees" })),
    });
  });

  test("is not proven, since the wire was not observed", () => {
    expect(judge(intentFor(name), healthy(name), allChecks).verdict).toBe("not proven");
  });
});

describe.each(troubles)("$name ($in)", (trouble) => {
  const node = trouble.node === null ? null : nodeName(trouble.node);

  test(`${trouble.by} says so, naming the place and what to do`, () => {
    const { intent, seen } = spoiled(trouble);
    const { findings } = judge(intent, seen, told);
    expect(new Set(findings.map((finding) => finding.check))).toEqual(new Set([trouble.by]));
    const found = findings.find((finding) => finding.node === node);
    expect(found).toMatchObject({ effect: trouble.effect, message: expect.stringMatching(trouble.says) });
    expect(found?.evidence).not.toBe("");
    if (trouble.effect !== "note") expect(found?.fix).toEqual(expect.any(String));
  });

  test("the verdict is no better than that", () => {
    const { intent, seen } = spoiled(trouble);
    const verdict = { contradicts: "failed", unobserved: "not proven", note: atBest(trouble.in) }[trouble.effect];
    expect(judge(intent, seen, told).verdict).toBe(verdict);
  });

  test(`without ${trouble.by} nobody would know`, () => {
    const { intent, seen } = spoiled(trouble);
    expect(judge(intent, seen, without(trouble.by))).toMatchObject({ verdict: atBest(trouble.in), findings: [] });
  });
});

test("each check has a case that only it finds", () => {
  const covered = new Set(troubles.map((trouble) => trouble.by));
  expect(told.map((check) => check.name).filter((name) => !covered.has(name))).toEqual([]);
});

test("no two checks have one name", () => {
  expect(new Set(allChecks.map((check) => check.name)).size).toBe(allChecks.length);
});

test("a contradiction outweighs missing evidence, and each node keeps its own standing", () => {
  const seen = healthy("wireguard");
  agent(seen, 1).encryption = { silent: "did not answer" };
  ciliumNode(seen, 2).encryptionKey = 0;
  const { verdict, nodes } = judge(intentFor("wireguard"), seen, told);
  expect(verdict).toBe("failed");
  expect(nodes.map((node) => node.verdict)).toEqual(["agrees", "unobserved", "contradicts", "agrees"]);
});

test("Cilium that counts its peers without naming them is taken at its count", () => {
  const seen = healthy("wireguard");
  for (const index of [0, 1, 2, 3]) wireguard(seen, index).peers = null;
  expect(judge(intentFor("wireguard"), seen, told).verdict).toBe("proven");
});

test("a control plane whose agent was not asked yet may announce either key under node encryption", () => {
  const seen = healthy("wireguard with node encryption");
  for (const each of seen.agents) each.status = each.encryption = { silent: "was not asked" };
  expect(judge(intentFor("wireguard with node encryption"), seen, told).verdict).toBe("not proven");
});
