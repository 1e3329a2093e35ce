import type { KindSettings } from "../settings.ts";

/**
 * A node image of kind 0.33.0, from its release notes; not its default, which is Kubernetes 1.37, since Cilium 1.20 is tested up to 1.36.
 * By digest, since a tag may be built anew for another kind.
 */
export const NODE_IMAGE =
  "kindest/node:v1.35.8@sha256:07b2536e30b803ed61d1677a79df6115f798ce64c80f9e22f6ed45afd09323c0";

/**
 * Where agents find a boot id of their node's own (Helm value `extraConfig.boot-id-file`). On kind the kernel's is the host's and so the
 * same on all nodes (cilium/cilium#35951). In the agent it is the node's /run/cilium, mounted as /var/run/cilium by the chart.
 */
export const BOOT_ID_FILE = "/var/run/cilium/boot_id";

/** What identifies a kind cluster: kind changes nothing of it once the cluster stands. */
export interface KindSpec {
  name: string;
  workers: number;
  podCidr: string;
  serviceCidr: string;
  image: string;
  kubeProxyMode: "iptables" | "none";
}

/** The spec for these settings, defaults in place. */
export function kindSpec(cluster: KindSettings, kubeProxyReplacement: boolean): KindSpec {
  const { name, workers, podCidr, serviceCidr, image = NODE_IMAGE } = cluster;
  return { name, workers, podCidr, serviceCidr, image, kubeProxyMode: kubeProxyReplacement ? "none" : "iptables" };
}

/** The names that kind gives to the nodes (and their containers) of a cluster with one control plane. */
export function kindNodeNames({ name, workers }: Pick<KindSpec, "name" | "workers">): string[] {
  const nth = (index: number) => (index === 0 ? `${name}-worker` : `${name}-worker${index + 1}`);
  return [`${name}-control-plane`, ...Array.from({ length: workers }, (_, index) => nth(index))];
}
