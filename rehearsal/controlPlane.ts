import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../components/userError.ts";
import { findOnPath } from "../tools/findOnPath.ts";
import { kwokPorts } from "./ports.ts";
import { ownProgram, plainEnvironment, processesIn, relink } from "./processes.ts";
import { KWOK_NAME, type RehearsalFiles, type RehearsalRecord } from "./record.ts";
import { stages } from "./stages.ts";

/** kwokctl's components by the program that each runs. */
const COMPONENTS = {
  etcd: "etcd",
  "kube-apiserver": "kube-apiserver",
  "kube-controller-manager": "kube-controller-manager",
  "kube-scheduler": "kube-scheduler",
  "kwok-controller": "kwok",
} as const;

/** Seconds for the control plane to answer; it takes three. */
const READY_TIMEOUT = 60;

/** Makes the control plane and returns when it answers. */
export function createControlPlane(files: RehearsalFiles, record: RehearsalRecord): void {
  writeFileSync(files.kwokConfig, kwokConfig(files, record), { mode: 0o600 });
  kwokctl(files, ["create", "cluster", "--config", files.kwokConfig]);
}

/** Starts what does not run of it. */
export function startControlPlane(files: RehearsalFiles): void {
  const running = processesIn(files.folder);
  const missing = Object.entries(COMPONENTS).filter(([component]) =>
    running.every(({ program }) => program !== component),
  );
  if (missing.length === 0) return;
  for (const [component, program] of missing) {
    // kwokctl takes any process with the number in this file for its own; after a reboot it is another's.
    rmSync(join(files.pids, `${component}.pid`), { force: true });
    // The tools' cache may have been emptied since.
    relink(programPath(program), join(files.kwokPrograms, component));
  }
  kwokctl(files, ["start", "cluster"]);
}

/** Kills the API server and starts it again; everything else runs on meanwhile. */
export async function restartApiServer(files: RehearsalFiles): Promise<void> {
  const servers = () => processesIn(files.folder).filter(({ program }) => program === "kube-apiserver");
  for (const { pid } of servers()) process.kill(pid, "SIGKILL");
  while (servers().length > 0) await sleep(20);
  startControlPlane(files);
}

/** The components that run now, by name. */
export function runningComponents(files: RehearsalFiles): string[] {
  const programs = new Set(processesIn(files.folder).map(({ program }) => program));
  return [...Object.keys(COMPONENTS), "wirecloak-agent"].filter((component) => programs.has(component));
}

/** All components of a cluster that works. */
export const ALL_COMPONENTS = Object.keys(COMPONENTS).length + 1;

/** Where the program is; a UserError where it is nowhere on PATH. */
export function programPath(program: string): string {
  const [found] = findOnPath(program, process.env.PATH ?? "");
  if (found) return found;
  throw new UserError([{ key: program, message: "is not on PATH, and a rehearsal needs it.", fix: "make tools" }]);
}

function kwokctl(files: RehearsalFiles, args: string[]): void {
  const log = join(files.logs, "kwokctl.log");
  const output = openSync(log, "a", 0o600);
  // Its own settings come from the file alone, never from the user's KWOK_... variables or ~/.kwok.
  const environment = plainEnvironment({
    KWOK_WORKDIR: files.kwokWorkdir,
    KUBECONFIG: join(files.folder, "kwokctl.kubeconfig"),
  });
  const { status, error } = spawnSync(
    ownProgram(programPath("kwokctl"), files.programs),
    [
      "--name",
      KWOK_NAME,
      ...args,
      ...(args[0] === "create" ? ["--kubeconfig", environment.KUBECONFIG ?? ""] : []),
      "--wait",
      `${READY_TIMEOUT}s`,
    ],
    { stdio: ["ignore", output, output], env: environment, cwd: files.folder },
  );
  closeSync(output);
  if (status === 0) return;
  throw new UserError([
    {
      key: "rehearsal",
      value: args.join(" "),
      message: `kwokctl could not do it (${error?.message ?? `exit code ${status}`}). ${lastErrors(files, log)}`,
      fix: `see ${files.logs} and ${join(files.kwokWorkdir, "clusters", KWOK_NAME, "logs")}`,
    },
  ]);
}

/** What is likely to tell why: the last line of each log. */
function lastErrors(files: RehearsalFiles, kwokctlLog: string): string {
  const folder = join(files.kwokWorkdir, "clusters", KWOK_NAME, "logs");
  const logs = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  return [kwokctlLog, ...logs]
    .map((path) => `${basename(path)}: ${readFileSync(path, "utf8").trimEnd().split("\n").at(-1) ?? ""}`)
    .join("\n    ");
}

/**
 * kwokctl's configuration file. Everything listens on loopback alone, where its default is every address, and etcd asks
 * nobody who they are. The API server finds the kubelets under the address that the agent's nodes give as InternalDNS.
 */
export function kwokConfig(files: RehearsalFiles, { ports, spec }: RehearsalRecord): string {
  const pki = (name: string): string => join(files.pki, name);
  const cluster = {
    apiVersion: "config.kwok.x-k8s.io/v1alpha1",
    kind: "KwokctlConfiguration",
    options: {
      runtime: "binary",
      ...kwokPorts(ports),
      // The limits are for clusters that others use too; here they only make a thousand nodes slow.
      disableQPSLimits: true,
      etcdBinary: programPath("etcd"),
      kubeApiserverBinary: programPath("kube-apiserver"),
      kubeControllerManagerBinary: programPath("kube-controller-manager"),
      kubeSchedulerBinary: programPath("kube-scheduler"),
      kwokControllerBinary: programPath("kwok"),
      kubectlBinary: programPath("kubectl"),
    },
    componentsPatches: [
      {
        name: "kube-apiserver",
        extraArgs: [
          { key: "service-cluster-ip-range", value: spec.serviceCidr },
          { key: "kubelet-preferred-address-types", value: "InternalDNS" },
          { key: "kubelet-certificate-authority", value: pki("ca.crt") },
          { key: "kubelet-client-certificate", value: pki("admin.crt") },
          { key: "kubelet-client-key", value: pki("admin.key") },
        ],
      },
      // There is one of each. With an election, one that was killed leaves a lease, and its successor waits 15 s for its end.
      { name: "kube-controller-manager", extraArgs: [{ key: "leader-elect", value: "false" }] },
      { name: "kube-scheduler", extraArgs: [{ key: "leader-elect", value: "false" }] },
    ],
  };
  // JSON is YAML, and needs no library.
  return [cluster, ...stages()].map((document) => `${JSON.stringify(document, undefined, 2)}\n`).join("---\n");
}
