import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { type CutInstall, cutInstalls, takeUpOf } from "./cutInstall.ts";
import { type HelmSecret, latestRevision, withStatus } from "./helmRecord.ts";
import { say } from "./say.ts";

/** The cluster in which releases may have been left, and how to run Pulumi on the stack. */
export interface TakeUpPlace {
  kubeconfig: string;
  context?: string;
  env: NodeJS.ProcessEnv;
  /** Runs a command of Pulumi's CLI on the stack. */
  pulumi: (...args: string[]) => { code: number; output: string };
}

/**
 * Has the state hold the Helm releases that a killed run had installed and not recorded, so that the next update goes on with them. Without it that ends with
 * "cannot re-use a name that is still in use" (pulumi-kubernetes#2758).
 */
export function takeUpReleases(state: unknown, place: TakeUpPlace): void {
  for (const cut of cutInstalls(state)) takeUp(cut, place);
}

function takeUp(cut: CutInstall, place: TakeUpPlace): void {
  const { release, namespace } = cut;
  const id = `${namespace}/${release}`;
  const latest = latestOf(cut, place);
  // Killed before helm had begun, or the cluster does not answer: then the update says so.
  if (latest === undefined) return;
  const how = takeUpOf(cut, latest);
  if (how === "not ours") {
    say(`Helm release ${id} is there with other values than the killed run gave it, so it is left alone`);
    return;
  }
  const parent = cut.parent === undefined ? [] : ["--parent", `parent=${cut.parent}`];
  const name = cut.urn.split("::").at(-1) ?? "";
  const imported = place.pulumi(
    ...["import", "kubernetes:helm.sh/v3:Release", name, id, "--provider", `provider=${cut.provider}`, ...parent],
    ...["--protect=false", "--generate-code=false", "--yes", "--skip-preview", "--non-interactive"],
  );
  if (imported.code !== 0) {
    say(`Helm release ${id}, which a killed run has left, could not be taken up:\n${imported.output}`);
    return;
  }
  // After the import, which fails where another run holds the stack's lock: then somebody may be at work on it. helm upgrades a failed release, and refuses a pending one.
  if (how === "import and unlock") replace(withStatus(latest, "failed", "its install was killed"), cut, place);
  say(`took up Helm release ${id}, which a killed run had begun; nothing of it was removed`);
}

function latestOf({ release, namespace }: CutInstall, place: TakeUpPlace): HelmSecret | undefined {
  const labels = `owner=helm,name=${release}`;
  const { status, stdout } = kubectl(place, ["get", "secrets", `--namespace=${namespace}`, "-l", labels, "-o=json"]);
  return status === 0 ? latestRevision((JSON.parse(stdout) as { items: HelmSecret[] }).items) : undefined;
}

/** As long as nobody else has changed it since: it holds the version that was read. */
function replace(secret: HelmSecret, { namespace }: CutInstall, place: TakeUpPlace): void {
  const { status, stderr } = kubectl(
    place,
    ["replace", `--namespace=${namespace}`, "--filename=-"],
    JSON.stringify(secret),
  );
  if (status !== 0) say(`helm's record ${secret.metadata.name} could not be set to failed: ${stderr.trim()}`);
}

/** What helm keeps holds all values, so it goes by standard input. */
function kubectl({ kubeconfig, context, env }: TakeUpPlace, args: string[], input = ""): SpawnSyncReturns<string> {
  const at = [`--kubeconfig=${kubeconfig}`, ...(context === undefined ? [] : [`--context=${context}`])];
  return spawnSync("kubectl", [...at, "--request-timeout=30s", ...args], {
    ...{ env, input, encoding: "utf8" },
    maxBuffer: 64 << 20,
  });
}
