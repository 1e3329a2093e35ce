import { type Cluster, clustersOf, isEncrypted, reachSame } from "../clusters/clusters.ts";
import { ALLOW_PLAINTEXT_SCHEMA, plaintextGrace } from "../exemption.ts";
import type { Breach, Rule } from "../rule.ts";
import { inEach } from "../undecided.ts";

/** No cluster is left out: each gets an encrypted Cilium, or encrypts by itself. */
export const clusterEncrypted: Rule = {
  name: "cluster-encrypted",
  title: "Every cluster of the stack is encrypted",
  description:
    "Through each Kubernetes provider, and for each cluster of a cloud, the stack installs a Cilium that encrypts; or the cloud does: GKE Dataplane V2 with inter-node transparent encryption, AKS with WireGuard of Advanced Container Networking Services. Both of these cover what pods send from node to node, and nothing of the nodes themselves.",
  level: "mandatory",
  severity: "critical",
  supports: [
    { framework: "PCI DSS 4.0.1", clause: "4.2.1" },
    { framework: "NIST SP 800-53r5", clause: "SC-8, SC-8(1)" },
    { framework: "HIPAA", clause: "164.312(e)(1)" },
    { framework: "ISO 27001:2022", clause: "A.8.24, A.8.20" },
    { framework: "SOC 2", clause: "CC6.7" },
    { framework: "CIS Controls v8", clause: "3.10" },
  ],
  remediation: [
    "Install Cilium with encryption through the cluster's provider, or turn on the cloud's own.",
    "A stack that only deploys applications has nothing to install: its cluster is exempt there, since another stack sees to it.",
  ],
  exemptBy: "cluster",
  url: "https://docs.cilium.io/en/stable/security/network/encryption/",
  options: { allowPlaintext: ALLOW_PLAINTEXT_SCHEMA },
  checkAll: (resources, config, where) => {
    const grace = plaintextGrace(config, where);
    if (grace?.isValid) return [];
    const clusters = clustersOf(resources);
    return inEach(clusters, (cluster): Breach[] => {
      if (!cluster.of || cluster.cloud?.encrypts?.(cluster.of.props) || isEncrypted(cluster.contents)) return [];
      if (clusters.some((other) => other !== cluster && isSame(cluster, other) && isEncrypted(other.contents)))
        return [];
      const { urn, name } = cluster.of;
      return [{ urn, cluster: name, message: `${messageOf(cluster)}${grace?.ended ?? ""}` }];
    });
  },
};

/** Two providers may reach one cluster that is there already. */
function isSame({ cloud, providers: [one] }: Cluster, { cloud: otherCloud, providers: [other] }: Cluster): boolean {
  return !cloud && !otherCloud && one !== undefined && other !== undefined && reachSame(one, other);
}

function messageOf({ name, cloud, providers }: Cluster): string {
  if (!cloud) return `Kubernetes provider ${name}: nothing that goes through it is a Cilium that encrypts`;
  return `${cloud.what} ${name}: ${
    providers.length > 0
      ? "nothing that goes through its Kubernetes providers is a Cilium that encrypts"
      : "the stack has no Kubernetes provider for it that could install a Cilium that encrypts"
  }`;
}
