import type { EksSettings, NodeGroupSettings } from "../../settings.ts";
import { isArm } from "../../settingsEksChecks.ts";

/** Keeps pods off a node until Cilium runs there; agents take it away (Cilium's documentation, "Considerations on Node Pool Taints and Unmanaged Pods"). */
const NOT_READY = { key: "node.cilium.io/agent-not-ready", value: "true", effect: "NO_EXECUTE" };

/** Tags of everything of a cluster. */
export function tagsOf({ name, tags }: Pick<EksSettings, "name" | "tags">): Record<string, string> {
  return { ...tags, "wirecloak:cluster": name };
}

/** What a node group is asked for, but for what only AWS knows. */
export function nodeGroupSpec({ kubernetes }: Pick<EksSettings, "kubernetes">, group: NodeGroupSettings) {
  const { nodes, min = nodes, max = nodes, instanceTypes, spot, labels } = group;
  return {
    amiType: instanceTypes.some(isArm) ? "AL2023_ARM_64_STANDARD" : "AL2023_x86_64_STANDARD",
    version: kubernetes,
    instanceTypes,
    capacityType: spot ? "SPOT" : "ON_DEMAND",
    // AWS takes no maximum of 0.
    scalingConfig: { desiredSize: nodes, minSize: min, maxSize: Math.max(max, 1) },
    updateConfig: { maxUnavailable: 1 },
    labels,
    taints: [NOT_READY],
  };
}

/** Whether something else may move the number of nodes: then an update must not move it back. */
export function isScaled({ nodes, min = nodes, max = nodes }: NodeGroupSettings): boolean {
  return min < max;
}

/** What each node is started with. */
export function launchTemplateSpec(cluster: Pick<EksSettings, "name" | "tags" | "network">, group: NodeGroupSettings) {
  const tags = { ...tagsOf(cluster), Name: `${cluster.name}-node` };
  return {
    // Only the node itself and what runs in its own network may ask for the node's credentials: a pod is one hop further.
    metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
    blockDeviceMappings: [
      {
        deviceName: "/dev/xvda",
        ebs: { volumeSize: group.diskGiB, volumeType: "gp3", encrypted: "true", deleteOnTermination: "true" },
      },
    ],
    tagSpecifications: ["instance", "volume", "network-interface"].map((resourceType) => ({ resourceType, tags })),
    ...(cluster.network === "overlay" && { userData: Buffer.from(OVERLAY_NODE).toString("base64") }),
  };
}

/** Else EKS lets a node have only as many pods as the VPC has addresses for it, which an overlay does not need. */
const OVERLAY_NODE = [
  "MIME-Version: 1.0",
  'Content-Type: multipart/mixed; boundary="//"',
  "",
  "--//",
  "Content-Type: application/node.eks.aws",
  "",
  "apiVersion: node.eks.aws/v1alpha1",
  "kind: NodeConfig",
  "spec:",
  "  kubelet:",
  "    config:",
  "      maxPods: 110",
  "--//--",
  "",
].join("\n");
