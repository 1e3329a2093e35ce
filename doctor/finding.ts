import { type Problem, UserError } from "../components/userError.ts";

/** What one check found. */
export interface Finding {
  /** `error`: nothing should be created before it is mended. `warning`: worth knowing, or not known to be right. */
  level: "ok" | "warning" | "error";
  /** The thing checked, a few words: `Docker`. */
  what: string;
  /** What was seen, and what follows from it. */
  evidence: string;
  /** The command or the step that mends it. */
  fix?: string;
  /** A command that mends it without asking, since it only restarts what was running. */
  mend?: { program: string; args: string[] };
}

export function ok(what: string, evidence: string): Finding {
  return { level: "ok", what, evidence };
}

export function warning(what: string, evidence: string, fix?: string): Finding {
  return { level: "warning", what, evidence, ...(fix !== undefined && { fix }) };
}

export function error(what: string, evidence: string, fix?: string): Finding {
  return { level: "error", what, evidence, ...(fix !== undefined && { fix }) };
}

/** Findings of a level in the words of a user's mistakes, for the renderer that shows those. */
export function problemsOf(findings: readonly Finding[], level: Finding["level"]): Problem[] {
  return findings
    .filter((finding) => finding.level === level)
    .map(({ what, evidence, fix }) => ({ key: what, message: evidence, ...(fix !== undefined && { fix }) }));
}

/** A check that ended in a user's mistake, as findings. Anything else is a bug, and thrown on. */
export function findingsOf(what: string, failure: unknown): Finding[] {
  if (!(failure instanceof UserError)) throw failure;
  return failure.problems.map(({ key, value, message, allowed, fix }) => {
    const about = value === undefined ? "" : `${key} = ${value}: `;
    return error(what, `${about}${message}${allowed === undefined ? "" : ` There are: ${allowed}.`}`, fix);
  });
}

/** The error to stop with, or undefined where nothing speaks against going on. */
export function refusal(findings: readonly Finding[]): UserError | undefined {
  const problems = problemsOf(findings, "error");
  return problems.length > 0 ? new UserError(problems) : undefined;
}
