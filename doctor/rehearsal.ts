import { join } from "node:path";
import { identityOf } from "../components/cluster/replacement.ts";
import type { RehearsalSettings } from "../components/settings.ts";
import { readNote } from "../tools/files.ts";
import { clusterFiles, projectRoot } from "../tools/paths.ts";
import { error, type Finding, ok, warning } from "./finding.ts";
import { checkDisk, checkPort } from "./host.ts";
import type { Probes } from "./probes.ts";
import { judgeReplacement } from "./replacement.ts";
import { checkWire } from "./wire.ts";

const PROGRAM = join(projectRoot, "rehearsal/main.ts");
/** etcd, its log, and the logs of the parts. */
const STATE_BYTES = 0.5 * 2 ** 30;

/** What the rehearsal writes of a cluster into `<stateDir>/clusters/<name>/cluster.json`. */
interface RehearsalRecord {
  provider: string;
  spec: object;
  made: boolean;
}

/** Everything that a rehearsal needs of this machine, and what there is of its name. */
export async function checkRehearsal(
  cluster: RehearsalSettings,
  probes: Probes,
  mayReplace: boolean,
): Promise<Finding[]> {
  if (probes.platform !== "linux") {
    return [
      error(
        "system",
        `The rehearsal runs on Linux only; this is ${probes.platform}.`,
        "make up STACK=dev   # kind, with Docker",
      ),
    ];
  }
  const checks = await Promise.all([
    checkWire(probes),
    checkDisk(probes, probes.stateDir, STATE_BYTES, "disk"),
    checkPort(probes),
    checkRecorded(cluster, probes, mayReplace),
  ]);
  return checks.flat();
}

async function checkRecorded(
  cluster: RehearsalSettings,
  { stateDir, run }: Probes,
  mayReplace: boolean,
): Promise<Finding[]> {
  const what = `cluster ${cluster.name}`;
  const record = readNote<RehearsalRecord>(clusterFiles(stateDir, cluster.name).record);
  if (record === undefined) return [ok(what, "The name is free.")];
  if (record.provider !== "rehearsal") {
    return [
      error(
        what,
        `A ${record.provider} cluster of this checkout has that name.`,
        "choose another cluster.name, or make down that one first",
      ),
    ];
  }
  if (!record.made)
    return [
      warning(what, "A run that made it was cut short. The next make up removes what is there and makes it anew."),
    ];

  const args = [PROGRAM, "status", "--name", cluster.name, "--state", stateDir];
  const { stdout } = await run("node", args);
  const stopped: Finding = {
    ...error(
      what,
      "It is there, but its processes do not run, as after a reboot.",
      `node ${["rehearsal/main.ts", "start", ...args.slice(2)].join(" ")}`,
    ),
    mend: { program: "node", args: [PROGRAM, "start", ...args.slice(2)] },
  };
  const replacement = judgeReplacement(record.spec, identityOf(cluster), mayReplace);
  return /"running":\s*true/.test(stdout)
    ? replacement
    : [stopped, ...replacement.filter(({ level }) => level !== "ok")];
}
