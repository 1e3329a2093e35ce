import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readNote, sync } from "./files.ts";
import { moduleDigest, type Target } from "./goBuild.ts";
import { platformKey, platformOf } from "./platform.ts";
import type { GoModule, Tool } from "./table.ts";

/** How a tool that is in the cache came there. */
export type Made = "download" | "built";

export interface CachedTool {
  /** The tool's folder: it and its companion are in it. */
  folder: string;
  how: Made;
  /** Version by program. */
  versions: Record<string, string>;
  /** How it was made, and why not in a way before that. */
  why: string;
}

type Origin = Pick<CachedTool, "versions" | "why">;
const ORIGIN = "origin.json";

/** The tools by version, shared by all checkouts of a user. Reading needs no lock: what is there is whole. */
export class ToolCache {
  readonly folder: string;
  private readonly root: string;
  private readonly modules: Record<string, GoModule>;
  private readonly digests = new Map<string, string>();

  constructor(folder: string, root: string, modules: Record<string, GoModule>) {
    this.folder = folder;
    this.root = root;
    this.modules = modules;
  }

  find(tool: Tool): CachedTool | undefined {
    for (const how of ["download", "built"] as const) {
      const folder = this.folderOf(tool, how);
      const origin = readNote<Origin>(join(folder, ORIGIN));
      if (origin && existsSync(join(folder, tool.name))) return { folder, how, ...origin };
    }
    return undefined;
  }

  /** An empty place for something half made. Only for the holder of the lock, who sweeps what others left. */
  newScratch(): string {
    const scratch = join(this.folder, "tmp", randomBytes(6).toString("hex"));
    mkdirSync(scratch, { recursive: true });
    return scratch;
  }

  sweepScratch(): void {
    rmSync(join(this.folder, "tmp"), { recursive: true, force: true });
  }

  /** Moves a finished scratch folder to its place in one step, all of it on the disk before. */
  keep(tool: Tool, how: Made, scratch: string, why: string): void {
    const origin: Origin = { versions: this.versionsOf(tool, how), why };
    writeFileSync(join(scratch, ORIGIN), `${JSON.stringify(origin, null, 2)}\n`);
    for (const entry of readdirSync(scratch)) sync(join(scratch, entry));
    sync(scratch);
    const folder = this.folderOf(tool, how);
    mkdirSync(dirname(folder), { recursive: true });
    // Only something damaged can be in the way: whole tools are found before they are made again.
    rmSync(folder, { recursive: true, force: true });
    renameSync(scratch, folder);
    sync(dirname(folder));
  }

  module(name: string): GoModule {
    const module = this.modules[name];
    if (!module) throw new Error(`tools/table.ts has no Go module ${name}`);
    return module;
  }

  moduleFolder(name: string): string {
    return join(this.root, this.module(name).folder);
  }

  private versionsOf(tool: Tool, how: Made): Record<string, string> {
    const { name, version, companion } = tool;
    const own = version === "sources" ? this.digest(tool) : version;
    if (!companion) return { [name]: own };
    return { [name]: own, [companion.name]: how === "built" ? companion.version : own };
  }

  /** By version, way and platform, and for a build by what it was built from. */
  private folderOf(tool: Tool, how: Made): string {
    const key = [tool.version, how, platformKey(platformOf())];
    if (how === "built") key.push(this.digest(tool));
    return join(this.folder, "tools", tool.name, key.join("-"));
  }

  /** Of the modules that a tool is built from; each is read once. */
  private digest(tool: Tool): string {
    const ofModules = targetsOf(tool).map(({ build: { module, alwaysWith = [] } }) => {
      const digest = this.digests.get(module) ?? moduleDigest(this.moduleFolder(module), this.module(module).stamps);
      this.digests.set(module, digest);
      return [digest, ...alwaysWith].join("");
    });
    return ofModules.join("-");
  }
}

/** The programs that a build of a tool makes. */
export function targetsOf({ name, build, companion }: Tool): Target[] {
  return [{ name, build }, ...(companion ? [{ name: companion.name, build: companion.build }] : [])];
}
