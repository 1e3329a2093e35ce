import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Problem, UserError } from "../components/userError.ts";
import { type ToolCache, targetsOf } from "./cache.ts";
import { download } from "./download.ts";
import { buildModule, findGo } from "./goBuild.ts";
import type { Network } from "./network.ts";
import { platformOf } from "./platform.ts";
import type { Tool } from "./table.ts";
import { Unobtainable } from "./unobtainable.ts";

interface Workshop {
  cache: ToolCache;
  env: NodeJS.ProcessEnv;
  network: Network;
  progress: (line: string) => void;
}

/**
 * Makes tools that are neither on PATH nor in the cache: downloads what can be downloaded, builds the rest, one Go module
 * after the other. For the holder of the cache's lock. Throws a UserError with the reasons of each that could not be made;
 * those that could are kept.
 */
export async function makeTools(
  missing: readonly Tool[],
  whyNotPath: (tool: Tool) => string,
  workshop: Workshop,
): Promise<void> {
  const whyNot = new Map<Tool, Unobtainable[]>(missing.map((tool) => [tool, []]));
  const reasons = (tool: Tool) => (whyNot.get(tool) ?? []).map(({ message }) => message);
  const toBuild: Tool[] = [];
  for (const tool of missing) {
    const failure = tool.download && (await attempt(() => downloadOne(tool, whyNotPath(tool), workshop)));
    if (tool.download && !failure) continue;
    if (failure) whyNot.get(tool)?.push(failure);
    toBuild.push(tool);
  }

  const staging = workshop.cache.newScratch();
  const targets = toBuild.flatMap((tool) => targetsOf(tool).map((target) => ({ ...target, tool })));
  const failed = new Set<Tool>();
  for (const [module, ofModule] of Map.groupBy(targets, ({ build }) => build.module)) {
    const ofTools = [...new Set(ofModule.map(({ tool }) => tool))];
    const why = [...new Set(ofTools.flatMap((tool) => [whyNotPath(tool), ...reasons(tool)]))];
    const failure = await attempt(() => buildGroup(module, ofModule, why, { ...workshop, staging }));
    if (failure !== undefined)
      for (const tool of ofTools) {
        failed.add(tool);
        whyNot.get(tool)?.push(failure);
      }
    // At once, not at the end: what is done survives an interruption.
    for (const tool of ofTools) {
      const made = join(staging, tool.name);
      if (targetsOf(tool).every(({ name }) => existsSync(join(made, name))))
        workshop.cache.keep(tool, "built", made, [...reasons(tool), "built from Go modules"].join("; "));
    }
  }
  if (failed.size === 0) return;
  throw new UserError([...failed].map((tool) => problem(tool, whyNotPath(tool), whyNot.get(tool) ?? [])));
}

/** Why it did not work, or undefined where it did. */
async function attempt(action: () => Promise<void>): Promise<Unobtainable | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    if (error instanceof Unobtainable) return error;
    throw error;
  }
}

async function downloadOne(tool: Tool, why: string, { cache, network, progress }: Workshop): Promise<void> {
  const scratch = cache.newScratch();
  const started = Date.now();
  const onStart = () => progress(`tools: ${tool.name} ${tool.version}: downloading (${why})`);
  const how = await download(tool, { platform: platformOf(), into: scratch, network, onStart });
  cache.keep(tool, "download", scratch, how);
  progress(`tools: ${tool.name} ${tool.version}: downloaded in ${secondsSince(started)} s`);
}

/** Builds the targets of one module and puts each into its tool's folder below `staging`. */
async function buildGroup(
  module: string,
  targets: readonly (ReturnType<typeof targetsOf>[number] & { tool: Tool })[],
  why: readonly string[],
  { cache, env, progress, staging }: Workshop & { staging: string },
): Promise<void> {
  const tell = (line: string) => progress(`tools: ${targets.map(({ name }) => name).join(", ")}: ${line}`);
  const started = Date.now();
  const folder = cache.moduleFolder(module);
  const go = await findGo(folder, env);
  tell(`building with ${go.version} (${why.join("; ")})`);
  const into = cache.newScratch();
  await buildModule(cache.module(module), folder, targets, { go, into, progress: tell });
  for (const { name, tool, build } of targets) {
    mkdirSync(join(staging, tool.name), { recursive: true });
    const made = join(staging, tool.name, name);
    renameSync(join(into, name), made);
    if (build.alwaysWith) runAlwaysWith(made, build.alwaysWith);
  }
  tell(`built in ${secondsSince(started)} s`);
}

/** Puts a script in the place of a program, which runs it with these arguments before all others. */
function runAlwaysWith(path: string, args: readonly string[]): void {
  renameSync(path, `${path}.program`);
  const script = ["#!/bin/sh", 'real=$(readlink -f -- "$0")', `exec "$real.program" ${args.join(" ")} "$@"`, ""];
  writeFileSync(path, script.join("\n"), { mode: 0o755 });
}

function problem({ name, onPath }: Tool, whyNotPath: string, whyNot: readonly Unobtainable[]): Problem {
  const reasons = new Set([whyNotPath, ...whyNot.map(({ message }) => message)]);
  const fixes = new Set(whyNot.flatMap(({ fix }) => fix ?? []));
  if (onPath) fixes.add(`put ${name} ${onPath.range} on PATH`);
  return {
    key: name,
    message: `This tool cannot be had here: ${[...reasons].join("; ")}.`,
    ...(fixes.size > 0 && { fix: `${[...fixes].join("; or ")}; then: make tools` }),
  };
}

function secondsSince(started: number): number {
  return Math.round((Date.now() - started) / 1000);
}
