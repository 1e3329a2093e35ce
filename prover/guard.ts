import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { text } from "node:stream/consumers";
import { z } from "zod";
import type { GuardQuestion } from "./intent.ts";
import type { Answer, GuardSeen, RulesSeen } from "./observation.ts";

/** Milliseconds: on kind a container is started for it. */
const PATIENCE = 60_000;

const rules: z.ZodType<RulesSeen> = z.object({
  by: z.string(),
  at: z.string(),
  open: z.array(z.string()),
  faults: z.array(
    z.object({
      kind: z.enum(["missing", "foreign", "node"]),
      rule: z.string().nullable(),
      node: z.string().nullable(),
      address: z.string().nullable(),
      what: z.string(),
      evidence: z.string(),
      fix: z.string().nullable(),
    }),
  ),
  addresses: z.array(z.string()),
});

const shape: z.ZodType<GuardSeen | null> = z
  .object({
    generation: z.string(),
    forms: z.array(z.string()),
    digest: z.string(),
    intact: z.boolean(),
    dropped: z.record(
      z.string(),
      z.object({ packets: z.number(), bytes: z.number(), what: z.string(), plaintext: z.boolean() }),
    ),
    rules: rules.optional(),
  })
  .nullable();

/** Asks for the guard in force; null where there is none. Changes nothing. */
export async function readGuard({
  command: [program = "", ...args],
  input,
}: GuardQuestion): Promise<Answer<GuardSeen | null>> {
  try {
    // Not its own time limit, whose timer stays where the program cannot start, and keeps this one for so long.
    const child = spawn(program, args, { cwd: tmpdir(), signal: AbortSignal.timeout(PATIENCE) });
    // A program that does not read its input ends this pipe.
    child.stdin.on("error", () => undefined).end(input);
    const ended = new Promise<string | null>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve(code === 0 ? null : `ended with ${code ?? signal}`));
    });
    const [failure, said, complaint] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    if (failure !== null) return { silent: complaint.trim().split("\n").slice(0, 3).join(" ") || failure };
    return { said: shape.parse(JSON.parse(said)) };
  } catch (error) {
    return { silent: `no answer that can be read: ${(error as Error).message.split("\n")[0]}` };
  }
}
