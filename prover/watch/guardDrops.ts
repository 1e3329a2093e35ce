import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { z } from "zod";
import type { GuardQuestion } from "./order.ts";

const shown = z
  .looseObject({ dropped: z.record(z.string(), z.looseObject({ packets: z.number(), plaintext: z.boolean() })) })
  .nullable();

/** How many packets the guard in force has dropped that should have been encrypted; null where there is none. Throws where it cannot be asked. */
export async function droppedBy({ command: [program = "", ...args], input }: GuardQuestion): Promise<number | null> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
  const failed = new Promise<never>((_, reject) => child.on("error", reject));
  child.stdin.on("error", () => undefined).end(input);
  const answer = shown.parse(JSON.parse(await Promise.race([text(child.stdout), failed])));
  return (
    answer && Object.values(answer.dropped).reduce((sum, { packets, plaintext }) => sum + (plaintext ? packets : 0), 0)
  );
}
