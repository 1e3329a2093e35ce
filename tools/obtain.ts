import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { type Problem, UserError } from "../components/userError.ts";
import { keep, newScratch, type Origin, readOrigin, sweepScratch } from "./cache.ts";
import { download } from "./download.ts";
import { buildModule, findGo, moduleDigest, type Target } from "./goBuild.ts";
import { linkFolder } from "./links.ts";
import { withLock } from "./lock.ts";
import { type Network, openNetwork } from "./network.ts";
import { lookOnPath, type PathChoice } from "./onPath.ts";
import { cacheDir, projectRoot } from "./paths.ts";
import { platformKey, platformOf } from "./platform.ts";
import { type GoModule, goModules, type Tool } from "./table.ts";
import { Unobtainable } from "./unobtainable.ts";

/** Where a tool comes from, for people and for `--json`. */
export interface Resolved {
  name: string;
  version: string;
  how: "PATH" | "download" | "built";
  why: string;
  path: string;
}

export interface Obtained {
  /** A folder that holds exactly these tools, as links: for the front of PATH. */
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
 * Finds or makes each tool: a good enough one on PATH, else from the cache, else the official download, else a Go build.
 * With all of them there it starts no program. Throws a UserError that says of each tool left why no way worked.
 */
export async function obtain(tools: readonly Tool[], surroundings: Surroundings): Promise<Obtained> {
  const run = new Run(surroundings);
  const choices = await lookOnPath(tools, run);
  const missing = () => tools.filter((tool) => !run.fromPathOrCache(tool, choices));
  if (missing().length > 0) {
    const lock = join(run.cache, "tools.lock");
    const waiting = (holder: string) => run.progress(`tools: ${holder} is getting tools too; waiting for it`);
    await withLock(lock, waiting, async () => {
      sweepScratch(run.cache);
      await run.make(missing(), choices);
      sweepScratch(run.cache);
    });
  }
  const resolved = tools.flatMap((tool) => run.fromPathOrCache(tool, choices) ?? []);
  const links = resolved.map(({ name, path }) => ({ name, target: path }));
  return { folder: linkFolder(join(run.cache, "bin"), links), resolved };
}

class Run {
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: (line: string) => void;
  private readonly root: string;
  private readonly modules: Record<string, GoModule>;
  private readonly givenNetwork: Network | undefined;
  private readonly digests = new Map<string, string>();

  constructor({ progress, cache, env, root, modules, network }: Surroundings) {
    this.env = env ?? process.env;
    this.cache = cache ?? cacheDir(this.env);
    this.root = root ?? projectRoot;
    this.modules = modules ?? goModules;
    this.givenNetwork = network;
    this.progress = progress;
  }

  /** The tool and its companion where nothing need be made, else undefined. */
  fromPathOrCache(tool: Tool, choices: Map<string, PathChoice>): Resolved[] | undefined {
    const { name, companion } = tool;
    const choice = choices.get(name);
    if (choice && "path" in choice) {
      const { path, version, why } = choice;
      const own: Resolved = { name, version, how: "PATH", why, path };
      if (!companion || !choice.companion) return [own];
      return [own, { ...own, name: companion.name, why: `beside ${name}`, path: choice.companion }];
    }
    for (const how of ["download", "built"] as const) {
      const folder = this.folderOf(tool, how);
      const origin = readOrigin(folder);
      if (!origin || !existsSync(join(folder, name))) continue;
      return Object.entries(origin.versions).map(([program, version]) => ({
        name: program,
        version,
        how,
        why: origin.why,
        path: join(folder, program),
      }));
    }
    return undefined;
  }

  /** Downloads what can be downloaded, builds the rest module by module. */
  async make(missing: readonly Tool[], choices: Map<string, PathChoice>): Promise<void> {
    const network = this.givenNetwork ?? openNetwork();
    const reasons = new Map<string, string[]>();
    for (const tool of missing) {
      const soFar = [choices.get(tool.name)?.why ?? "not on PATH"];
      reasons.set(tool.name, soFar);
      if (!tool.download) continue;
      try {
        await this.download(tool, soFar.join("; "), network);
      } catch (error) {
        if (!(error instanceof Unobtainable)) throw error;
        soFar.push(error.message);
      }
    }
    await this.build(
      missing.filter((tool) => !readOrigin(this.folderOf(tool, "download"))),
      reasons,
    );
  }

  private async download(tool: Tool, why: string, network: Network): Promise<void> {
    const scratch = newScratch(this.cache);
    const start = Date.now();
    const onStart = () => this.progress(`tools: ${tool.name} ${tool.version}: downloading (${why})`);
    const how = await download(tool, { platform: platformOf(), into: scratch, network, onStart });
    this.keep(tool, "download", scratch, [why, how]);
    this.progress(`tools: ${tool.name} ${tool.version}: ${how}, ${secondsSince(start)} s`);
  }

  private async build(tools: readonly Tool[], reasons: Map<string, string[]>): Promise<void> {
    const targets = tools.flatMap((tool) => targetsOf(tool).map((target) => ({ ...target, tool })));
    const scratch = newScratch(this.cache);
    const failed = new Set<Tool>();
    const builtBy = new Map<Tool, string>();
    for (const [module, ofModule] of Map.groupBy(targets, ({ build }) => build.module)) {
      const names = ofModule.map(({ name }) => name).join(", ");
      const tell = (line: string) => this.progress(`tools: ${names}: ${line}`);
      const start = Date.now();
      try {
        const folder = this.moduleFolder(module);
        const go = await findGo(folder, this.env);
        tell(
          `building with ${go.version} (${[...new Set(ofModule.flatMap(({ tool }) => reasons.get(tool.name) ?? []))].join("; ")})`,
        );
        const into = join(scratch, module);
        await buildModule(this.module(module), folder, ofModule, { go, into, progress: tell });
        tell(`built in ${secondsSince(start)} s`);
        for (const { tool, name } of ofModule) {
          const toolScratch = join(scratch, `tool-${tool.name}`);
          mkdirSync(toolScratch, { recursive: true });
          renameSync(join(into, name), join(toolScratch, name));
          builtBy.set(tool, go.version);
        }
      } catch (error) {
        if (!(error instanceof Unobtainable)) throw error;
        for (const { tool } of ofModule) {
          reasons.get(tool.name)?.push(error.message);
          failed.add(tool);
        }
      }
      // At once, not at the end: what is done survives an interruption.
      for (const tool of new Set(ofModule.map(({ tool }) => tool))) {
        const toolScratch = join(scratch, `tool-${tool.name}`);
        if (!failed.has(tool) && targetsOf(tool).every(({ name }) => existsSync(join(toolScratch, name))))
          this.keep(tool, "built", toolScratch, [...(reasons.get(tool.name) ?? []), `built by ${builtBy.get(tool)}`]);
      }
    }
    if (failed.size > 0)
      throw new UserError([...failed].map((tool) => this.problem(tool, reasons.get(tool.name) ?? [])));
  }

  private keep(tool: Tool, how: "download" | "built", scratch: string, why: string[]): void {
    const origin: Origin = { versions: this.versionsOf(tool, how), why: why.join("; ") };
    keep(scratch, this.folderOf(tool, how), origin);
  }

  private versionsOf(tool: Tool, how: "download" | "built"): Record<string, string> {
    const { name, version, companion } = tool;
    const own = version === "sources" ? this.digest(tool) : version;
    if (!companion) return { [name]: own };
    return { [name]: own, [companion.name]: how === "built" ? companion.version : own };
  }

  /** Where a tool lies in the cache: by version, way and platform, and for a build by what it was built from. */
  private folderOf(tool: Tool, how: "download" | "built"): string {
    const key = [tool.version, how, platformKey(platformOf())];
    if (how === "built") key.push(this.digest(tool));
    return join(this.cache, "tools", tool.name, key.join("-"));
  }

  /** Of the modules that a tool is built from. */
  private digest(tool: Tool): string {
    const modules = targetsOf(tool).map(({ build }) => build.module);
    return modules.map((module) => this.moduleDigest(module)).join("-");
  }

  private moduleDigest(module: string): string {
    const known = this.digests.get(module);
    if (known !== undefined) return known;
    const digest = moduleDigest(this.moduleFolder(module), this.module(module).stamps);
    this.digests.set(module, digest);
    return digest;
  }

  private module(name: string): GoModule {
    const module = this.modules[name];
    if (!module) throw new Error(`tools/table.ts has no Go module ${name}`);
    return module;
  }

  private moduleFolder(name: string): string {
    return join(this.root, this.module(name).folder);
  }

  private problem(tool: Tool, reasons: string[]): Problem {
    const version = tool.onPath ? ` ${tool.onPath.range}` : "";
    const fixes = ["install Go (https://go.dev/dl), then `make tools`"];
    if (tool.onPath) fixes.push(`or put ${tool.name}${version} on PATH`);
    return {
      key: tool.name,
      message: `This tool cannot be had here: ${reasons.join("; ")}.`,
      fix: fixes.join(", "),
    };
  }
}

/** The programs that a build of a tool makes. */
function targetsOf({ name, build, companion }: Tool): Target[] {
  return [{ name, build }, ...(companion ? [{ name: companion.name, build: companion.build }] : [])];
}

function secondsSince(start: number): number {
  return Math.round((Date.now() - start) / 1000);
}
