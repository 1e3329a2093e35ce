import { realpathSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, sep } from "node:path";
import satisfies from "semver/functions/satisfies.js";
import valid from "semver/functions/valid.js";
import { runCommand } from "./command.ts";
import { readNote, writeWhole } from "./files.ts";
import { findOnPath, isProgram } from "./findOnPath.ts";
import type { Tool } from "./table.ts";

/** A program on PATH and what it said of its version; no version where it said none. */
export interface Candidate {
  path: string;
  version?: string;
  /** The folder that holds the tool's companion too, where it has one and it is there. */
  companion?: string;
}

export type PathChoice = { path: string; version: string; companion?: string; why: string } | { why: string };

/** The first candidate that will do, and why; or why none does. */
export function chooseOnPath({ name, onPath, companion }: Tool, candidates: readonly Candidate[]): PathChoice {
  if (!onPath) return { why: "made from this checkout's sources" };
  const reasons: string[] = [];
  for (const candidate of candidates) {
    const { version } = candidate;
    if (version === undefined) reasons.push(`${candidate.path} does not tell its version`);
    else if (!satisfies(version, onPath.range, { includePrerelease: true }))
      reasons.push(`${name} ${version} on PATH is not ${inWords(onPath.range)}`);
    else if (companion && !candidate.companion)
      reasons.push(`${name} ${version} on PATH has no ${companion.name} beside it`);
    else return { ...candidate, version, why: `on PATH, ${inWords(onPath.range)}` };
  }
  return { why: reasons.length > 0 ? reasons.join(", ") : "not on PATH" };
}

function inWords(range: string): string {
  return valid(range) ? `exactly ${range}` : `in ${range}`;
}

/** The first thing in a program's output that is a full version; build metadata (+g05fa379) is left out. */
export function parseVersion(output: string): string | undefined {
  return /\bv?(\d+\.\d+\.\d+(?:-[0-9A-Za-z][0-9A-Za-z.-]*)?)/.exec(output)?.[1];
}

interface Remembered {
  size: number;
  modified: number;
  version: string | null;
}

/** Smaller ones are scripts (version managers, wrappers), whose answer can change while the file stays the same. */
const SMALLEST_BINARY_BYTES = 1 << 20;
const ASK_LIMIT_MS = 10_000;

/** Finds the tools on PATH and asks for their versions; what a binary said is remembered until its size or time changes. */
export async function lookOnPath(
  tools: readonly Tool[],
  { env, cache }: { env: NodeJS.ProcessEnv; cache: string },
): Promise<Map<string, PathChoice>> {
  const noteFile = join(cache, "path-versions.json");
  const remembered = readNote<Record<string, Remembered>>(noteFile) ?? {};
  let learnt = false;

  const versionOf = async (path: string, args: string[]): Promise<string | undefined> => {
    const { size, mtimeMs: modified } = statSync(path);
    const known = remembered[path];
    if (known && known.size === size && known.modified === modified) return known.version ?? undefined;
    const { stdout } = await runCommand(path, args, {
      cwd: tmpdir(),
      env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      timeoutMs: ASK_LIMIT_MS,
    });
    const version = parseVersion(stdout);
    // snap and mise answer for many programs through one binary of their own name.
    if (size >= SMALLEST_BINARY_BYTES && basename(realpathSync(path)) === basename(path)) {
      remembered[path] = { size, modified, version: version ?? null };
      learnt = true;
    }
    return version;
  };

  const choices = await Promise.all(
    tools.map(async (tool): Promise<[string, PathChoice]> => {
      const { name, onPath, companion } = tool;
      const found = onPath ? findOnPath(name, env.PATH ?? "").filter((path) => !isOurs(path, cache)) : [];
      const candidates = await Promise.all(
        found.map(async (path): Promise<Candidate> => {
          const version = await versionOf(path, onPath?.versionArgs ?? []);
          const beside =
            companion && [dirname(path), dirname(realpathSync(path))].map((at) => join(at, companion.name));
          const companionPath = beside?.find(isProgram);
          return { path, ...(version && { version }), ...(companionPath && { companion: companionPath }) };
        }),
      );
      return [name, chooseOnPath(tool, candidates)];
    }),
  );
  if (learnt) writeWhole(noteFile, JSON.stringify(remembered));
  return new Map(choices);
}

/** Links that an earlier run put on PATH are no tools of the user's. */
function isOurs(path: string, cache: string): boolean {
  return path.startsWith(cache + sep) || realpathSync(path).startsWith(cache + sep);
}
