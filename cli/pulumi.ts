import type { Command } from "commander";
import { toolFolders } from "../tools/folders.ts";
import { chooseStack } from "./chooseStack.ts";
import { packArguments } from "./policyPack.ts";
import { openSession, pulumi, pulumiHome, stackArguments } from "./session.ts";

/** Pulumi's commands that ask for resources; with a pack of the user's own they go without ours. */
const ASKING = new Set(["up", "update", "preview"]);

/** `wirecloak pulumi ...`: the pinned Pulumi with this checkout's backend and policy pack, for everything that has no command of its own. */
export function registerPulumi(program: Command): void {
  program
    .command("pulumi")
    .description("run the pinned Pulumi on this checkout's stacks, e.g. wirecloak pulumi preview --diff")
    .option("-s, --stack <name>", "the stack (default: the one that `up` takes)")
    .argument("<args...>", "a Pulumi command and its arguments")
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (args: string[], options: { stack?: string }) => {
      const stack = chooseStack(options.stack, "other");
      const session = openSession(await toolFolders(stack.settings.cluster.provider, pulumiHome()));
      const ours = ASKING.has(args[0] ?? "") && !args.some((argument) => argument.startsWith("--policy-pack"));
      const pack = ours ? packArguments() : [];
      process.exitCode = await pulumi(session, stackArguments(session, stack.name, [...args, ...pack]));
    });
}
