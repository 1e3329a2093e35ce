import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Command } from "commander";
import { UserError } from "../components/userError.ts";
import { toolFolders } from "../tools/folders.ts";
import { projectRoot } from "../tools/paths.ts";
import { chooseStack } from "./chooseStack.ts";
import { openSession, pulumiHome } from "./session.ts";

/** `wirecloak fault`: lets something go wrong in a rehearsal, so that one sees what the proof makes of it. */
export function registerFault(program: Command): void {
  program
    .command("fault")
    .description(
      "let something go wrong in a rehearsal's cluster (docs/faults.md), e.g. fault set leak rehearsal-worker",
    )
    .option("-s, --stack <name>", "the stack (default: the one that is there)")
    .argument(
      "<args...>",
      "list | clear | reboot NODE | agent-crash NODE | api-restart | set KIND NODE [--peer NODE] [--percent N] [--seconds N]",
    )
    .passThroughOptions()
    .action(async (args: string[], options: { stack?: string }) => {
      const { name, settings } = chooseStack(options.stack, "other");
      const { provider, name: cluster } = settings.cluster;
      if (provider !== "rehearsal")
        throw new UserError([
          {
            key: "stack",
            value: name,
            message: `Its cluster is ${provider}'s. Faults can be ordered in a rehearsal only.`,
          },
        ]);
      const { env } = openSession(await toolFolders(provider, pulumiHome()));
      const program = join(projectRoot, "rehearsal/main.ts");
      process.exitCode =
        spawnSync("node", [program, "fault", "--name", cluster, "--", ...args], { env, stdio: "inherit" }).status ?? 1;
    });
}
