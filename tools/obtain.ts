import { join } from "node:path";
import { ToolCache } from "./cache.ts";
import { linkFolder } from "./links.ts";
import { withLock } from "./lock.ts";
import { makeTools } from "./make.ts";
import { type Network, openNetwork } from "./network.ts";
import { lookOnPath, type PathChoice } from "./onPath.ts";
import { cacheDir, projectRoot } from "./paths.ts";
import { type GoModule, goModules, type Tool } from "./table.ts";

/** Where a program comes from, for people and for `--json`. */
export interface Resolved {
  name: string;
  version: string;
  how: "PATH" | "download" | "built";
  why: string;
  path: string;
}

export interface Obtained {
  /** A folder that holds exactly these programs, as links: for the front of PATH. */
  folder: string;
  resolved: Resolved[];
}

/** What surrounds a run. Everything but `progress` has the real thing as its default. */
export interface Surroundings {
  /** Hears one line at a time about whatever takes long. */
  progress: (line: string) => void;
  cache?: string;
  env?: NodeJS.ProcessEnv;
  root?: string;
  modules?: Record<string, GoModule>;
  network?: Network;
}

/**
 * Finds or makes each tool: a good enough one on PATH, else the cache, else the official download, else a Go build.
 * Where all of them are there, it starts no program. Throws a UserError that says of each tool left why no way worked.
 */
export async function obtain(tools: readonly Tool[], surroundings: Surroundings): Promise<Obtained> {
  const { progress, env = process.env, network = openNetwork() } = surroundings;
  const { root = projectRoot, modules = goModules } = surroundings;
  const cache = new ToolCache(surroundings.cache ?? cacheDir(env), root, modules);
  const choices = await lookOnPath(tools, { env, cache: cache.folder });
  const whyNotPath = (tool: Tool) => choices.get(tool.name)?.why ?? "";
  const resolve = (tool: Tool) => resolveTool(tool, choices.get(tool.name), cache);

  if (!tools.every(resolve)) {
    const waiting = (holder: string) => progress(`tools: ${holder} is getting tools too; waiting for it`);
    await withLock(join(cache.folder, "tools.lock"), waiting, async () => {
      cache.sweepScratch();
      // Whoever held the lock before may have made some of them.
      const missing = tools.filter((tool) => !resolve(tool));
      await makeTools(missing, whyNotPath, { cache, env, network, progress });
      cache.sweepScratch();
    });
  }
  const resolved = tools.flatMap((tool) => resolve(tool) ?? []);
  const links = resolved.map(({ name, path }) => ({ name, target: path }));
  return { folder: linkFolder(join(cache.folder, "bin"), links), resolved };
}

/** The tool and its companion where nothing need be made, else undefined. */
function resolveTool(tool: Tool, choice: PathChoice | undefined, cache: ToolCache): Resolved[] | undefined {
  const { name, companion } = tool;
  if (choice && "path" in choice) {
    const { path, version, why } = choice;
    const own: Resolved = { name, version, how: "PATH", why, path };
    if (!companion || !choice.companion) return [own];
    return [own, { ...own, name: companion.name, why: `beside ${name}`, path: choice.companion }];
  }
  const cached = cache.find(tool);
  return (
    cached &&
    Object.entries(cached.versions).map(([program, version]) => ({
      name: program,
      version,
      how: cached.how,
      why: choice ? `${choice.why}; ${cached.why}` : cached.why,
      path: join(cached.folder, program),
    }))
  );
}
