import { existsSync } from "node:fs";
import { join, sep } from "node:path";
import { runCommand } from "./command.ts";
import { readNote, writeWhole } from "./files.ts";
import { findOnPath } from "./findOnPath.ts";
import { linkFolder } from "./links.ts";
import { type Network, openNetwork } from "./network.ts";
import { projectRoot } from "./paths.ts";

/** The provider plugins of the stack, at the versions of the SDKs in package.json. */
export const plugins = [
  { name: "random", version: "4.21.2" },
  { name: "command", version: "1.2.1" },
  { name: "kubernetes", version: "4.34.2" },
] as const;

/** Where a plugin comes from. */
export interface Plugin {
  name: string;
  version: string;
  /** False for our stand-in from rehearsal/plugins. */
  official: boolean;
  why: string;
  /** For a stand-in: the folder that belongs on PATH. It holds the stand-ins in use and nothing else. */
  pathDir?: string;
}

/** Pulumi asks its own site for a plugin, and this is where it keeps them. */
const PLUGIN_SITE = "https://get.pulumi.com";
const INSTALL_LIMIT_MS = 5 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

interface PluginSurroundings {
  /** The Pulumi CLI to install with. */
  pulumi: string;
  pulumiHome: string;
  cache: string;
  progress: (line: string) => void;
  /** Ask the network again, though it had no plugin within the last day. */
  retry?: boolean;
  env?: NodeJS.ProcessEnv;
  network?: Network;
  /** The folder of our launchers. */
  standIns?: string;
}

type Complete = PluginSurroundings & Required<Pick<PluginSurroundings, "network" | "standIns">>;

/** Official plugins wherever they are or can be had; ours only for the others. */
export async function choosePlugins(surroundings: PluginSurroundings): Promise<Plugin[]> {
  const { cache, standIns = join(projectRoot, "rehearsal/plugins/bin"), network = openNetwork() } = surroundings;
  const chosen: Plugin[] = [];
  for (const { name, version } of plugins)
    chosen.push({ name, version, ...(await findOfficial(name, version, { ...surroundings, standIns, network })) });
  const ours = chosen.filter(({ official }) => !official).map(({ name }) => programOf(name));
  if (ours.length === 0) return chosen;
  // Only those in use: whatever lies on PATH wins over the official one.
  const links = ours.map((program) => ({ name: program, target: join(standIns, program) }));
  const pathDir = linkFolder(join(cache, "plugins"), links);
  return chosen.map((plugin) => (plugin.official ? plugin : { ...plugin, pathDir }));
}

function programOf(name: string): string {
  return `pulumi-resource-${name}`;
}

type Found = Pick<Plugin, "official" | "why">;

/** Whether the official plugin is there, or can be installed. */
async function findOfficial(name: string, version: string, surroundings: Complete): Promise<Found> {
  const { pulumiHome, cache, env = process.env } = surroundings;
  // The engine looks on PATH before its own folder, and takes any version there.
  const onPath = findOnPath(programOf(name), env.PATH ?? "").find((path) => !isStandIn(path, surroundings));
  if (onPath) return { official: true, why: `${onPath} on PATH` };
  const installed = join(pulumiHome, "plugins", `resource-${name}-v${version}`);
  // The engine's own mark of an installation that is not finished (sdk/go/common/workspace/plugins.go).
  if (existsSync(installed) && !existsSync(`${installed}.partial`)) return { official: true, why: "installed" };

  const note = join(cache, "plugins-not-had.json");
  const refusals = readNote<Record<string, { at: number; why: string }>>(note) ?? {};
  const key = `${name} ${version}`;
  const last = refusals[key];
  if (last && Date.now() - last.at < DAY_MS && !surroundings.retry)
    return {
      official: false,
      why: `${last.why}, at ${new Date(last.at).toISOString().slice(0, 16)}Z (--retry asks again)`,
    };
  const failure = await install(name, version, surroundings);
  if (failure === undefined) return { official: true, why: "installed just now" };
  writeWhole(note, JSON.stringify({ ...refusals, [key]: { at: Date.now(), why: failure } }));
  return { official: false, why: failure };
}

/** Installs the official plugin; returns why it could not be. */
async function install(
  name: string,
  version: string,
  { pulumi, pulumiHome, progress, network, env = process.env }: Complete,
): Promise<string | undefined> {
  const unreachable = await network.unreachable(PLUGIN_SITE);
  if (unreachable) return unreachable;
  progress(`tools: Pulumi plugin ${name} ${version}: installing`);
  const { code, stderr, failure } = await runCommand(pulumi, ["plugin", "install", "resource", name, version], {
    cwd: projectRoot,
    env: { ...env, PULUMI_HOME: pulumiHome, PULUMI_SKIP_UPDATE_CHECK: "true" },
    timeoutMs: INSTALL_LIMIT_MS,
  });
  if (code === 0) return undefined;
  return `pulumi plugin install failed (${failure ?? stderr.trim().split("\n").at(-1) ?? code})`;
}

/** Another checkout's count too. */
function isStandIn(path: string, { cache, standIns }: Complete): boolean {
  return path.startsWith(cache + sep) || path.startsWith(standIns + sep) || path.includes("/rehearsal/plugins/bin/");
}
