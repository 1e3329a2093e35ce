import { type BenchRun, statistics } from "../bench/benchRuns.ts";
import { strictInWords } from "../checks/strict.ts";
import type { Intent } from "../intent.ts";
import type { Observation } from "../observation.ts";
import type { Report } from "../report.ts";
import type { WireObservation } from "../wire/observation.ts";
import { byText, canonical } from "./canonical.ts";
import { controlsOf } from "./controlMapping.ts";
import { withoutKeyMaterial } from "./keyMaterial.ts";
import { nodesOf } from "./nodes.ts";
import { pairsOf, sum } from "./pairs.ts";
import { rawObservation } from "./rawObservation.ts";
import { type Evidence, type PairEvidence, SCHEMA_VERSION, type VantageEvidence } from "./schema.ts";
import { vantagesOf } from "./vantages.ts";

/** How many findings are listed: some have one for each pair of nodes. */
const FINDINGS = 1000;

/** What a proof leaves behind. */
export interface Proof {
  report: Report;
  intent: Intent;
  observation: Observation;
  versions: { prover: string; kubernetes: string | null; tools: Record<string, string> };
  /** When the IPsec key was made, as far as the caller knows; the prover may not read the Secret. */
  keyAgeDays: number | null;
  /** What was measured on this cluster, by hand: see prover/bench. */
  benches: readonly BenchRun[];
  startedAt: string;
  endedAt: string;
}

/** The evidence of one proof: a pure function, the same document for the same proof, with no key in it. */
export function evidenceOf(proof: Proof): Evidence {
  const { report, intent, observation, versions, keyAgeDays, benches, startedAt, endedAt } = proof;
  const { wire } = observation;
  const pairs = pairsOf(intent, observation);
  const vantages = vantagesOf(intent, observation);
  const findings = report.findings.map(({ passing: _, ...finding }) => finding);
  const raw = rawObservation(intent, observation);
  return withoutKeyMaterial<Evidence>({
    schema: SCHEMA_VERSION,
    verdict: report.verdict,
    simulated: report.simulated,
    statement: report.statement,
    reasons: report.reasons,
    findings: findings.slice(0, FINDINGS),
    findingsLeftOut: Math.max(0, findings.length - FINDINGS),
    cluster: { name: report.cluster, provider: report.provider, nodes: report.nodes.length, routing: intent.routing },
    encryption: {
      mode: intent.encryption,
      nodeEncryption: intent.nodeEncryption,
      strict: intent.strict,
      key: intent.keyId === null ? null : { id: intent.keyId, bits: intent.keyBits, ageDays: keyAgeDays },
    },
    tested: wire ? testedOf(wire, pairs, vantages) : null,
    nodes: nodesOf(report, observation),
    pairs,
    vantages,
    guard: report.guard,
    ...(report.guardLimits && { guardLimits: report.guardLimits }),
    throughput: benches.map(({ mode, gbits, mtu, takenAt }) => ({
      ...{ mode, ...statistics(gbits), runs: gbits.length, mtu, takenAt },
    })),
    notEncrypted: report.notEncrypted,
    controls: controlsOf(intent, report.verdict, report.simulated),
    versions: {
      ...versions,
      cilium: report.versions.cilium,
      agents: sorted(report.versions.agents),
      tools: sorted(versions.tools),
    },
    startedAt,
    endedAt,
    seconds: (Date.parse(endedAt) - Date.parse(startedAt)) / 1000,
    requests: report.requests,
    intent: canonical(intent) as Record<string, unknown>,
    ...raw,
  });
}

function testedOf(wire: WireObservation, pairs: PairEvidence[], vantages: VantageEvidence[]): Evidence["tested"] {
  const results = Map.groupBy(pairs, (pair) => pair.result);
  const count = (result: PairEvidence["result"]): number => results.get(result)?.length ?? 0;
  return {
    pairsTotal: wire.pairs.total,
    pairsTested: wire.pairs.tested,
    sample: wire.pairs.sample,
    image: wire.image,
    markersSent: sum(pairs.map((pair) => pair.sent)),
    markersReturned: sum(pairs.map((pair) => pair.returned)),
    controlsSent: sum(vantages.map((vantage) => vantage.controlsSent)),
    controlsSeen: sum(vantages.map((vantage) => vantage.controlsSeen)),
    strict: strictInWords(wire.strict),
    results: {
      encrypted: count("encrypted"),
      notObserved: count("not observed"),
      readable: count("readable"),
    },
    startedAt: wire.startedAt,
    endedAt: wire.endedAt,
  };
}

function sorted<T>(map: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => byText(a, b)));
}
