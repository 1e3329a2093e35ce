import { allChecks } from "../../prover/checks/checks.ts";
import { wireChecks } from "../../prover/checks/wire.ts";
import type { Check } from "../../prover/finding.ts";
import { type Judgement, judge, type Verdict } from "../../prover/judge.ts";
import { agentTroubles } from "./proverTroubles/agents.ts";
import { ciliumNodeTroubles } from "./proverTroubles/ciliumNodes.ts";
import { guardFaults, guardHarmless } from "./proverTroubles/guard.ts";
import { harmless } from "./proverTroubles/harmless.ts";
import { CASES, type Case, healthy } from "./proverTroubles/healthy.ts";
import { orderedFaults } from "./proverTroubles/orderedFaults.ts";
import { recordTroubles } from "./proverTroubles/record.ts";
import { rolloutTroubles } from "./proverTroubles/rollout.ts";
import { soleFaults } from "./proverTroubles/soleFaults.ts";
import { strictFaults } from "./proverTroubles/strict.ts";
import { healthyOnWire, type Routing, type WireCase } from "./proverTroubles/wire.ts";
import type { WireFault } from "./proverTroubles/wireFault.ts";

/** An observation and the verdict that it must have. */
interface Labelled {
  name: string;
  verdict: Verdict;
  by: readonly string[];
  make(): WireCase;
}

const ROUTINGS: readonly Routing[] = ["tunnel", "native"];
const COUNTS = [2, 4];

const setups = ROUTINGS.flatMap((routing) => COUNTS.map((count) => ({ routing, count })));

const wireFaults = [...orderedFaults, ...soleFaults, ...strictFaults, ...guardFaults, ...harmless, ...guardHarmless];
const ofTheWire: Labelled[] = wireFaults.flatMap((fault: WireFault) =>
  fault.in.flatMap((name) =>
    setups
      .filter(({ count }) => count >= (fault.least ?? 2))
      .map(({ routing, count }) => ({
        name: `${fault.name} (${name}, ${routing}, ${count} nodes)`,
        verdict: fault.verdict,
        by: fault.by,
        make: () => spoiled(healthyOnWire(name, routing, count), fault.spoil),
      })),
  ),
);

/** What is wrong with the cluster's own word, though its packets are as they must be. */
const ofTheCluster: Labelled[] = [...rolloutTroubles, ...recordTroubles, ...ciliumNodeTroubles, ...agentTroubles]
  .filter((trouble) => trouble.effect !== "note" && trouble.in !== "none")
  .map((trouble) => ({
    name: `${trouble.name} (${trouble.in})`,
    verdict: trouble.effect === "contradicts" ? "failed" : "not proven",
    by: [trouble.by],
    make: () =>
      spoiled(healthyOnWire(trouble.in, "tunnel", trouble.count), (wireCase) => {
        trouble.spoil(wireCase.seen, wireCase.intent);
        peersAsPublished(wireCase);
      }),
  }));

/** The devices know their peers by what the CiliumNodes publish, be that right or wrong. */
function peersAsPublished({ seen }: WireCase): void {
  const published = new Map(
    healthy("wireguard", seen.nodes.length).ciliumNodes.map(({ name, wireguardKey }) => [
      wireguardKey,
      seen.ciliumNodes.find((each) => each.name === name)?.wireguardKey ?? wireguardKey,
    ]),
  );
  for (const { counters } of seen.agents) {
    if (!counters || !("said" in counters.before) || !("said" in counters.after)) continue;
    for (const peer of [...(counters.before.said.peers ?? []), ...(counters.after.said.peers ?? [])])
      peer.publicKey = published.get(peer.publicKey) ?? peer.publicKey;
  }
}

const labelled = [...ofTheWire, ...ofTheCluster];

function spoiled(wireCase: WireCase, spoil: (wireCase: WireCase) => void): WireCase {
  spoil(wireCase);
  return wireCase;
}

function judged({ intent, seen }: WireCase, checks: readonly Check[] = allChecks): Judgement {
  return judge(intent, seen, checks);
}

const speaking = ({ findings }: Judgement): string[] => [...new Set(findings.map((finding) => finding.check))];

const atBest = (name: Case): Verdict => (name === "none" ? "not proven" : "proven");

describe.each(CASES)("a healthy cluster with its packets seen, %s,", (name) => {
  test.each(setups)("$routing, $count nodes", ({ routing, count }) => {
    const judgement = judged(healthyOnWire(name, routing, count));
    expect(judgement.verdict).toBe(atBest(name));
    expect(speaking(judgement)).toEqual(name === "none" ? ["wire"] : []);
  });
});

/** Made and judged once. Judging changes nothing in them. */
const judgedCases = labelled.map(({ make, ...label }) => {
  const wireCase = make();
  return { ...label, wireCase, judgement: judged(wireCase) };
});

test.each(judgedCases)("$name: $verdict", ({ judgement, verdict, by }) => {
  expect(judgement.verdict).toBe(verdict);
  expect(speaking(judgement)).toEqual(expect.arrayContaining([...by]));
});

/** All that it says is a note, by design: it cannot change a verdict. */
const ONLY_NOTES = "leftovers";

test.each(allChecks.map(({ name }) => name).filter((name) => name !== ONLY_NOTES))(
  "without %s a labelled case gets another verdict",
  (name) => {
    const rest = allChecks.filter((check) => check.name !== name);
    const needs = judgedCases
      .filter(({ judgement }) => speaking(judgement).includes(name))
      .find(({ wireCase, verdict }) => judged(wireCase, rest).verdict !== verdict);
    expect(needs?.name).toEqual(expect.any(String));
  },
);

test("each finding about the wire says where and what to do", () => {
  const ofWire = new Set(wireChecks.map(({ name }) => name));
  for (const { judgement } of judgedCases) {
    for (const { check, effect, evidence, fix, message } of judgement.findings) {
      if (check === "wire" || effect === "note" || !ofWire.has(check)) continue;
      expect({ message, fix }).toEqual({ message, fix: expect.stringMatching(/\w/) });
      expect(message).not.toMatch(/undefined|null|\.$/);
      if (check !== "wire-capture") expect(evidence).not.toBeNull();
    }
  }
});
