import { Command, Option } from "commander";
import { UserError } from "../components/userError.ts";
import { defaultPulumiHome } from "./folders.ts";
import { obtain } from "./obtain.ts";
import { cacheDir } from "./paths.ts";
import { choosePlugins } from "./plugins.ts";
import { type Purpose, toolsFor } from "./table.ts";

interface Options {
  for: Purpose;
  json?: boolean;
  retry?: boolean;
}

const program = new Command("tools")
  .description("Finds or makes the pinned command-line tools and says where each comes from, and why.")
  .addOption(
    new Option("--for <what>", "what they are needed for")
      .choices(["kind", "existing", "rehearsal", "eks", "all"])
      .default("all"),
  )
  .option("--json", "print JSON instead of a table")
  .option("--retry", "ask the network for Pulumi plugins again, though it had none within the last day")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .action(async ({ for: purpose, json, retry = false }: Options) => {
    const progress = (line: string) => console.error(line);
    const cache = cacheDir();
    const { folder, resolved } = await obtain(toolsFor(purpose), { progress, cache });
    const pulumi = resolved.find(({ name }) => name === "pulumi")?.path ?? "pulumi";
    const plugins = await choosePlugins({ pulumi, pulumiHome: defaultPulumiHome(), cache, progress, retry });
    if (json) {
      console.log(JSON.stringify({ folder, tools: resolved, plugins }, null, 2));
      return;
    }
    const rows = [
      ["tool", "version", "source", "reason"],
      ...resolved.map(({ name, version, how, why }) => [name, version, how, why]),
      ...plugins.map(({ name, version, official, why }) => [
        `plugin ${name}`,
        version,
        official ? "official" : "stand-in",
        why,
      ]),
    ];
    for (const line of columns(rows)) console.log(line);
    console.log(`\nfor PATH: ${folder}`);
  });

/** Rows of text as lines, each column as wide as its widest cell. */
function columns(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exit(2);
}
