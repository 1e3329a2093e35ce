import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { runCommand } from "../tools/command.ts";
import { findOnPath } from "../tools/findOnPath.ts";
import { withLock } from "../tools/lock.ts";
import { cacheDir } from "../tools/paths.ts";
import { platformKey, platformOf } from "../tools/platform.ts";

/** Moving it: the version here; `--locked` takes the dependencies that the crate was released with. */
const VERSION = "0.7.1";

/**
 * The folder of boringtun-cli, another implementation of WireGuard, which ours must speak with; cargo builds it once for all
 * checkouts of a user. Where it cannot be had `progress` hears why, and the tests that need it say that they are skipped.
 */
export async function boringtunFolders(progress: (line: string) => void): Promise<string[]> {
  const folder = join(cacheDir(), "tools/boringtun-cli", `${VERSION}-built-${platformKey(platformOf())}`);
  const bin = join(folder, "bin");
  const waiting = (holder: string) => progress(`tests: ${holder} is getting boringtun-cli too; waiting for it`);
  if (!existsSync(bin))
    await withLock(join(cacheDir(), "boringtun.lock"), waiting, async () => {
      if (!existsSync(bin)) await build(folder, progress);
    });
  return existsSync(bin) ? [bin] : [];
}

async function build(folder: string, progress: (line: string) => void): Promise<void> {
  if (findOnPath("cargo", process.env.PATH ?? "").length === 0)
    return progress("tests: boringtun-cli cannot be had: cargo is not on PATH");
  progress(`tests: building boringtun-cli ${VERSION} with cargo, once (about a minute)`);
  mkdirSync(dirname(folder), { recursive: true });
  const scratch = mkdtempSync(`${folder}.`);
  try {
    const args = ["install", "--locked", "--quiet", "--root", scratch, "--version", `=${VERSION}`, "boringtun-cli"];
    const { code, failure, stderr } = await runCommand("cargo", args, { cwd: scratch, env: process.env });
    if (code === 0) renameSync(scratch, folder);
    else progress(`tests: boringtun-cli cannot be had: cargo install failed: ${failure ?? stderr.trim()}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
