import { type Kubectl, kubeSystemUid, readKubeconfig } from "../components/cluster/kubeconfig.ts";
import {
  DAEMONSET_COLUMNS,
  dataplaneFacts,
  managedDataplane,
  NODE_COLUMNS,
} from "../components/cluster/managedDataplane.ts";
import type { ExistingSettings, Settings } from "../components/settings.ts";
import type { CommandResult } from "../tools/command.ts";
import { error, type Finding, findingsOf, ok, warning } from "./finding.ts";
import { judgeAdmission, judgeKubernetes, minorIn } from "./kubernetes.ts";
import type { Probes } from "./probes.ts";

const WHAT = "kubeconfig";
/** A little more than kubectl itself is given to answer. */
const LIMIT_MS = 7_000;

/** Whether the cluster of a kubeconfig answers, and what follows from which it is. Reads only. */
export async function checkExisting(
  settings: Settings,
  cluster: ExistingSettings,
  { run }: Pick<Probes, "run">,
): Promise<Finding[]> {
  const kubectl: Kubectl = (args) => run("kubectl", args, LIMIT_MS);
  try {
    const target = readKubeconfig(cluster.kubeconfig, cluster.context);
    const { host, port } = target.apiServer;
    const at = [`--kubeconfig=${target.kubeconfig}`, `--context=${target.context}`, "--request-timeout=5s"];
    const [, version, nodes, daemonSets, namespace] = await Promise.all([
      kubeSystemUid(target, kubectl),
      kubectl([...at, "get", "--raw", "/version"]),
      kubectl([...at, "get", "nodes", "-o", `jsonpath=${NODE_COLUMNS}`]),
      kubectl([...at, "get", "daemonsets", "-n", "kube-system", "-o", `jsonpath=${DAEMONSET_COLUMNS}`]),
      kubectl([...at, "get", "namespace", settings.cilium.namespace, "-o", "name"]),
    ]);
    const minor = minorIn(/"gitVersion":\s*"(v[^"]+)"/.exec(version.stdout)?.[1] ?? "");
    const answers = ok(WHAT, `The cluster of context ${target.context} answers at ${host}:${port}.`);
    return [
      answers,
      ...judgeDataplane(nodes, daemonSets),
      ...judgeNamespace(settings, namespace),
      ...judgeAddress(settings, host),
      ...judgeGuard(settings),
      judgeKubernetes(settings, minor),
      ...judgeAdmission(settings, minor),
    ];
  } catch (failure) {
    return findingsOf(WHAT, failure);
  }
}

/** A Cilium that the cloud runs cannot be ours. */
function judgeDataplane(nodes: CommandResult, daemonSets: CommandResult): Finding[] {
  if (nodes.code !== 0 || daemonSets.code !== 0) {
    return [
      warning(
        "dataplane",
        "Nodes and DaemonSets could not be read, so whether the cloud runs its own Cilium is unknown.",
      ),
    ];
  }
  const managed = managedDataplane(dataplaneFacts(nodes.stdout, daemonSets.stdout));
  return managed ? [error("dataplane", managed.message, managed.fix)] : [];
}

/** In a cluster of others' we make no namespace, since what we make we also remove. */
function judgeNamespace({ cilium: { namespace } }: Settings, { code, stderr }: CommandResult): Finding[] {
  if (code === 0 || !stderr.includes("NotFound")) return [];
  return [error("namespace", `The cluster has no namespace ${namespace}.`, `kubectl create namespace ${namespace}`)];
}

/** A guard drops packets outside of the nodes, and of a cluster that others made we know no such place. */
function judgeGuard({ guard, encryption }: Settings): Finding[] {
  if (!guard || encryption === "none") return [];
  const evidence =
    "Between the nodes of an existing cluster there is no place where Wirecloak could drop packets, so no guard is set: while nodes change their mode, plaintext may cross.";
  return [
    warning(
      "guard",
      evidence,
      "pulumi config set wirecloak:strict true, or pulumi config set wirecloak:guard false to accept it",
    ),
  ];
}

/** Without kube-proxy agents reach the API server by the kubeconfig's address, and a loopback one is each node's own. */
function judgeAddress({ cilium }: Settings, host: string): Finding[] {
  if (!cilium.kubeProxyReplacement || !/^(127\.|localhost$|::1$)/.test(host)) return [];
  const evidence = `The kubeconfig's server is ${host}, which agents cannot reach from their nodes, and without kube-proxy they have no other address.`;
  const fix =
    "pulumi config set --path wirecloak:cilium.kubeProxyReplacement false, or a kubeconfig with an address that nodes reach";
  return [warning("API server address", evidence, fix)];
}
