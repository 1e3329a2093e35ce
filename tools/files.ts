import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Puts what a path holds on the disk, so that a rename after it never shows an empty file after a power cut. */
export function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Replaces a file at once: a reader sees the old text or the new, never a part. */
export function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  replace(path, text, 0o666);
}

/** The same, for this user's eyes only, folders that are made for it included. */
export function writeSecret(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  replace(path, text, 0o600);
}

function replace(path: string, text: string, mode: number): void {
  const aside = `${path}.${randomBytes(6).toString("hex")}`;
  writeFileSync(aside, text, { mode });
  renameSync(aside, path);
}

/** The JSON in a file, or undefined where there is none that can be read. For notes that can be made anew. */
export function readNote<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch {
    return undefined;
  }
}
