import { listAt, textAt } from "../policies/resource.ts";
import { readGuard } from "../prover/guard.ts";
import type { GuardQuestion } from "../prover/intent.ts";
import { say } from "./say.ts";

/** Rules of security groups, of which the guard in AWS is made. */
const RULE = /^aws:vpc\/securityGroup(Egress|Ingress)Rule:/;

/**
 * Rules of the guard that somebody has deleted come off the state, so that the update makes them anew: Pulumi believes that they are there until it is told to look.
 * Returns Pulumi's exit code, 0 where nothing was to be done or AWS does not say: then the proof does.
 */
export async function forgetLostRules(
  question: GuardQuestion,
  state: unknown,
  pulumi: (...args: string[]) => { code: number; output: string },
): Promise<number> {
  const known = listAt(state, "deployment", "resources")
    .filter((resource) => RULE.test(textAt(resource, "type") ?? ""))
    .flatMap((resource) => textAt(resource, "urn") ?? []);
  if (known.length === 0) return 0;
  const answer = await readGuard(question);
  const faults = "said" in answer ? (answer.said?.rules?.faults ?? []) : [];
  const missing = faults.filter(({ kind }) => kind === "missing").map(({ rule }) => `-guard-${rule}`);
  // Those of a mode that the settings change to are not there yet, and in no state.
  const lost = known.filter((urn) => missing.some((name) => urn.endsWith(name)));
  if (lost.length === 0) return 0;
  const names = lost.map((urn) => urn.split("::").at(-1)).join(", ");
  say(`somebody has taken away rules of the guard, which the state still holds: looking for ${names}`);
  const targets = lost.flatMap((urn) => ["--target", urn]);
  const { code, output } = pulumi("refresh", "--yes", "--skip-preview", "--non-interactive", ...targets);
  if (code !== 0) console.error(output);
  return code;
}
