import type { KindSettings, RehearsalSettings } from "../settings.ts";
import { type KindSpec, kindSpec } from "./kindSpec.ts";

/** What identifies a rehearsal cluster. Its workers do not: they come and go in place. */
export type RehearsalIdentity = Pick<RehearsalSettings, "name" | "podCidr" | "serviceCidr">;

/** The settings of a cluster whose change replaces it, with defaults in place. */
export function identityOf(cluster: KindSettings, kubeProxyReplacement: boolean): KindSpec;
export function identityOf(cluster: RehearsalSettings): RehearsalIdentity;
export function identityOf(
  cluster: KindSettings | RehearsalSettings,
  kubeProxyReplacement = true,
): KindSpec | RehearsalIdentity {
  if (cluster.provider === "kind") return kindSpec(cluster, kubeProxyReplacement);
  const { name, podCidr, serviceCidr } = cluster;
  return { name, podCidr, serviceCidr };
}

/** One setting whose change replaces a cluster. */
export interface Replacement {
  /** The setting's config key, `wirecloak:cluster.workers`. */
  setting: string;
  from: unknown;
  to: unknown;
}

/** Config key of each part of an identity; the others are named like their setting. */
const SETTING_OF: Record<string, string> = { kubeProxyMode: "wirecloak:cilium.kubeProxyReplacement" };

/** The settings by which `wanted` replaces a cluster that was made as `made`. What `made` does not tell is taken as unchanged. */
export function replacementOf(made: object, wanted: KindSpec | RehearsalIdentity): Replacement[] {
  const before = new Map<string, unknown>(Object.entries(made));
  return Object.entries(wanted).flatMap(([part, to]) => {
    const from = before.has(part) ? before.get(part) : to;
    return from === to ? [] : [{ setting: SETTING_OF[part] ?? `wirecloak:cluster.${part}`, from, to }];
  });
}
