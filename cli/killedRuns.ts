import { join } from "node:path";
import { kubeconfigPlace } from "../components/cluster/place.ts";
import { listAt } from "../policies/resource.ts";
import { stateDir } from "../tools/paths.ts";
import type { Stack } from "./chooseStack.ts";
import { clearDeadLocks } from "./locks.ts";
import { endOrphans } from "./orphans.ts";
import { say } from "./say.ts";
import { pulumiOutput, pulumiQuietly, type Session, stackArguments } from "./session.ts";
import { takeUpReleases } from "./takeUp.ts";

/** Clears what a killed run left in the way: its locks and its language host. In our own backend only. */
export function clearKilledRuns({ ownBackend, env }: Session): void {
  if (!ownBackend) return;
  for (const lock of clearDeadLocks(join(stateDir(), "backend"))) say(`removed the lock of a killed run: ${lock}`);
  for (const pid of endOrphans(env.PULUMI_BACKEND_URL ?? "")) say(`ended process ${pid} of a killed run`);
}

/** The Helm releases that a killed run had begun come into the state, where `state`, which it is now, does not hold them. */
export function takeUpKilledInstalls(session: Session, { name, settings }: Stack, state: unknown): void {
  takeUpReleases(state, {
    ...kubeconfigPlace(settings.cluster),
    env: session.env,
    pulumi: (...args) => pulumiQuietly(session, stackArguments(session, name, args)),
  });
}

/** Whether a state holds operations that were begun and never ended. */
export function hasPendingOperations(state: unknown): boolean {
  return listAt(state, "deployment", "pending_operations").length > 0;
}

/** Whether a stack has made anything yet, by its state. */
export function holdsResources(state: unknown): boolean {
  return listAt(state, "deployment", "resources").length > 0;
}

/** The stack's state as Pulumi exports it, secrets encrypted; empty where there is none. */
export function stateOf(session: Session, stack: string): unknown {
  return JSON.parse(pulumiOutput(session, ["stack", "export", "--stack", stack]) ?? "{}");
}
