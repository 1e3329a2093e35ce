import { ciliumIn, clustersOf } from "../clusters/clusters.ts";
import { type Taint, taintsOf } from "../clusters/nodeGroups.ts";
import type { Breach, Rule } from "../rule.ts";
import { inEach } from "../undecided.ts";

/** What agents take away once they run; the chart's default of `agentNotReadyTaintKey`. */
const NOT_READY = "node.cilium.io/agent-not-ready";

/** No pod is on a node before Cilium is. */
export const nodesWaitForCilium: Rule = {
  name: "nodes-wait-for-cilium",
  title: "Nodes take no pod before Cilium runs on them",
  description:
    "Each node group of a cluster with Cilium, on EKS and GKE, starts its nodes with the taint that Cilium takes away once it runs there: a pod that comes before gets its network from another CNI where there is one, and sends in clear.",
  level: "mandatory",
  severity: "medium",
  supports: [{ framework: "NIST SP 800-53r5", clause: "SC-7" }],
  remediation: [
    `Give the node group the taint ${NOT_READY}, value true, effect NO_EXECUTE (NO_SCHEDULE where something else has to start first).`,
    "With another agentNotReadyTaintKey in Cilium's values: that one.",
  ],
  exemptBy: "cluster",
  url: "https://docs.cilium.io/en/stable/installation/taints/",
  checkAll: (resources) =>
    inEach(clustersOf(resources), function* ({ name, contents }): Generator<Breach> {
      const groups = contents.flatMap((group) => {
        const taints = taintsOf(group);
        return taints ? [{ group, taints }] : [];
      });
      if (groups.length === 0) return;
      const keys = [...ciliumIn(contents)].map((options) => options.get("agent-not-ready-taint-key") ?? NOT_READY);
      if (keys.length === 0) return;
      for (const { group, taints } of groups) {
        if (taints.some((taint) => keepsOff(taint, keys))) continue;
        const message = `Node group ${group.name}: its nodes have no taint ${keys.join(" or ")}, so pods start on them before Cilium does`;
        yield { message, urn: group.urn, cluster: name };
      }
    }),
};

/** PREFER_NO_SCHEDULE keeps nothing off where there is no other node. */
function keepsOff({ key, effect }: Taint, keys: readonly string[]): boolean {
  return key !== undefined && keys.includes(key) && (effect === "NO_EXECUTE" || effect === "NO_SCHEDULE");
}
