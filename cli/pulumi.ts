import type { Command } from "commander";
import { toolFolders } from "../tools/folders.ts";
import { findStack } from "./chooseStack.ts";
import { packArguments } from "./policyPack.ts";
import { ensureStack, openSession, pulumi, pulumiHome, stackArguments } from "./session.ts";

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
    .action(async (words: string[], options: { stack?: string }) => {
      const { asked = options.stack, args } = splitStack(words);
      // Whatever is wrong with its settings: `pulumi config set` is what mends them, also before there is a stack.
      const { name, provider = "kind" } = findStack(asked, "other");
      const session = openSession(await toolFolders(provider, pulumiHome()));
      if (args[0] === "config" && session.ownBackend) ensureStack(session, name);
      const ours = ASKING.has(args[0] ?? "") && !args.some((argument) => argument.startsWith("--policy-pack"));
      const pack = ours ? packArguments() : [];
      process.exitCode = await pulumi(session, stackArguments(session, name, [...args, ...pack]));
    });
}

/** The stack that is named among Pulumi's own arguments, and the others. Two names would be Pulumi's last one: ours, not the user's. */
export function splitStack(words: readonly string[]): { asked: string | undefined; args: string[] } {
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  const args: string[] = [];
  let asked: string | undefined;
  for (let at = 0; at < end; at++) {
    const word = words[at] ?? "";
    const [, long, short] = /^(?:--stack=(.*)|-s=?(.+))$/.exec(word) ?? [];
    if (word === "--stack" || word === "-s") asked = words[++at] ?? "";
    else if (long !== undefined || short !== undefined) asked = long ?? short;
    else args.push(word);
  }
  return { asked, args: [...args, ...words.slice(end)] };
}
