import type { Probes } from "../probes.ts";

/** What AWS said: a document, or why there is none. */
export type Answer<T> = { value: T } | Refusal;

/** Why a question has no answer. */
export interface Refusal {
  /** AWS's word for it, `AccessDenied`; empty where AWS did not answer at all. */
  code: string;
  /** For people. */
  said: string;
}

/** Asks AWS by its CLI, which is asked for anyway: subcommand and arguments. Never throws for what AWS says. */
export type Aws = <T>(args: readonly string[]) => Promise<Answer<T>>;

/** Milliseconds for an answer from far away; some questions are several pages. */
const LIMIT = 15_000;

/** What only reads, by the first word of the operation. */
const READS = /^(?:get|describe|list|simulate)-/;

/** Asks in one region. Throws where a question would change something: who looks must not make. */
export function awsOf({ run }: Pick<Probes, "run">, region: string, limit = LIMIT): Aws {
  return async <T>(args: readonly string[]): Promise<Answer<T>> => {
    const [service = "", operation = ""] = args;
    if (!READS.test(operation) && !args.includes("--dry-run")) {
      throw new RangeError(`the doctor only looks: ${service} ${operation}`);
    }
    const { code, stdout, stderr, failure } = await run(
      "aws",
      ["--region", region, ...args, "--output", "json"],
      limit,
    );
    if (code === 0) return parsed<T>(stdout);
    const said = stderr.trim().split("\n").at(-1);
    const word = /An error occurred \(([\w.]+)\)/.exec(stderr)?.[1] ?? "";
    return {
      code: word,
      said: said || (failure === "SIGTERM" ? `no answer within ${limit / 1000} s` : failure) || "no answer",
    };
  };
}

function parsed<T>(stdout: string): Answer<T> {
  try {
    return { value: JSON.parse(stdout) as T };
  } catch {
    return { code: "", said: "an answer that is no JSON" };
  }
}

/** The document, or undefined. */
export function answered<T>(answer: Answer<T>): T | undefined {
  return "value" in answer ? answer.value : undefined;
}

/** Makes something of the document; a refusal stays one. */
export function map<T, R>(answer: Answer<T>, change: (value: T) => R): Answer<R> {
  return "value" in answer ? { value: change(answer.value) } : answer;
}
