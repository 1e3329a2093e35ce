import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../components/userError.ts";
import { writeWhole } from "../tools/files.ts";
import { withLock } from "../tools/lock.ts";
import { cacheDir } from "../tools/paths.ts";
import {
  ALL_COMPONENTS,
  createControlPlane,
  programPath,
  restartApiServer,
  runningComponents,
  startControlPlane,
} from "./controlPlane.ts";
import { type ClusterSpec, nodeAddresses, planNodes } from "./nodePlan.ts";
import { choosePorts, HOST } from "./ports.ts";
import { endProcessesIn, ownProgram, plainEnvironment, processesIn, startInBackground } from "./processes.ts";
import { type RehearsalFiles, type RehearsalRecord, readRecord, rehearsalFiles, writeRecord } from "./record.ts";

/** Whether packets cross a wire in clusters that are started now: `auto` (where the machine allows it), `on` or `off`. */
const WIRE_VARIABLE = "WIRECLOAK_REHEARSAL_WIRE";
const WIRE_CHOICES = ["auto", "on", "off"];

/** How a cluster is reached: what `create` and `scale` print. */
export interface ClusterReport {
  /** New for each newly made cluster. */
  incarnation: string;
  server: { host: string; port: number };
  kubeconfigPath: string;
  /** Its contents. Secret. */
  kubeconfig: string;
}

/** Hears what is being done, in a line each. */
export type Say = (line: string) => void;

/** Refuses a value of the variable that means nothing, before anything is made. */
export function checkWireChoice(value = process.env[WIRE_VARIABLE]): void {
  if (!value || WIRE_CHOICES.includes(value)) return;
  throw new UserError([
    { key: WIRE_VARIABLE, value, message: "is no choice for the rehearsal's wire.", allowed: WIRE_CHOICES.join(", ") },
  ]);
}

/** Makes the cluster; or, where it is made already, sees that it runs with at least the nodes asked for. */
export async function create(stateDir: string, spec: ClusterSpec, say: Say): Promise<ClusterReport> {
  planNodes(spec);
  checkWireChoice();
  const files = rehearsalFiles(stateDir, spec.name);
  const found = readRecord(files);
  if (found?.made) {
    sameNetworks(found.spec, spec);
    const workers = Math.max(found.spec.workers, spec.workers);
    await start(stateDir, spec.name, say);
    return workers === found.spec.workers ? report(files, found) : scale(stateDir, { ...spec, workers }, say);
  }
  if (existsSync(files.record) && !found)
    throw new UserError([
      {
        key: "wirecloak:cluster.name",
        value: spec.name,
        message: "names a cluster of this checkout that another provider made.",
        fix: "make down, or another wirecloak:cluster.name",
      },
    ]);
  if (found) say("removing what an interrupted run left");
  await remove(stateDir, spec.name);
  return makeNew(files, spec, say);
}

async function makeNew(files: RehearsalFiles, spec: ClusterSpec, say: Say): Promise<ClusterReport> {
  // Another checkout's run must not choose the same ports before these listen.
  const record = await withLock(
    join(cacheDir(), "rehearsal-ports.lock"),
    (holder) => say(`waiting for ${holder}`),
    async () => {
      const made: RehearsalRecord = {
        provider: "rehearsal",
        incarnation: randomUUID(),
        spec,
        ports: await choosePorts(),
        made: false,
      };
      writeRecord(files, made);
      mkdirSync(files.logs);
      writeWhole(files.lease, made.incarnation);
      // First of all, since it ends the others if this run dies and the folder goes.
      startAgent(files, made);
      say("starting etcd, the API server, the controller manager, the scheduler and kwok");
      createControlPlane(files, made);
      return made;
    },
  );
  // Late, since only this needs YAML.
  const { kubeconfig } = await import("./kubeconfig.ts");
  writeFileSync(files.kubeconfig, kubeconfig(files, record), { mode: 0o600 });
  say(`registering ${spec.workers + 1} nodes`);
  makeNodes(files, record);
  writeRecord(files, { ...record, made: true });
  return report(files, record);
}

/** Brings a cluster that is made to the number of workers asked for, in place. */
export async function scale(stateDir: string, spec: ClusterSpec, say: Say): Promise<ClusterReport> {
  const { files, record } = existing(stateDir, spec.name);
  sameNetworks(record.spec, spec);
  const wanted = { ...record, spec };
  planNodes(spec);
  await start(stateDir, spec.name, say);
  say(`bringing the cluster to ${spec.workers + 1} nodes`);
  makeNodes(files, wanted);
  writeRecord(files, wanted);
  return report(files, wanted);
}

/** Starts what does not run of a cluster that is made: after a reboot, or where processes were ended. */
export async function start(stateDir: string, name: string, say: Say): Promise<void> {
  checkWireChoice();
  const { files, record } = existing(stateDir, name);
  writeWhole(files.lease, record.incarnation);
  const running = runningComponents(files);
  if (running.length === ALL_COMPONENTS) return;
  say(`starting the cluster again (${running.length} of ${ALL_COMPONENTS} processes run)`);
  if (!running.includes("wirecloak-agent")) startAgent(files, record);
  startControlPlane(files);
}

/** Removes a cluster, complete or not: processes first, then every file. */
export async function remove(stateDir: string, name: string): Promise<void> {
  const files = rehearsalFiles(stateDir, name);
  if (existsSync(files.record) && !readRecord(files)) return;
  rmSync(files.lease, { force: true });
  await endProcessesIn(files.folder);
  rmSync(files.folder, { recursive: true, force: true });
}

/** Removes all rehearsal clusters of a state folder, and processes whose files are gone. */
export async function sweep(stateDir: string, say: Say): Promise<void> {
  const clusters = join(stateDir, "clusters");
  const names = existsSync(clusters)
    ? readdirSync(clusters, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    : [];
  for (const { name } of names) {
    if (!readRecord(rehearsalFiles(stateDir, name))) continue;
    say(`removing rehearsal cluster ${name}`);
    await remove(stateDir, name);
  }
  if (processesIn(clusters).length > 0) await endProcessesIn(clusters);
}

/** Orders, lists or clears what goes wrong in a running cluster, as the words say; the agent program knows all but one. */
export async function fault(stateDir: string, name: string, words: readonly string[]): Promise<void> {
  const { files } = existing(stateDir, name);
  if (words.join(" ") === "api-restart") {
    await restartApiServer(files);
    console.log("api-restart: done");
    return;
  }
  const run = spawnSync(startedAgent(files), ["faults", "--dir", files.folder, ...words], {
    encoding: "utf8",
    env: plainEnvironment(),
  });
  process.stdout.write(run.stdout ?? "");
  if (run.status === 0) return;
  throw new UserError([
    { key: "fault", value: words.join(" "), message: (run.stderr || `${run.error}`).trim(), fix: "see docs/faults.md" },
  ]);
}

/** Where the nodes of a cluster have their addresses. */
export function network(stateDir: string, name: string): object {
  return nodeAddresses(existing(stateDir, name).record.spec);
}

/** What runs of a cluster. */
export function status(stateDir: string, name: string): object {
  const files = rehearsalFiles(stateDir, name);
  const record = readRecord(files);
  if (!record) return { exists: false, running: false, nodes: 0 };
  const components = runningComponents(files);
  return {
    exists: true,
    running: record.made && components.length === ALL_COMPONENTS,
    nodes: record.made ? record.spec.workers + 1 : 0,
    incarnation: record.incarnation,
    server: { host: HOST, port: record.ports.apiServer },
    processes: components,
  };
}

function existing(stateDir: string, name: string): { files: RehearsalFiles; record: RehearsalRecord } {
  const files = rehearsalFiles(stateDir, name);
  const record = readRecord(files);
  if (record?.made) return { files, record };
  throw new UserError([
    {
      key: "wirecloak:cluster.name",
      value: name,
      message: "names no rehearsal cluster of this checkout.",
      fix: "make up STACK=rehearsal",
    },
  ]);
}

function sameNetworks(made: ClusterSpec, wanted: ClusterSpec): void {
  const changed = (["podCidr", "serviceCidr"] as const).filter((range) => made[range] !== wanted[range]);
  if (changed.length === 0) return;
  throw new UserError(
    changed.map((range) => ({
      key: `wirecloak:cluster.${range}`,
      value: wanted[range],
      message: `cannot change while the cluster lives; it has ${made[range]}.`,
      fix: "make down, then make up",
    })),
  );
}

function startAgent(files: RehearsalFiles, { ports }: RehearsalRecord): void {
  const log = join(files.logs, "agent.log");
  // Processes in the background get nothing of our environment, so this is told in words.
  const wire = process.env[WIRE_VARIABLE] || "auto";
  const args = ["run", "--dir", files.folder, "--kubelet-port", `${ports.kubelet}`, "--wire", wire];
  startInBackground(agent(files), args, log);
}

function makeNodes(files: RehearsalFiles, { spec, ports }: RehearsalRecord): void {
  const plan = JSON.stringify({ kubeletPort: ports.kubelet, nodes: planNodes(spec) });
  const { status, stderr } = spawnSync(agent(files), ["nodes", "--dir", files.folder], {
    input: plan,
    encoding: "utf8",
    env: plainEnvironment(),
  });
  if (status === 0) return;
  throw new UserError([
    { key: "rehearsal", message: `The nodes could not be registered: ${stderr.trim()}`, fix: `see ${files.logs}` },
  ]);
}

function agent(files: RehearsalFiles): string {
  return ownProgram(programPath("wirecloak-agent"), files.programs);
}

/** The agent program as the cluster was started with, wherever on PATH it may be now. */
function startedAgent(files: RehearsalFiles): string {
  return join(files.programs, "wirecloak-agent");
}

function report(files: RehearsalFiles, { incarnation, ports }: RehearsalRecord): ClusterReport {
  return {
    incarnation,
    server: { host: HOST, port: ports.apiServer },
    kubeconfigPath: files.kubeconfig,
    kubeconfig: readFileSync(files.kubeconfig, "utf8"),
  };
}
