// node kindCluster.ts create --name NAME [--state DIR]   reads a KindSpec (JSON) from stdin, prints a ClusterReport as one line
// node kindCluster.ts delete --name NAME [--state DIR]
// node kindCluster.ts sweep [--state DIR]                deletes every kind cluster of this state folder
// Progress goes to stderr. Each may be cut short at any moment, kill -9 included, and run again.
import { randomUUID } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { runCommand } from "../../tools/command.ts";
import { writeWhole } from "../../tools/files.ts";
import { withLock } from "../../tools/lock.ts";
import { stateDir } from "../../tools/paths.ts";
import { UserError } from "../userError.ts";
import type { ClusterReport } from "./clusterCommand.ts";
import { docker, dockerView, ownedClusters } from "./docker.ts";
import { kindConfig } from "./kindConfig.ts";
import { type KindSpec, kindNodeNames } from "./kindSpec.ts";
import {
  bridgeOf,
  foreignName,
  heldByOther,
  isOurs,
  type KindRecord,
  kindFiles,
  networkOf,
  OWNER_LABEL,
  ownerOf,
  readKindRecord,
  standingOf,
} from "./kindState.ts";

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: { name: { type: "string" }, state: { type: "string" } },
});
const state = options.state ?? stateDir();
const here = { cwd: state, env: process.env };

try {
  mkdirSync(join(state, "clusters"), { recursive: true, mode: 0o700 });
  await withLock(
    join(state, "clusters", "kind.lock"),
    (holder) => say(`waiting for ${holder}, which works on a kind cluster of this checkout`),
    () => run(positionals.join(" "), options.name ?? ""),
  );
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function run(command: string, name: string): Promise<void> {
  if (command === "sweep") return sweep();
  if (command === "create" && name) return create((await json(process.stdin)) as KindSpec);
  if (command === "delete" && name) return remove(name);
  throw new UserError([
    { key: "command", value: command, message: "Not known.", allowed: "create, delete (with --name), sweep" },
  ]);
}

async function create(spec: KindSpec): Promise<void> {
  const { name } = spec;
  const record = readKindRecord(state, name);
  const view = await dockerView(name);
  const standing = standingOf(spec, { docker: view, record, owner: ownerOf(state) });
  if (standing === "foreign" || heldByOther(state, name)) throw new UserError([foreignName(name)]);
  if (standing === "stopped") {
    say(`starting the nodes of ${name}`);
    await docker("start", ...kindNodeNames(spec));
  }
  if (record && (standing === "complete" || standing === "stopped")) return print(record);

  if (standing !== "absent") {
    say(`${name} is left over from a run that was cut short, or is of other settings; making it anew`);
    await remove(name);
  }
  await print(await make(spec));
}

async function make(spec: KindSpec): Promise<KindRecord> {
  const files = kindFiles(state, spec.name);
  const record: KindRecord = { provider: "kind", incarnation: randomUUID(), spec, made: false };
  mkdirSync(files.folder, { recursive: true, mode: 0o700 });
  // First of all, so that whatever of the rest is there tells that it is ours and not complete.
  writeWhole(files.record, JSON.stringify(record));
  mkdirSync(files.bootIds, { recursive: true });
  for (const node of kindNodeNames(spec)) writeFileSync(join(files.bootIds, node), `${randomUUID()}\n`);
  writeFileSync(files.config, kindConfig(spec, files.bootIds));

  await makeNetwork(networkOf(spec.name), bridgeOf(spec.name));
  // No wait for nodes to be Ready: without a CNI they never are.
  await kind("create cluster", spec.name, "--config", files.config);
  chmodSync(files.kubeconfig, 0o600);

  const complete = { ...record, made: true };
  writeWhole(files.record, JSON.stringify(complete));
  return complete;
}

/** What kind would make, in IPv4 and with our label: it takes a network that is there as it is. */
async function makeNetwork(network: string, device: string): Promise<void> {
  // A host behind a tunnel has a smaller MTU, which Docker's default network is told and a new one is not.
  const mtu = (
    await docker("network", "inspect", "bridge", "--format", `{{ index .Options "com.docker.network.driver.mtu" }}`)
  ).trim();
  const bridge = [
    ...["--driver", "bridge", "--opt", "com.docker.network.bridge.enable_ip_masquerade=true"],
    ...["--opt", `com.docker.network.bridge.name=${device}`],
  ];
  const owner = ["--label", `${OWNER_LABEL}=${ownerOf(state)}`];
  await docker(
    "network",
    "create",
    ...bridge,
    ...(/^\d+$/.test(mtu) ? ["--opt", `com.docker.network.driver.mtu=${mtu}`] : []),
    ...owner,
    network,
  );
}

async function print({ incarnation, spec }: KindRecord): Promise<void> {
  const { kubeconfig: kubeconfigPath } = kindFiles(state, spec.name);
  if (!existsSync(kubeconfigPath)) await kind("export kubeconfig", spec.name);
  const report: ClusterReport = {
    incarnation,
    // Nodes find each other by name on their Docker network; kind's API server listens on 6443 there.
    server: { host: `${spec.name}-control-plane`, port: 6443 },
    kubeconfigPath,
    kubeconfig: readFileSync(kubeconfigPath, "utf8"),
  };
  console.log(JSON.stringify(report));
}

/** Removes all of a cluster that is ours; leaves alone what is not. */
async function remove(name: string): Promise<void> {
  const files = kindFiles(state, name);
  await endLeftoverKind(files.config);
  const view = await dockerView(name);
  if (view.network && view.network.owner === ownerOf(state)) {
    if (isOurs(name, view)) await kind("delete cluster", name);
    await docker("network", "rm", networkOf(name));
  }
  if (!heldByOther(state, name)) rmSync(files.folder, { recursive: true, force: true });
}

async function sweep(): Promise<void> {
  const recorded = readdirSync(join(state, "clusters")).filter((name) => readKindRecord(state, name));
  const noDocker = (await runCommand("docker", ["version"], here)).code !== 0;
  // Without Docker there is nothing of kind's to remove, unless it was made before.
  if (noDocker && recorded.length === 0) return;
  for (const name of new Set([...recorded, ...(await ownedClusters(ownerOf(state)))])) {
    say(`removing the kind cluster ${name}`);
    await remove(name);
  }
}

/** kind outlives a run of ours that was killed, and would go on making nodes while we remove them. Its config file tells it apart. */
async function endLeftoverKind(config: string): Promise<void> {
  const { stdout } = await runCommand("ps", ["-A", "-ww", "-o", "pid=,args="], here);
  for (const line of stdout.split("\n")) {
    const pid = Number(/^\s*(\d+) .*\bkind create cluster\b/.exec(line)?.[1]);
    if (!pid || !line.includes(` --config ${config} `)) continue;
    say(`ending process ${pid}, left over from an earlier run: kind create cluster`);
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

async function kind(
  action: "create cluster" | "delete cluster" | "export kubeconfig",
  name: string,
  ...more: string[]
): Promise<void> {
  const args = [...action.split(" "), "--name", name, ...more, "--kubeconfig", kindFiles(state, name).kubeconfig];
  // Else kind could take podman, where that is what it finds.
  const env = {
    ...process.env,
    KIND_EXPERIMENTAL_PROVIDER: "docker",
    KIND_EXPERIMENTAL_DOCKER_NETWORK: networkOf(name),
  };
  const { code, failure } = await runCommand("kind", args, { cwd: state, env, onLine: (line) => console.error(line) });
  if (code === 0) return;
  throw new UserError([
    {
      key: "kind",
      message: `kind ${action} failed${failure ? ` (${failure})` : ""}; its own words are above.`,
      fix: "make doctor",
    },
  ]);
}

function say(line: string): void {
  console.error(line);
}
