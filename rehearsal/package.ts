import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../components/userError.ts";
import { readNote, writeWhole } from "../tools/files.ts";
import { programPath } from "./controlPlane.ts";

const CHART = join(import.meta.dirname, "chart");
/** Where Pulumi.rehearsal.yaml looks; git ignores it. */
const PACKAGES = join(import.meta.dirname, "packages");

/** The versions whose official charts are known, and the default one. */
export const CHART_VERSIONS: readonly string[] = ["1.16.19", "1.17.18", "1.18.12", "1.19.6", "1.20.0", "1.20.2"];

/** Packages the stand-in chart as these versions, `cilium-VERSION.tgz` each, unless it is packaged so already. */
export function packageChart(versions: readonly string[] = CHART_VERSIONS, out: string = PACKAGES): void {
  mkdirSync(out, { recursive: true });
  const digest = digestOf(CHART);
  const note = join(out, ".sources.json");
  const made = readNote<Record<string, string>>(note) ?? {};
  for (const version of versions) {
    if (made[version] === digest && existsSync(join(out, `cilium-${version}.tgz`))) continue;
    helmPackage(version, out);
    made[version] = digest;
    writeWhole(note, `${JSON.stringify(made, undefined, 2)}\n`);
  }
}

function helmPackage(version: string, out: string): void {
  const { status, stdout, stderr } = spawnSync(
    programPath("helm"),
    ["package", CHART, "--version", version, "--app-version", version, "--destination", out],
    { encoding: "utf8" },
  );
  if (status === 0) return;
  throw new UserError([
    {
      key: "version",
      value: version,
      message: `Helm could not package the stand-in chart: ${(stderr || stdout).trim()}`,
      allowed: "a version such as 1.20.2",
    },
  ]);
}

/** Of all files in the folder, by name and contents. */
function digestOf(folder: string): string {
  const hash = createHash("sha256");
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }).sort(byPath)) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    hash
      .update(`${path.slice(folder.length)}\0`)
      .update(readFileSync(path))
      .update("\0");
  }
  return hash.digest("hex");
}

function byPath(a: { parentPath: string; name: string }, b: { parentPath: string; name: string }): number {
  return join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1;
}
