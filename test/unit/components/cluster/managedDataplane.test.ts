import { dataplaneFacts, managedDataplane } from "../../../../components/cluster/managedDataplane.ts";

/** What kubectl prints of nodes and of the DaemonSets in kube-system, and whose dataplane that is. */
const judged = (nodes: string, daemonSets: string) => managedDataplane(dataplaneFacts(nodes, daemonSets));
const GKE = "gke-dev-pool-1a2b\tgce://project/us-central1-a/gke-dev-pool-1a2b\n";
const AUTOPILOT = "gk3-dev-pool-1-3c4d\tgce://project/us-central1-a/gk3-dev-pool-1-3c4d\n";
const AKS = "aks-nodepool1-1-vmss000000\tazure:///subscriptions/s/virtualMachines/0\n";

test.each<[string, string, string, string, RegExp]>([
  [
    "GKE Dataplane V2",
    GKE,
    "anetd\t\nfluentbit-gke\t\n",
    "GKE Dataplane V2",
    /^its own .*in_transit_encryption_config/,
  ],
  ["GKE Autopilot, and not only its dataplane", AUTOPILOT, "anetd\t\n", "GKE Autopilot", /^a GKE Standard cluster/],
  ["Autopilot where one node alone tells", GKE + AUTOPILOT, "", "GKE Autopilot", /is not for Autopilot/],
  [
    "Azure CNI powered by Cilium",
    AKS,
    "azure-cns\t\ncilium\tcilium\n",
    "Azure CNI powered by Cilium",
    /Advanced Contai/,
  ],
])("%s is refused, with what it offers itself", (_, nodes, daemonSets, name, instead) => {
  const problem = judged(nodes, daemonSets);
  expect(problem).toMatchObject({ key: "wirecloak:cluster.provider", value: "existing" });
  expect(problem?.message).toContain(`This cluster runs ${name}:`);
  expect(problem?.fix).toMatch(instead);
});

test.each([
  ["a cluster without a CNI", "node-1\t\n", "kube-proxy\t\n"],
  ["GKE without Dataplane V2", GKE, "kube-proxy\t\nfluentbit-gke\t\n"],
  ["AKS without a network plugin, with a Cilium by Helm", AKS, "azure-ip-masq-agent\t\ncilium\t\n"],
  ["a machine that is called gk3 outside of Google's cloud", "gk3-attic\t\n", "cilium\t\n"],
  ["a DaemonSet of AKS that is not Cilium", AKS, "azure-cns\tcilium\n"],
  ["a cluster with neither nodes nor DaemonSets", "", ""],
])("%s is taken", (_, nodes, daemonSets) => {
  expect(judged(nodes, daemonSets)).toBeUndefined();
});
