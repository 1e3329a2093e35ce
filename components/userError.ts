/** One thing that is wrong with what the user gave, or worth telling (a warning has the same shape). */
export interface Problem {
  /** What it is about: the full config key (`wirecloak:ipsec.keyId`), a flag, or the thing checked (`docker`). */
  key: string;
  /** The value as given. Left out where there is none, or where it may be secret. */
  value?: unknown;
  /** What is wrong, one or two plain sentences. */
  message: string;
  /** What would be accepted. */
  allowed?: string;
  /** The command that mends it. */
  fix?: string;
}

/** A mistake of the user's, or of their machine: shown as its problems, never as a stack. Everything else that is thrown is a bug of ours. */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    super(render(problems));
    this.problems = problems;
    // The Pulumi engine and Node.js print `stack`, and where we noticed it tells a user nothing.
    this.stack = `${this.name}: ${this.message}`;
  }
}

/** Text for people: one block a problem, with the key, the value, what is allowed and the command that mends it. */
export function render(problems: readonly Problem[]): string {
  return problems.map(renderOne).join("\n\n");
}

function renderOne(problem: Problem): string {
  const value = "value" in problem ? ` = ${shown(problem.value)}` : "";
  const lines = [`${problem.key}${value}`, problem.message];
  if (problem.allowed !== undefined) lines.push(`allowed: ${problem.allowed}`);
  if (problem.fix !== undefined) lines.push(`fix:     ${problem.fix}`);
  return lines.join("\n    ");
}

/** Long enough for any value a person would recognise; a pasted file is cut. */
const SHOWN = 120;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text;
}
