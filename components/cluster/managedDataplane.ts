import type { Problem } from "../userError.ts";

/** What tells whose Cilium a cluster runs. */
export interface DataplaneFacts {
  nodes: { name: string; providerId: string }[];
  /** DaemonSets of kube-system, with the label by which AKS marks the pods of a dataplane of its own; empty where there is none. */
  daemonSets: { name: string; aksDataplane: string }[];
}

/** A Cilium that a cloud runs itself, and what it offers for traffic between nodes. */
interface ManagedDataplane {
  name: string;
  isIn: (facts: DataplaneFacts) => boolean;
  instead: string;
}

/** The more special first: every Autopilot cluster has Dataplane V2. */
const MANAGED: readonly ManagedDataplane[] = [
  {
    name: "GKE Autopilot",
    // Names of Autopilot's nodes begin with gk3-, those of others with gke-; no label tells reliably.
    isIn: ({ nodes }) => nodes.some(({ name, providerId }) => providerId.startsWith("gce://") && /^gk3-/.test(name)),
    instead:
      "a GKE Standard cluster: Google's inter-node transparent encryption (in_transit_encryption_config: IN_TRANSIT_ENCRYPTION_INTER_NODE_TRANSPARENT) is not for Autopilot, nor is a CNI of one's own",
  },
  {
    name: "GKE Dataplane V2",
    // cloud.google.com/kubernetes-engine/docs/concepts/dataplane-v2: "a DaemonSet named anetd", in kube-system.
    isIn: ({ daemonSets }) => daemonSets.some(({ name }) => name === "anetd"),
    instead:
      "its own inter-node transparent encryption (WireGuard; in_transit_encryption_config: IN_TRANSIT_ENCRYPTION_INTER_NODE_TRANSPARENT), or a cluster without Dataplane V2",
  },
  {
    name: "Azure CNI powered by Cilium",
    // AKS labels its agents kubernetes.azure.com/ebpf-dataplane=cilium (seen by `kubectl get -l` on AKS: github.com/VijayRod/demo, k8s-cni-cilium_azure.md), and
    // a Cilium that came by Helm (network plugin none) has no such label. Nodes may be labelled so by hand, for Karpenter.
    isIn: ({ daemonSets }) =>
      daemonSets.some(({ name, aksDataplane }) => name === "cilium" && aksDataplane === "cilium"),
    instead:
      "its own WireGuard, by Advanced Container Networking Services (transit encryption type WireGuard), or a cluster with network plugin none",
  },
];

/** Why Cilium cannot be installed where a cloud runs its own; undefined where none does. */
export function managedDataplane(facts: DataplaneFacts): Problem | undefined {
  const found = MANAGED.find(({ isIn }) => isIn(facts));
  return (
    found && {
      key: "wirecloak:cluster.provider",
      value: "existing",
      message: `This cluster runs ${found.name}: its Cilium is the cloud's, which takes no Helm values and puts back what is changed.`,
      fix: found.instead,
    }
  );
}

/** A node a line: its name and its provider id, as kubectl's jsonpath. */
export const NODE_COLUMNS = '{range .items[*]}{.metadata.name}{"\\t"}{.spec.providerID}{"\\n"}{end}';

/** A DaemonSet a line, the same way. */
export const DAEMONSET_COLUMNS =
  '{range .items[*]}{.metadata.name}{"\\t"}{.spec.template.metadata.labels.kubernetes\\.azure\\.com/ebpf-dataplane}{"\\n"}{end}';

/** The facts in what kubectl prints for these columns. */
export function dataplaneFacts(nodes: string, daemonSets: string): DataplaneFacts {
  return {
    nodes: rows(nodes).map(([name, providerId]) => ({ name, providerId })),
    daemonSets: rows(daemonSets).map(([name, aksDataplane]) => ({ name, aksDataplane })),
  };
}

function rows(printed: string): [string, string][] {
  return printed
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [name = "", value = ""] = line.split("\t");
      return [name, value];
    });
}
