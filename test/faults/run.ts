// `make faults SEED=n RUNS=n [KEEP=folder]`: orders faults in rehearsal clusters and holds the prover's verdict against the label of each.
// KEEP leaves the truth that was injected, the evidence and the captures of every run, so that somebody else can judge them again.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { toolFolders } from "../../tools/folders.ts";
import { cacheDir, projectRoot } from "../../tools/paths.ts";
import { FaultyCluster } from "./cluster.ts";
import { planRuns, type Setting, settingName } from "./matrix.ts";
import { type Outcome, summary, table } from "./table.ts";

const seed = Number(process.env.SEED || 1);
const runs = planRuns(Number(process.env.RUNS || 240), seed);
const keep = process.env.KEEP || mkdtempSync(join(tmpdir(), "wcf-kept-"));

const folders = await toolFolders("rehearsal", join(cacheDir(), "pulumi-home"));
process.env.PATH = [...folders, join(projectRoot, "node_modules/.bin"), process.env.PATH ?? ""].join(delimiter);
const cluster = new FaultyCluster(process.env);
const outcomes: Outcome[] = [];
let standing: Setting | undefined;
try {
  for (const [index, { setting, test, node, peer }] of runs.entries()) {
    const folder = join(keep, String(index + 1).padStart(3, "0"));
    mkdirSync(folder, { recursive: true });
    if (standing !== setting) {
      if (standing) cluster.order([]);
      cluster.become(setting);
      standing = setting;
    }
    const faults = test.faults({ node, peer });
    cluster.order(faults);
    writeFileSync(
      join(folder, "truth.json"),
      `${JSON.stringify({ seed, setting, case: test.name, label: test.label, faults }, null, 2)}\n`,
    );
    const { verdict, reasons, seconds } = cluster.prove(folder);
    const outcome = { setting, name: test.name, label: test.label, verdict, seconds };
    outcomes.push(outcome);
    const sign = verdict === test.label ? "ok" : "!!";
    console.error(
      `${index + 1}/${runs.length} ${sign} ${settingName(setting)}: ${test.name}: ${verdict} (${seconds.toFixed(0)} s)`,
    );
    if (verdict !== test.label) console.error(`   labelled ${test.label}; ${reasons.join("\n   ")}`);
  }
} finally {
  cluster.close();
  if (!process.env.KEEP) rmSync(keep, { recursive: true, force: true });
}
const date = new Date().toISOString().slice(0, 10);
console.log(`Faults ordered in rehearsal clusters, seed ${seed}, ${date}, ${cpus().length} cores, in rehearsal.\n`);
console.log(table(outcomes));
console.log(summary(outcomes));
process.exitCode = outcomes.every(({ label, verdict }) => label === verdict) ? 0 : 1;
