import { join } from "node:path";
import { stateDir } from "../tools/paths.ts";
import { clearDeadLocks } from "./locks.ts";
import { endOrphans } from "./orphans.ts";
import { say } from "./say.ts";
import { pulumiOutput, type Session } from "./session.ts";

/** Clears what a killed run left in the way: its locks and its language host. In our own backend only. */
export function clearKilledRuns({ ownBackend, env }: Session): void {
  if (!ownBackend) return;
  for (const lock of clearDeadLocks(join(stateDir(), "backend"))) say(`removed the lock of a killed run: ${lock}`);
  for (const pid of endOrphans(env.PULUMI_BACKEND_URL ?? "")) say(`ended process ${pid} of a killed run`);
}

/** Whether the state holds operations that were begun and never ended. */
export function hasPendingOperations(session: Session, stack: string): boolean {
  const state = pulumiOutput(session, ["stack", "export", "--stack", stack]) ?? "{}";
  const { deployment } = JSON.parse(state) as { deployment?: { pending_operations?: unknown[] } };
  return (deployment?.pending_operations ?? []).length > 0;
}
