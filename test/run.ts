// Runs the test tiers and ends with `N passed, N failed, N skipped`.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
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
  run: (env: NodeJS.ProcessEnv) => Promise<Tally>;
}

/** Test files at once. */
const WORKERS = 4;
/** Tiers that are not jest's. */
const OTHERS = new Set(["house", "agent"]);

const tiers: Tier[] = [
  { name: "house", what: "type check, lint and format", run: house },
  { name: "unit", what: "pure functions and Pulumi mocks", run: inJest("unit") },
  { name: "agent", what: "the rehearsal's stand-in agents (Go)", run: goTests },
  { name: "conformance", what: "the Pulumi plugins in use", run: inJest("conformance") },
  { name: "engine", what: "the real Pulumi engine and a real Kubernetes API", run: inJest("engine") },
  { name: "wire", what: "real packets in network namespaces", run: inJest("wire") },
  { name: "browser", what: "evidence pages in the machine's Chromium", run: inJest("browser") },
  { name: "policy", what: "policy packs under the real engine", run: inJest("policy") },
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
// Go programs such as pulumi, kubectl and helm would collect garbage several times in the second that they run.
const GOGC = process.env.GOGC || "400";
const env = { ...process.env, NODE_COMPILE_CACHE, GOGC, PULUMI_HOME, PATH: folders.join(delimiter), FORCE_COLOR: "0" };
// The charts that rehearsal stacks name.
await succeeds("node", ["rehearsal/main.ts", "package"], env);

/** How long each test file took. */
const took: { name: string; ms: number }[] = [];
/** The one jest run of all tiers that are jest's, once it has begun. */
let pool: Promise<Report> | undefined;
const results: [Tier, Tally, number][] = [];
const start = Date.now();
// All at once: where one waits, another computes.
await Promise.all(
  chosen.map(async (tier) => {
    console.log(`== ${tier.name}: ${tier.what}`);
    results.push([tier, await tier.run(env), (Date.now() - start) / 1000]);
  }),
);
results.sort(([a], [b]) => tiers.indexOf(a) - tiers.indexOf(b));

console.log("");
const total: Tally = { passed: 0, failed: 0, skipped: 0 };
for (const [{ name }, tally, seconds] of results) {
  console.log(`${name.padEnd(12)} ${line(tally)} (${seconds.toFixed(0)} s)`);
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
}
const emptyTiers = results.filter(([, { passed, failed }]) => passed + failed === 0).map(([{ name }]) => name);
const slowest = took
  .toSorted((a, b) => b.ms - a.ms)
  .slice(0, 8)
  .map(({ name, ms }) => `${relative(projectRoot, name)} ${Math.round(ms / 1000)} s`);
if (slowest.length > 0) console.log(`the longest, of those side by side: ${slowest.join(", ")}`);
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
async function succeeds(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  const child = spawn(command, args, { cwd: projectRoot, env, stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve, reject) => child.on("error", reject).on("close", (code) => resolve(code === 0)));
}

async function house(env: NodeJS.ProcessEnv): Promise<Tally> {
  const passed = [
    await succeeds("tsc", ["--noEmit"], env),
    await succeeds("biome", ["check", "."], env),
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

/** A tier of jest's: all of these are one run, with more at once than there are cores, since most of them wait for other programs. */
function inJest(name: string): Tier["run"] {
  return async (env) => {
    pool ??= jest(
      env,
      chosen.map((tier) => tier.name).filter((each) => !OTHERS.has(each)),
      WORKERS,
    );
    return tallyOf(await pool, name);
  };
}

/** What jest reports of its run. */
interface Report {
  ok: boolean;
  testResults: {
    name: string;
    status: string;
    /** Milliseconds since 1970. */
    startTime: number;
    endTime: number;
    assertionResults: { status: string }[];
  }[];
}

/** One jest run of the tests below these folders of test/. */
async function jest(env: NodeJS.ProcessEnv, folders: string[], workers: number): Promise<Report> {
  const scratch = mkdtempSync(join(tmpdir(), "wirecloak-test-"));
  try {
    const report = join(scratch, "report.json");
    const options = ["--json", "--outputFile", report, `--maxWorkers=${workers}`];
    const ok = await succeeds("jest", [...options, ...folders.map((name) => `test/${name}/`)], env);
    const results: Report = { ...JSON.parse(readFileSync(report, "utf8")), ok };
    took.push(...results.testResults.map(({ name, startTime, endTime }) => ({ name, ms: endTime - startTime })));
    return results;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The part of a report that tells of one folder of test/. */
function tallyOf({ ok, testResults }: Report, folder: string): Tally {
  const files = testResults.filter(({ name }) => name.startsWith(join(projectRoot, "test", folder, "/")));
  const count = (...of: string[]) =>
    files.flatMap(({ assertionResults }) => assertionResults).filter(({ status }) => of.includes(status)).length;
  // A test file that cannot start leaves no failed test.
  const dead = files.filter(({ status, assertionResults }) => status === "failed" && assertionResults.length === 0);
  const failed = count("failed") + dead.length;
  // Whatever else jest ended badly for belongs to no folder.
  const unnamed = !ok && testResults.every(({ status }) => status !== "failed") ? 1 : 0;
  return { passed: count("passed"), failed: failed + unnamed, skipped: count("pending", "todo", "skipped") };
}

/** The tests of the stand-in agents; their output is shown only where one failed. */
async function goTests(env: NodeJS.ProcessEnv): Promise<Tally> {
  const child = spawn("go", ["test", "-json", "./..."], {
    cwd: join(projectRoot, "rehearsal/agent"),
    env: { ...env, CGO_ENABLED: "0", GOFLAGS: "-trimpath -buildvcs=false" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  const status = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  const events = stdout
    .split("\n")
    .filter((text) => text.startsWith("{"))
    .map((text) => JSON.parse(text) as { Action: string; Test?: string; Output?: string });
  const count = (action: string) => events.filter((event) => event.Test && event.Action === action).length;
  if (status !== 0) for (const { Output } of events) process.stdout.write(Output ?? "");
  const failed = count("fail");
  return { passed: count("pass"), failed: failed === 0 && status !== 0 ? 1 : failed, skipped: count("skip") };
}
