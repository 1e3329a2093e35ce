import { readGuard } from "../guard.ts";
import type { GuardQuestion } from "../intent.ts";

/** How many packets the guard in force has dropped that should have been encrypted; null where there is none. Throws where it cannot be asked. */
export async function droppedBy(question: GuardQuestion): Promise<number | null> {
  const answer = await readGuard(question);
  if ("silent" in answer) throw new Error(answer.silent);
  const { said } = answer;
  return (
    said && Object.values(said.dropped).reduce((sum, { packets, plaintext }) => sum + (plaintext ? packets : 0), 0)
  );
}
