// `make faults SEED=n RUNS=n [JOBS=2] [KEEP=folder]`: orders faults in rehearsal clusters and holds the prover's verdict against the label of each.
// KEEP leaves the truth that was injected, the evidence and the captures of every run, so that somebody else can judge them again.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { toolFolders } from "../../tools/folders.ts";
import { cacheDir, projectRoot } from "../../tools/paths.ts";
import { FaultyCluster } from "./cluster.ts";
import { type PlannedRun, planRuns, SETTINGS, settingName } from "./matrix.ts";
import { type Outcome, summary, table } from "./table.ts";

const seed = Number(process.env.SEED || 1);
const runs = planRuns(Number(process.env.RUNS || 240), seed).map((run, index) => ({ ...run, number: index + 1 }));
const jobs = Number(process.env.JOBS || 2);
const keep = process.env.KEEP || mkdtempSync(join(tmpdir(), "wcf-kept-"));
/** Set for the processes that this program starts: which of them this is, from 0 on. */
const { JOB: job } = process.env;

if (job === undefined) {
  process.env.PATH = [
    ...(await toolFolders("rehearsal", join(cacheDir(), "pulumi-home"))),
    join(projectRoot, "node_modules/.bin"),
    process.env.PATH ?? "",
  ].join(delimiter);
  await Promise.all(Array.from({ length: jobs }, (_, index) => inProcessOfItsOwn(index)));
  const outcomes = Array.from({ length: jobs }, (_, index) => outcomesOf(index)).flat();
  outcomes.sort((a, b) => place(a) - place(b));
  const date = new Date().toISOString().slice(0, 10);
  console.log(
    `Faults ordered in rehearsal clusters, seed ${seed}, ${date}, ${cpus().length} cores, ${jobs} at once.\n`,
  );
  console.log(table(outcomes));
  console.log(summary(outcomes));
  if (!process.env.KEEP) rmSync(keep, { recursive: true, force: true });
  process.exitCode =
    outcomes.length === runs.length && outcomes.every(({ label, verdict }) => label === verdict) ? 0 : 1;
} else {
  // A change of setting costs a rollout, so each process has settings of its own.
  judge(runs.filter(({ setting }) => SETTINGS.indexOf(setting) % jobs === Number(job)));
}

/** Does its share of the runs; what came of them is in its file as soon as it is known. */
function judge(share: readonly (PlannedRun & { number: number })[]): void {
  const cluster = new FaultyCluster(process.env);
  const outcomes: Outcome[] = [];
  let standing: PlannedRun["setting"] | undefined;
  try {
    for (const { setting, test, node, peer, number } of share) {
      const folder = join(keep, String(number).padStart(3, "0"));
      mkdirSync(folder, { recursive: true });
      if (standing !== setting) {
        if (standing) cluster.order([]);
        cluster.become(setting);
        standing = setting;
      }
      const faults = test.faults({ node, peer });
      cluster.order(faults);
      const truth = { seed, setting, case: test.name, label: test.label, faults };
      writeFileSync(join(folder, "truth.json"), `${JSON.stringify(truth, null, 2)}\n`);
      const { verdict, reasons, seconds } = cluster.prove(folder);
      outcomes.push({ setting, name: test.name, label: test.label, verdict, seconds });
      writeFileSync(outcomeFile(Number(job)), JSON.stringify(outcomes));
      const sign = verdict === test.label ? "ok" : "!!";
      const what = `${settingName(setting)}: ${test.name}: ${verdict} (${seconds.toFixed(0)} s)`;
      console.error(`${number}/${runs.length} ${sign} ${what}`);
      if (verdict !== test.label) console.error(`   labelled ${test.label}; ${reasons.join("\n   ")}`);
    }
  } finally {
    cluster.close();
  }
}

function inProcessOfItsOwn(index: number): Promise<unknown> {
  const env = { ...process.env, JOB: String(index), JOBS: String(jobs), KEEP: keep };
  const child = spawn("node", [import.meta.filename], { env, stdio: "inherit" });
  return new Promise((resolve) => child.on("close", resolve));
}

function outcomesOf(index: number): Outcome[] {
  try {
    return JSON.parse(readFileSync(outcomeFile(index), "utf8")) as Outcome[];
  } catch {
    return [];
  }
}

function outcomeFile(index: number): string {
  return join(keep, `outcomes-${index}.json`);
}

function place({ setting }: Outcome): number {
  return SETTINGS.findIndex((each) => settingName(each) === settingName(setting));
}
