import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readNote, sync } from "./files.ts";

/** How a tool came into the cache. */
export interface Origin {
  /** The tool's version; for a companion, its own. */
  versions: Record<string, string>;
  /** Why this way was taken and not one before it. */
  why: string;
}

const ORIGIN = "origin.json";

/** A new empty name in the cache for something half made; whoever holds the lock sweeps what others left. */
export function newScratch(cache: string): string {
  return join(cache, "tmp", randomBytes(6).toString("hex"));
}

export function sweepScratch(cache: string): void {
  rmSync(join(cache, "tmp"), { recursive: true, force: true });
}

/** What is known of a tool in the cache; undefined where it is not there. A folder with its origin is always whole. */
export function readOrigin(folder: string): Origin | undefined {
  return readNote<Origin>(join(folder, ORIGIN));
}

/** Moves a finished scratch folder to its place in one step, all of it on the disk before. */
export function keep(scratch: string, folder: string, origin: Origin): void {
  writeFileSync(join(scratch, ORIGIN), `${JSON.stringify(origin, null, 2)}\n`);
  for (const entry of readdirSync(scratch)) sync(join(scratch, entry));
  sync(scratch);
  mkdirSync(dirname(folder), { recursive: true });
  // Only something damaged can be in the way: whole tools are found before they are made again.
  if (existsSync(folder)) rmSync(folder, { recursive: true });
  renameSync(scratch, folder);
  sync(dirname(folder));
}
