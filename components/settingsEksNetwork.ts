import type { CiliumSettings } from "./settings.ts";
import type { EksNetwork } from "./settingsEks.ts";
import { about, remove } from "./settingsFields.ts";
import type { Problem } from "./userError.ts";

/** What each network mode decides of Cilium. */
const DECIDED: Readonly<
  Record<EksNetwork, Pick<CiliumSettings, "routing" | "ipam"> & Partial<Pick<CiliumSettings, "kubeProxyReplacement">>>
> = {
  eni: { routing: "native", ipam: "eni" },
  overlay: { routing: "tunnel", ipam: "cluster-pool" },
  chaining: { routing: "native", ipam: "chained", kubeProxyReplacement: false },
};

/** Cilium's settings with what the cluster's network mode decides of them. */
export function decidedBy(network: EksNetwork, cilium: CiliumSettings): CiliumSettings {
  const { nativeCidr: _, ...rest } = cilium;
  return { ...rest, ...DECIDED[network] };
}

/** What config sets though the network mode has decided it otherwise. Of the config as it is written: defaults contradict nothing. */
export function contradictions(raw: Readonly<Record<string, unknown>>): Problem[] {
  const { provider, network = "eni", podCidr } = objectAt(raw, "cluster");
  if (provider !== "eks" || !isNetwork(network)) return [];
  const cilium = objectAt(raw, "cilium");
  const decided: Record<string, unknown> = DECIDED[network];
  const ofCilium = ["routing", "ipam", "kubeProxyReplacement"]
    .filter((part) => part in decided && cilium[part] !== undefined && cilium[part] !== decided[part])
    .map((part) => contradiction(`cilium.${part}`, cilium[part], network, allowed(decided[part])));
  const without = [
    ...(cilium.nativeCidr !== undefined ? [["cilium.nativeCidr", cilium.nativeCidr] as const] : []),
    ...(cilium.tunnel !== undefined && network !== "overlay" ? [["cilium.tunnel", cilium.tunnel] as const] : []),
    ...(podCidr !== undefined && network !== "overlay" ? [["cluster.podCidr", podCidr] as const] : []),
  ];
  return [...ofCilium, ...without.map(([path, value]) => contradiction(path, value, network))];
}

/** The decided value, where config could say it too. */
function allowed(decided: unknown): string | undefined {
  return decided === "eni" || decided === "chained" ? undefined : String(decided);
}

function contradiction(path: string, value: unknown, network: EksNetwork, decided?: string): Problem {
  const why =
    path === "cilium.kubeProxyReplacement"
      ? // Cilium's own tests of chaining (conformance-aws-cni.yaml) do not replace kube-proxy either.
        "Amazon's CNI reaches the API server by way of kube-proxy"
      : network === "overlay"
        ? "pods have addresses of their own range, in a tunnel between the nodes"
        : "pods have addresses of the VPC, which routes them";
  return {
    ...about(path, value),
    message: `The network mode decides this: with wirecloak:cluster.network ${network} ${why}.`,
    allowed: decided === undefined ? "no value" : `${decided}, or no value`,
    fix: remove(path),
  };
}

function isNetwork(value: unknown): value is EksNetwork {
  return typeof value === "string" && Object.hasOwn(DECIDED, value);
}

function objectAt(raw: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  const value = raw[name];
  return typeof value === "object" && value !== null ? { ...value } : {};
}
