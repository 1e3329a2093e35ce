import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import coerce from "semver/functions/coerce.js";
import gte from "semver/functions/gte.js";
import { runCommand } from "./command.ts";
import type { GoBuild, GoModule } from "./table.ts";
import { Unobtainable } from "./unobtainable.ts";

/** Settings of the user's that say how this machine reaches modules, and where Go may keep things. All others are ours. */
const USERS_SETTINGS = [
  "GOPROXY",
  "GONOPROXY",
  "GOSUMDB",
  "GONOSUMDB",
  "GOPRIVATE",
  "GOINSECURE",
  "GOAUTH",
  "GOVCS",
  "GOTOOLCHAIN",
  "GOPATH",
  "GOMODCACHE",
  "GOCACHE",
];
/** Not settings but where Go itself is and how it talks TLS; they stay as they are in the environment. */
const KEPT_VARIABLES = new Set(["GOROOT", "GOTMPDIR", "GODEBUG"]);

/**
 * The environment of our builds: the caller's without any Go setting, plus the user's network settings (`settings`, as
 * `go env` tells them, so from the environment or from Go's own file).
 */
export function buildEnvironment(env: NodeJS.ProcessEnv, settings: Record<string, string>): NodeJS.ProcessEnv {
  const users = USERS_SETTINGS.map((name) => [name, settings[name] ?? ""]).filter(([, value]) => value !== "");
  return {
    ...withoutGoSettings(env, KEPT_VARIABLES),
    ...Object.fromEntries(users),
    GOENV: "off",
    GOWORK: "off",
    GO111MODULE: "on",
    CGO_ENABLED: "0",
    // The compiler collects garbage less often: faster, for more memory.
    GOGC: "400",
  };
}

function withoutGoSettings(env: NodeJS.ProcessEnv, kept: ReadonlySet<string>): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(GO|CGO_)/.test(name) || kept.has(name)));
}

export interface Go {
  /** "go1.26.8" */
  version: string;
  env: NodeJS.ProcessEnv;
}

/** The user's Go for a module, or Unobtainable where there is none or it is too old for the module. */
export async function findGo(folder: string, env: NodeJS.ProcessEnv): Promise<Go> {
  const asked = await runCommand("go", ["env", "-json", ...USERS_SETTINGS], {
    cwd: tmpdir(),
    // With settings that Go does not know, even `go env` fails; a given GOFLAGS also hides the one in Go's own file.
    env: {
      ...withoutGoSettings(env, new Set([...KEPT_VARIABLES, ...USERS_SETTINGS, "GOENV"])),
      GOFLAGS: "-buildvcs=false",
    },
  });
  const needed = goDirective(readFileSync(join(folder, "go.mod"), "utf8"));
  const installGo = `install Go ${needed} or newer (https://go.dev/dl)`;
  if (asked.failure === "ENOENT") throw new Unobtainable(`there is no Go on PATH to build it with`, installGo);
  if (asked.code !== 0) throw new Unobtainable(`go env failed: ${lastLines(asked.stderr)}`, "mend what `go env` says");
  const buildEnv = buildEnvironment(env, JSON.parse(asked.stdout) as Record<string, string>);

  const { code, stdout, stderr } = await runCommand("go", ["env", "GOVERSION"], { cwd: folder, env: buildEnv });
  const version = stdout.trim();
  if (code !== 0 || !isAtLeast(version, needed))
    throw new Unobtainable(
      `building it needs Go ${needed} or newer: ${code === 0 ? `this is ${version}` : lastLines(stderr)}`,
      `${installGo}, or let this one fetch it: go env -w GOTOOLCHAIN=auto`,
    );
  return { version, env: buildEnv };
}

/** The version in a go.mod's `go` line. */
export function goDirective(goMod: string): string {
  return /^go\s+(\S+)/m.exec(goMod)?.[1] ?? "1.26.0";
}

/** Whether a Go version ("go1.26.8", "go1.27rc1", "go1.27-custom") is at least the needed one. */
export function isAtLeast(version: string, needed: string): boolean {
  const have = coerce(version.replace(/^go/, ""));
  const need = coerce(needed);
  return have !== null && need !== null && gte(have, need);
}

/** What a build of this module depends on in this repository, as 10 hexadecimal digits. Test files are no part of it. */
export function moduleDigest(folder: string, stamps: Record<string, string>): string {
  const hash = createHash("sha256").update(JSON.stringify(stamps));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith("_test.go"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) hash.update(`\0${file.slice(folder.length)}\0`).update(readFileSync(file));
  return hash.digest("hex").slice(0, 10);
}

export interface Target {
  /** The program's name in the tool's folder. */
  name: string;
  build: GoBuild;
}

/**
 * Builds programs of one module in one go into the folder `into`; `progress` hears now and then how far it is.
 * Exact versions come from go.mod, their checksums from go.sum; Go refuses anything else.
 */
export async function buildModule(
  { stamps }: GoModule,
  folder: string,
  targets: readonly Target[],
  { go, into, progress }: { go: Go; into: string; progress: (line: string) => void },
): Promise<void> {
  const ldflags = ["-s", "-w", ...Object.entries(stamps).flatMap(([symbol, value]) => ["-X", `${symbol}=${value}`])];
  const flags = ["-trimpath", "-buildvcs=false", "-mod=readonly", `-ldflags=${ldflags.join(" ")}`];
  let modules = 0;
  let packages = 0;
  const start = Date.now();
  const report = setInterval(() => {
    const seconds = Math.round((Date.now() - start) / 1000);
    progress(`still building: ${modules} modules downloaded, ${packages} packages compiled, ${seconds} s`);
  }, 20_000);
  // -v names each package that is compiled, which is how far it is.
  const args = ["build", "-v", ...flags, "-o", `${into}/`, ...targets.map(({ build }) => build.package)];
  const { code, stderr, failure } = await runCommand("go", args, {
    cwd: folder,
    env: go.env,
    onLine: (line) => {
      if (line.startsWith("go: downloading ")) modules += 1;
      else if (!line.includes(" ")) packages += 1;
    },
  });
  clearInterval(report);
  if (code !== 0)
    throw new Unobtainable(
      `go build failed: ${failure ?? lastLines(stderr)}`,
      "see whether the Go module proxy answers (go env GOPROXY) and whether the disk is full",
    );
  for (const { name, build } of targets) {
    const made = join(into, build.binary ?? name);
    if (!existsSync(made)) throw new Unobtainable(`go build made no ${build.binary ?? name}`);
    renameSync(made, join(into, name));
  }
}

/** The end of what Go said, without the modules and packages that went well. */
function lastLines(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.includes(" ") && !line.startsWith("go: downloading "));
  return lines.slice(-5).join(" | ");
}
