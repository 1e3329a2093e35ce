import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Command } from "commander";
import { guardPlaceOf, isBridge } from "../components/cluster/guardPlace.ts";
import { guardQuestion } from "../components/encryption/guard/question.ts";
import { render, UserError } from "../components/userError.ts";
import { changeText, lastChange } from "../prover/watch/end.ts";
import { toolFolders } from "../tools/folders.ts";
import { projectRoot, watchFolder } from "../tools/paths.ts";
import { chooseStack, type Stack } from "./chooseStack.ts";
import { costDrivers, mayCost, terminal } from "./costs.ts";
import { examination, renderFindings } from "./doctor.ts";
import { clearKilledRuns, hasPendingOperations, holdsResources, stateOf, takeUpKilledInstalls } from "./killedRuns.ts";
import { liveCluster } from "./liveCluster.ts";
import { forgetLostRules } from "./lostRules.ts";
import { packArguments } from "./policyPack.ts";
import { runnable } from "./runnable.ts";
import { say } from "./say.ts";
import {
  ensureStack,
  openSession,
  pulumi,
  pulumiHome,
  pulumiQuietly,
  type Session,
  stackArguments,
} from "./session.ts";
import { showStatus } from "./status.ts";

/** `wirecloak up`: tools, checks, `pulumi up`, and what came of it. */
export function registerUp(program: Command): void {
  program
    .command("up")
    .description("stand the encrypted cluster up, or bring it to the stack's settings, and prove it")
    .option("-s, --stack <name>", "the stack (default: kind where Docker answers, else rehearsal)")
    .option("--replace", "accept that a changed setting replaces the cluster and all that is in it")
    .option("-y, --yes", "make what costs money without asking (clusters in a cloud)")
    .action(async ({ stack, replace, yes }: { stack?: string; replace?: boolean; yes?: boolean }) => {
      process.exitCode = await bringUp(stack, { mayReplace: replace ?? false, yes: yes ?? false });
    });
}

/** Brings a stack to its settings and shows what came of it; resolves with the exit code, 2 where nothing was begun. */
export async function bringUp(asked: string | undefined, { mayReplace = false, yes = false } = {}): Promise<number> {
  // Settings first: a mistake in them costs a second, the tools may cost minutes.
  const stack = chooseStack(asked, "up");
  say(`stack ${stack.name}${stack.why ? ` (${stack.why})` : ""}`);
  for (const warning of stack.warnings) say(`warning: ${render([warning])}`);

  const { settings } = stack;
  const pack = packArguments();
  const session = openSession(await toolFolders(settings.cluster.provider, pulumiHome()));
  if (settings.cluster.provider === "rehearsal") packageStandIn(session);

  const findings = await examination(settings, session.env, { mend: true, mayReplace });
  console.error(runnable(renderFindings(findings), stack.name));
  if (findings.some(({ level }) => level === "error")) {
    say("nothing was created: mend what is marked ✗ first");
    return 2;
  }

  // Asked once: what is there costs already.
  const costs = costDrivers(settings).length > 0 && !holdsResources(stateOf(session, stack.name));
  if (costs && !(await mayCost(settings, { yes, ask: terminal() }))) {
    say("nothing was created");
    return 2;
  }
  const began = Date.now();
  return (await deploy(session, stack, pack)) || (await summary(session, stack, began));
}

/** The rehearsal's chart is packaged in the versions that it knows, unless it is already; the doctor refuses others. */
function packageStandIn({ env }: Session): void {
  const packager = [join(projectRoot, "rehearsal/main.ts"), "package"];
  const { status } = spawnSync("node", packager, { env, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new UserError([{ key: "rehearsal chart", message: "It could not be packaged." }]);
}

/** Brings the stack to its settings; resolves with Pulumi's exit code. */
async function deploy(session: Session, chosen: Stack, pack: string[]): Promise<number> {
  const { name: stack } = chosen;
  clearKilledRuns(session);
  ensureStack(session, stack);
  const state = stateOf(session, stack);
  takeUpKilledInstalls(session, chosen, state);
  const refreshed = await refreshGuard(session, chosen, state);
  if (refreshed !== 0) return refreshed;
  // What the policy pack asks of the stack as a whole it asks in an update when all is done: only a preview is stopped before.
  const preview = pulumiQuietly(session, stackArguments(session, stack, ["preview", "--non-interactive", ...pack]));
  if (preview.code !== 0) {
    console.log(runnable(preview.output, stack));
    say("nothing was changed: mend the cause above, then make up again");
    return preview.code;
  }
  const code = await pulumi(
    session,
    stackArguments(session, stack, ["up", "--yes", "--skip-preview", "--suppress-outputs", ...pack]),
  );
  if (code !== 0) {
    say(
      `pulumi up ended with ${code}. What was made stays, and the state knows it: mend the cause above, then make up again.`,
    );
    return code;
  }
  // Every create of ours takes up what a killed one left, so that what the state holds as begun is done by now.
  if (!hasPendingOperations(state)) return code;
  say("clearing what a killed run left in the state");
  return pulumi(
    session,
    stackArguments(session, stack, ["refresh", "--yes", "--skip-preview", "--clear-pending-creates"]),
  );
}

/** Only a guard that a cloud carries is resources, of which the state may hold what is not there. */
async function refreshGuard(session: Session, { name, settings }: Stack, state: unknown): Promise<number> {
  const place = guardPlaceOf(settings);
  const question = place && !isBridge(place) ? guardQuestion(settings, place) : null;
  if (!question) return 0;
  return forgetLostRules(question, state, (...args) => pulumiQuietly(session, stackArguments(session, name, args)));
}

/** What came of it, asked of the live cluster, and what to do next. */
async function summary(session: Session, { name, settings, why }: Stack, began: number): Promise<number> {
  const live = liveCluster(session, name);
  if (!live) return 0;
  console.log("");
  const code = await showStatus(live, false);
  const change = lastChange(watchFolder(settings.cluster.name));
  if (change && Date.parse(change.startedAt) > began) console.log(changeText(change));
  // Who named the stack has to name it again.
  const [flag, variable] = why === undefined ? [` -s ${name}`, ` STACK=${name}`] : ["", ""];
  const next: [command: string, does: string][] = [
    [`./bin/wirecloak status${flag} --json`, "the same for machines"],
    [`export KUBECONFIG=${live.kubeconfig}`, ""],
    [`edit Pulumi.${name}.yaml, then make up${variable}`, "another mode, in place"],
    [`make down${variable}`, "remove everything"],
  ];
  const width = Math.max(...next.map(([command, does]) => (does === "" ? 0 : command.length)));
  console.log(
    `\nnext:\n${next.map(([command, does]) => `  ${command.padEnd(width + 6)}${does}`.trimEnd()).join("\n")}`,
  );
  return code;
}
