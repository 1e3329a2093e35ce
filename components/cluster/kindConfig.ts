import { stringify } from "yaml";
import { type KindSpec, kindNodeNames } from "./kindSpec.ts";

/** kind's config file for a cluster. `bootIds` is the folder with one boot id file a node, named like the node. */
export function kindConfig(spec: KindSpec, bootIds: string): string {
  return stringify({
    kind: "Cluster",
    apiVersion: "kind.x-k8s.io/v1alpha4",
    name: spec.name,
    networking: {
      disableDefaultCNI: true,
      kubeProxyMode: spec.kubeProxyMode,
      podSubnet: spec.podCidr,
      serviceSubnet: spec.serviceCidr,
    },
    nodes: kindNodeNames(spec).map((node, index) => ({
      role: index === 0 ? "control-plane" : "worker",
      image: spec.image,
      // /run in a kind node is a tmpfs of its container, so a file written there would be gone after a restart. Docker mounts by depth:
      // the tmpfs first, then this file into it, at each start; and the agent's hostPath mount of /run/cilium brings it along.
      // Like the host's own id under kind, it outlives a restart of the node's container.
      extraMounts: [{ hostPath: `${bootIds}/${node}`, containerPath: "/run/cilium/boot_id", readOnly: true }],
    })),
  });
}
