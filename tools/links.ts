import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

export interface Link {
  name: string;
  target: string;
}

/**
 * A folder below `parent` that holds exactly these links, for PATH. Each different set has a folder of its own that never
 * changes, so that nothing changes under a program that is running.
 */
export function linkFolder(parent: string, links: readonly Link[]): string {
  const text = links.map(({ name, target }) => `${name}=${target}`).sort();
  const digest = createHash("sha256").update(text.join("\n")).digest("hex").slice(0, 12);
  const folder = join(parent, digest);
  if (existsSync(folder)) return folder;
  const scratch = `${folder}.${randomBytes(6).toString("hex")}`;
  mkdirSync(scratch, { recursive: true });
  for (const { name, target } of links) symlinkSync(target, join(scratch, name));
  try {
    renameSync(scratch, folder);
  } catch (error) {
    // Another run made the same one in the meantime.
    rmSync(scratch, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
