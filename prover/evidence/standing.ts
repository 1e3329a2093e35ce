import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Intent } from "../intent.ts";
import type { Verdict } from "../judge.ts";
import type { Observation } from "../observation.ts";
import { type Report, sentences } from "../report.ts";

/** What an evidence was about: enough to tell whether it still is about the cluster as it stands. */
export interface Subject {
  intent: Intent;
  observation: Observation;
}

/** What the newest evidence of a cluster is still worth. */
export interface EvidenceStanding {
  /** Path of evidence.html. */
  page: string;
  verdict: Verdict;
  /** The verdict in a sentence. */
  statement: string;
  reasons: string[];
  takenAt: string;
  /** `stale`: the cluster is no longer the one that it is about. */
  standing: "current" | "stale";
  /** What has changed since, in words. */
  changed: string[];
}

/** A report on what the cluster says of itself, with what the last look at its wire is still worth. */
export type StatusReport = Omit<Report, "verdict"> & {
  /** `stale`: nothing contradicts the settings, but what was proven was another cluster than stands here now. */
  verdict: Verdict | "stale";
  evidence: EvidenceStanding | null;
};

/** Status alone never proves, so that its verdict is the evidence's where that still holds, unless the cluster contradicts the settings now. */
export function withEvidence(report: Report, evidence: EvidenceStanding | null): StatusReport {
  if (!evidence || report.verdict === "failed") return { ...report, evidence };
  // Nobody looks at the wire for a status: the evidence did.
  const now = sentences(report.findings.filter(({ check }) => check !== "wire"));
  if (evidence.standing === "current") {
    const { verdict, takenAt } = evidence;
    const reasons = [...new Set([...evidence.reasons, ...now])];
    return { ...report, reasons, verdict, statement: `${evidence.statement} (proof of ${takenAt})`, evidence };
  }
  const statement = `stale: what was ${evidence.verdict} at ${evidence.takenAt} has changed since: ${evidence.changed.join(", ")}`;
  return {
    ...report,
    reasons: [...now, "prove it anew: ./bin/wirecloak verify"],
    verdict: "stale",
    statement,
    evidence,
  };
}

/** Holds the evidence in a folder against the cluster as it stands; null where there is none that can be read. */
export function evidenceStanding(folder: string, now: Subject): EvidenceStanding | null {
  let evidence: Subject & Pick<EvidenceStanding, "verdict" | "statement" | "reasons">;
  try {
    evidence = JSON.parse(readFileSync(join(folder, "evidence.json"), "utf8"));
  } catch {
    return null;
  }
  const changed = changedSince(evidence, now);
  return {
    page: join(folder, "evidence.html"),
    verdict: evidence.verdict,
    statement: evidence.statement,
    reasons: evidence.reasons,
    takenAt: evidence.observation.takenAt,
    standing: changed.length > 0 ? "stale" : "current",
    changed,
  };
}

/** What has changed since the evidence was taken, in words; nothing where it still holds. */
export function changedSince(evidence: Subject, now: Subject): string[] {
  const [then, today] = [aspects(evidence), aspects(now)];
  return Object.keys(today)
    .filter((aspect) => !isDeepStrictEqual(then[aspect], today[aspect]))
    .map((aspect) => (aspect === NODES ? `${NODES} (${moves(evidence, now)})` : aspect));
}

const NODES = "the set of nodes";

/** How many nodes are named one by one. */
const NAMED = 5;

/** Which nodes came and went. */
function moves(then: Subject, now: Subject): string {
  const [before, after] = [then, now].map(({ observation }) => new Set(observation.nodes.map(({ name }) => name)));
  const said = (one: Set<string> | undefined, other: Set<string> | undefined, did: string): string[] => {
    const names = [...(one ?? [])].filter((name) => !other?.has(name)).sort();
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
    return names.length > 0 ? [`${names.slice(0, NAMED).join(", ")}${more} ${did}`] : [];
  };
  return [...said(after, before, "joined"), ...said(before, after, "left")].join("; ");
}

/** Everything that a proof rests on and that outlives it, by its name for people. */
function aspects({ intent, observation }: Subject): Record<string, unknown> {
  const { proof: _, ...asked } = intent;
  const { config, daemonSet, nodes, ciliumNodes, agents } = observation;
  return {
    "the settings": asked,
    "cilium-config": config?.data,
    "the rollout of the agents": daemonSet && [daemonSet.generation, daemonSet.revision, daemonSet.options],
    [NODES]: nodes.map(({ name }) => name).sort(),
    "the keys that nodes announce": ciliumNodes
      .map(({ name, wireguardKey, encryptionKey, bootId }) => `${name} ${wireguardKey} ${encryptionKey} ${bootId}`)
      .sort(),
    "the agents' starts": agents
      .filter(({ terminating }) => !terminating)
      .map(({ pod, startedAt }) => `${pod} ${startedAt}`)
      .sort(),
  };
}
