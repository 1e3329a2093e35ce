import { detailedDiff } from "../plugin/diff.ts";
import type { DiffKind, DiffResult } from "../plugin/provider.ts";
import { equal, isMap, type PropertyMap, reveal, type Value } from "../plugin/values.ts";
import type { ProviderSettings } from "./providerSettings.ts";

/** Fields that the API server lets nobody change, by kind; a path stands for all below it. */
const immutable: Readonly<Record<string, readonly string[]>> = {
  "apps/v1 DaemonSet": ["spec.selector"],
  "apps/v1 Deployment": ["spec.selector"],
  "apps/v1 StatefulSet": [
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.selector",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "batch/v1 Job": ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
  "rbac.authorization.k8s.io/v1 ClusterRoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/v1 RoleBinding": ["roleRef"],
  "storage.k8s.io/v1 StorageClass": ["parameters", "provisioner"],
  "v1 PersistentVolumeClaim": ["spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"],
  "v1 ResourceQuota": ["spec.scopes"],
  "v1 Secret": ["type"],
  "v1 Service": ["spec.clusterIP"],
};

/** What of a Pod's spec may change; all else is immutable. */
const podMayChange = ["spec.activeDeadlineSeconds", "spec.tolerations"];

/** The annotation that marks a name as made up here, as the official plugin does. */
export const autonamed = "pulumi.com/autonamed";

/**
 * The difference between two sets of inputs, and whether the object is replaced for it. It is deleted first if the new
 * one must have its very name.
 */
export function diffObjects(
  olds: PropertyMap,
  news: PropertyMap,
  settings: Pick<ProviderSettings, "enableSecretMutable" | "enableConfigMapMutable">,
): DiffResult {
  const paths = replacingPaths(news, settings);
  const changed = (path: string) => !equal(at(olds, path), at(news, path));
  const replaces = (path: string) =>
    paths.some((replacing) => isWithin(path, replacing) || (isWithin(replacing, path) && changed(replacing))) ||
    (news.apiVersion === "v1" && news.kind === "Pod" && replacesPod(path));
  const found = Object.entries(detailedDiff(olds, news, () => false));
  const detailed = found.map(([path, kind]): [string, DiffKind] => [
    path,
    replaces(path) ? (`${kind}-replace` as DiffKind) : kind,
  ]);
  const mustReplace = detailed.some(([, kind]) => kind.endsWith("-replace"));
  const sameName = ["metadata.name", "metadata.namespace"].every((path) => !changed(path));
  const madeUp = at(news, "metadata.annotations") as PropertyMap | null;
  return {
    detailed: Object.fromEntries(detailed),
    deleteBeforeReplace: mustReplace && sameName && madeUp?.[autonamed] !== "true",
  };
}

function replacingPaths(
  news: PropertyMap,
  { enableSecretMutable, enableConfigMapMutable }: Parameters<typeof diffObjects>[2],
): string[] {
  const kind = `${String(news.apiVersion)} ${String(news.kind)}`;
  const frozen = news.immutable === true;
  // the official plugin replaces them by default, so that what uses them is replaced too (pulumi-kubernetes#1568)
  const contents =
    (kind === "v1 Secret" && (!enableSecretMutable || frozen)) ||
    (kind === "v1 ConfigMap" && (!enableConfigMapMutable || frozen));
  return [
    ...["metadata.name", "metadata.namespace"],
    ...(immutable[kind] ?? []),
    ...(contents ? ["data", "stringData", "binaryData"] : []),
  ];
}

function replacesPod(path: string): boolean {
  return isWithin(path, "spec") && !podMayChange.some((changing) => isWithin(path, changing));
}

/** Whether a property path is the outer one or lies below it. */
function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);
}

/** The value at a path of plain names; null where there is none. */
function at(map: PropertyMap, path: string): Value {
  return path.split(".").reduce<Value>((value, name) => {
    const inner = reveal(value);
    return isMap(inner) ? (inner[name] ?? null) : null;
  }, map);
}
