import type { Check, Finding } from "./finding.ts";
import type { Intent } from "./intent.ts";
import type { Observation } from "./observation.ts";

/** `not proven`: nothing contradicts the intent, but something could not be observed. */
export type Verdict = "proven" | "not proven" | "failed";

/** How one node stands. */
export interface NodeJudgement {
  name: string;
  verdict: "agrees" | "unobserved" | "contradicts";
}

export interface Judgement {
  verdict: Verdict;
  findings: Finding[];
  nodes: NodeJudgement[];
}

/** Judges an observation by the given checks: pure, the same answer for the same documents. */
export function judge(intent: Intent, seen: Observation, checks: readonly Check[]): Judgement {
  const findings = checks.flatMap((check) =>
    check.look(intent, seen).map((found) => ({ check: check.name, ...found })),
  );
  const off = (effect: Finding["effect"]): Set<string | null> =>
    new Set(findings.filter((finding) => finding.effect === effect).map((finding) => finding.node));
  const contradicted = off("contradicts");
  const unobserved = off("unobserved");
  const names = new Set(seen.nodes.map((node) => node.name));
  for (const { node } of findings) if (node !== null) names.add(node);
  return {
    verdict: verdictOf(intent, contradicted.size > 0, unobserved.size > 0),
    findings,
    nodes: [...names].map((name) => ({
      name,
      verdict: contradicted.has(name) ? "contradicts" : unobserved.has(name) ? "unobserved" : "agrees",
    })),
  };
}

function verdictOf(intent: Intent, contradicted: boolean, unobserved: boolean): Verdict {
  if (contradicted) return "failed";
  // Without encryption there is nothing that could be proven.
  if (unobserved || intent.encryption === "none") return "not proven";
  return "proven";
}
