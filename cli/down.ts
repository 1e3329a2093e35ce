import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { toolFolders } from "../tools/folders.ts";
import { projectRoot, stateDir } from "../tools/paths.ts";
import { existingStacks, findStack, withSettings } from "./chooseStack.ts";
import { clearKilledRuns, stateOf, takeUpKilledInstalls } from "./killedRuns.ts";
import { say } from "./say.ts";
import { openSession, pulumi, pulumiHome, type Session, stackArguments, stacks } from "./session.ts";

/** Programs that remove what a failed create left without a trace in the state; each knows its own by an owner's mark. */
const SWEEPERS = { kind: "components/cluster/kindCluster.ts", rehearsal: "rehearsal/main.ts" };

/** `wirecloak down`: `pulumi destroy`, then what the state did not know of. */
export function registerDown(program: Command): void {
  program
    .command("down")
    .description("remove the cluster and everything that was made for it")
    .option("-s, --stack <name>", "the stack (default: the one that exists)")
    .action(async (options: { stack?: string }) => {
      // Whatever else is wrong with its settings: where the cluster is must be known, and what was made there can be removed.
      const stack = findStack(options.stack, "other");
      const { name, provider = withSettings(stack).settings.cluster.provider } = stack;
      const session = openSession(await toolFolders(provider, pulumiHome()));
      clearKilledRuns(session);
      say(`stack ${name}: removing`);
      if (stacks(session).includes(name)) {
        // In a cluster that stays, what the state does not know of would stay too.
        if (provider === "existing") takeUpKilledInstalls(session, withSettings(stack), stateOf(session, name));
        const code = await destroy(session, name);
        if (code !== 0) {
          process.exitCode = 1;
          return;
        }
      }
      if (provider === "kind" || provider === "rehearsal") sweep(session, SWEEPERS[provider]);
      if (session.ownBackend && existingStacks().length === 0) rmSync(stateDir(), { recursive: true, force: true });
      say(`stack ${name}: nothing is left`);
    });
}

/** Destroys and forgets a stack; its committed config file stays. */
async function destroy(session: Session, stack: string): Promise<number> {
  const code = await pulumi(session, stackArguments(session, stack, ["destroy", "--yes", "--skip-preview"]));
  if (code !== 0) return code;
  return pulumi(session, ["stack", "rm", stack, "--yes", "--preserve-config"]);
}

function sweep(session: Session, program: string): void {
  spawnSync("node", [join(projectRoot, program), "sweep", "--state", stateDir()], {
    env: session.env,
    stdio: ["ignore", "ignore", "inherit"],
  });
}
