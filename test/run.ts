// Runs the test tiers one after the other and ends with `N passed, N failed, N skipped`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { toolFolders } from "../tools/folders.ts";
import { cacheDir, projectRoot } from "../tools/paths.ts";
import { boringtunFolders } from "./boringtun.ts";

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}
interface Tier {
  name: string;
  what: string;
  run: (env: NodeJS.ProcessEnv) => Tally;
}

const tiers: Tier[] = [
  { name: "house", what: "type check, lint and format", run: house },
  { name: "unit", what: "pure functions and Pulumi mocks", run: (env) => jest(env, ["test/unit"]) },
  { name: "agent", what: "the rehearsal's stand-in agents (Go)", run: goTests },
  { name: "conformance", what: "the Pulumi plugins in use", run: (env) => jest(env, ["test/conformance"]) },
  {
    name: "engine",
    what: "the real Pulumi engine and a real Kubernetes API",
    // Mostly waiting for other programs, so that more run at once than there are cores.
    run: (env) => jest(env, ["test/engine"], ["--maxWorkers=3"]),
  },
  { name: "wire", what: "real packets in network namespaces", run: (env) => jest(env, ["test/wire"]) },
  { name: "browser", what: "evidence pages in the machine's Chromium", run: (env) => jest(env, ["test/browser"]) },
  { name: "policy", what: "policy packs under the real engine", run: (env) => jest(env, ["test/policy"]) },
];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !tiers.some((tier) => tier.name === name));
if (unknown.length > 0) {
  console.error(`no tier ${unknown.join(", ")}; there are: ${tiers.map((tier) => tier.name).join(", ")}`);
  process.exit(2);
}

const chosen = tiers.filter(({ name }) => asked.length === 0 || asked.includes(name));

// Where official plugins are kept, if any can be had: the same as for `make up` in our own backend.
const PULUMI_HOME = join(cacheDir(), "pulumi-home");
// Its tests need root, for network namespaces.
const meetsBoringtun = chosen.some(({ name }) => name === "agent") && process.getuid?.() === 0;
const folders = [
  ...(meetsBoringtun ? await boringtunFolders((line) => console.error(line)) : []),
  ...(await toolFolders("rehearsal", PULUMI_HOME)),
  join(projectRoot, "node_modules/.bin"),
  process.env.PATH ?? "",
];
// Programs that are started again and again start in half the time.
const NODE_COMPILE_CACHE = process.env.NODE_COMPILE_CACHE || join(cacheDir(), "node-compiled");
const env = { ...process.env, NODE_COMPILE_CACHE, PULUMI_HOME, PATH: folders.join(delimiter), FORCE_COLOR: "0" };
// The charts that rehearsal stacks name.
succeeds("node", ["rehearsal/main.ts", "package"], env);

const results: [Tier, Tally, number][] = [];
for (const tier of chosen) {
  console.log(`\n== ${tier.name}: ${tier.what}`);
  const start = Date.now();
  results.push([tier, tier.run(env), (Date.now() - start) / 1000]);
}

console.log("");
const total: Tally = { passed: 0, failed: 0, skipped: 0 };
for (const [{ name }, tally, seconds] of results) {
  console.log(`${name.padEnd(12)} ${line(tally)} (${seconds.toFixed(0)} s)`);
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
}
const emptyTiers = results.filter(([, { passed, failed }]) => passed + failed === 0).map(([{ name }]) => name);
// In CI every tier must have run: a tier that could not is not a success there.
if (process.env.CI === "true" && emptyTiers.length > 0) {
  console.log(`in CI no tier may be skipped: ${emptyTiers.join(", ")}`);
  total.failed += emptyTiers.length;
}
console.log(line(total));
process.exit(total.failed > 0 ? 1 : 0);

function line({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** Runs a command with its output on the terminal; true where it exits 0. */
function succeeds(command: string, args: string[], env: NodeJS.ProcessEnv): boolean {
  return spawnSync(command, args, { cwd: projectRoot, env, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
}

function house(env: NodeJS.ProcessEnv): Tally {
  const passed = [
    succeeds("tsc", ["--noEmit"], env),
    succeeds("biome", ["check", "."], env),
    isFormatted("rehearsal/agent", env),
  ];
  return { passed: passed.filter(Boolean).length, failed: passed.filter((ok) => !ok).length, skipped: 0 };
}

/** gofmt lists what it would change, and exits with 0 all the same. */
function isFormatted(folder: string, env: NodeJS.ProcessEnv): boolean {
  const { status, stdout } = spawnSync("gofmt", ["-l", folder], { cwd: projectRoot, env, encoding: "utf8" });
  if (stdout) console.log(`not formatted by gofmt:\n${stdout}`);
  return status === 0 && stdout === "";
}

/** One jest run of the tests below the folders, counted from its own report. */
function jest(env: NodeJS.ProcessEnv, folders: string[], options: string[] = []): Tally {
  const scratch = mkdtempSync(join(tmpdir(), "wirecloak-test-"));
  try {
    const report = join(scratch, "report.json");
    // A test file that cannot start leaves no failed test, so the exit code counts too.
    const ok = succeeds("jest", ["--json", "--outputFile", report, ...options, ...folders], env);
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, "utf8"));
    const failed = numFailedTests === 0 && !ok ? 1 : numFailedTests;
    return { passed: numPassedTests, failed, skipped: numPendingTests };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function goTests(env: NodeJS.ProcessEnv): Tally {
  const { stdout, stderr, status } = spawnSync("go", ["test", "-json", "./..."], {
    cwd: join(projectRoot, "rehearsal/agent"),
    env: { ...env, CGO_ENABLED: "0", GOFLAGS: "-trimpath -buildvcs=false" },
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  process.stderr.write(stderr ?? "");
  const events = (stdout ?? "")
    .split("\n")
    .filter((text) => text.startsWith("{"))
    .map((text) => JSON.parse(text) as { Action: string; Test?: string; Output?: string });
  const count = (action: string) => events.filter((event) => event.Test && event.Action === action).length;
  if (status !== 0) for (const { Output } of events) process.stdout.write(Output ?? "");
  const failed = count("fail");
  return { passed: count("pass"), failed: failed === 0 && status !== 0 ? 1 : failed, skipped: count("skip") };
}
