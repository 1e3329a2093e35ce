import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A moment of a change. Identity: what judges a watch finds its moments by these names. */
export const PHASES = [
  "watch began",
  "guard widened",
  "first agent restarted",
  "first agent on the new mode",
  "last agent off the old mode",
  "last agent on the new mode",
  "agents agree",
  "guard opened",
  "proof began",
  "proof ended",
  "guard narrowed",
  "watch ended",
] as const;
export type PhaseName = (typeof PHASES)[number];

/** A phase, and when it began. */
export interface Noted {
  name: PhaseName;
  /** Milliseconds since 1970. */
  at: number;
}

/** One line a moment, appended by whichever program sees it. */
const journal = (folder: string): string => join(folder, "journal.jsonl");

/** Begins the journal of a new watch. */
export function beginJournal(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(journal(folder), "", { mode: 0o600 });
}

/**
 * Notes a moment for the watch of this folder (`watchFolder` in tools/paths.ts). Where no watch has begun there is nothing to note, and an error
 * here must not end what is noted.
 */
export function note(folder: string | undefined, name: PhaseName, at = Date.now()): void {
  try {
    if (folder && existsSync(journal(folder))) appendFileSync(journal(folder), `${JSON.stringify({ name, at })}\n`);
  } catch (error) {
    console.error(`the watch was not told of "${name}": ${(error as Error).message}`);
  }
}

/** All that was noted, in the order of time; a line that a kill cut short is none. */
export function readJournal(folder: string): Noted[] {
  if (!existsSync(journal(folder))) return [];
  return readFileSync(journal(folder), "utf8")
    .split("\n")
    .flatMap((line) => readLine(line))
    .sort((a, b) => a.at - b.at);
}

function readLine(line: string): Noted[] {
  try {
    const { name, at } = JSON.parse(line) as Noted;
    // Without zod: each program that notes a moment would load it.
    return PHASES.includes(name) && Number.isFinite(at) ? [{ name, at }] : [];
  } catch {
    return [];
  }
}
