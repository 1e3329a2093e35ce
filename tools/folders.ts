import { homedir } from "node:os";
import { join } from "node:path";
import { obtain } from "./obtain.ts";
import { cacheDir } from "./paths.ts";
import { choosePlugins } from "./plugins.ts";
import { type Purpose, toolsFor } from "./table.ts";

/**
 * Folders for the front of PATH with every tool and Pulumi plugin that a stack with this cluster provider needs; gets what
 * is missing first, which can take minutes, and says so on stderr.
 *
 * @param pulumiHome the PULUMI_HOME that the stack will run with: official plugins found there win over our stand-ins
 */
export async function toolFolders(purpose: Purpose, pulumiHome = defaultPulumiHome()): Promise<string[]> {
  const progress = (line: string) => console.error(line);
  const { folder, resolved } = await obtain(toolsFor(purpose), { progress });
  const pulumi = resolved.find(({ name }) => name === "pulumi")?.path;
  const plugins = await choosePlugins({ pulumi: pulumi ?? "pulumi", pulumiHome, cache: cacheDir(), progress });
  return [folder, ...new Set(plugins.flatMap(({ pathDir }) => pathDir ?? []))];
}

export function defaultPulumiHome(env: NodeJS.ProcessEnv = process.env): string {
  return env.PULUMI_HOME || join(homedir(), ".pulumi");
}
