import { parseAllDocuments } from "yaml";
import type { PropertyMap } from "../plugin/values.ts";

/** The output `status` of a release, with the official plugin's names. */
export interface ReleaseStatus extends PropertyMap {
  appVersion: string;
  chart: string;
  name: string;
  namespace: string;
  revision: number;
  status: string;
  version: string;
}

/** What stands in the cluster under a release's name. */
export interface Standing {
  readonly status: ReleaseStatus;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since 1970 of the last change, by helm's clock. */
  readonly changedAt: number;
}

/** Reads what `helm install` and `helm upgrade` print as JSON. */
export function parseRelease(json: string): { status: ReleaseStatus; manifest: string } {
  const release = JSON.parse(json) as {
    name: string;
    namespace: string;
    version: number;
    info: { status: string };
    chart: { metadata: { name: string; version: string; appVersion?: string } };
    manifest?: string;
  };
  const { metadata } = release.chart;
  return {
    status: {
      appVersion: metadata.appVersion ?? "",
      chart: metadata.name,
      name: release.name,
      namespace: release.namespace,
      revision: release.version,
      status: release.info.status,
      version: metadata.version,
    },
    manifest: release.manifest ?? "",
  };
}

/** Reads what `helm get metadata` prints as JSON. */
export function parseMetadata(json: string): Standing {
  const metadata = JSON.parse(json) as ReleaseStatus & { labels?: Record<string, string>; deployedAt?: string };
  const { appVersion, chart, name, namespace, revision, status, version } = metadata;
  return {
    status: { appVersion: appVersion ?? "", chart, name, namespace, revision, status, version },
    labels: metadata.labels ?? {},
    changedAt: Date.parse(metadata.deployedAt ?? "") || 0,
  };
}

/** The names in a manifest by kind, as the official plugin spells them: `DaemonSet.apps/apps/v1: [kube-system/cilium]`. */
export function resourceNames(manifest: string): Record<string, string[]> {
  const names = new Map<string, Set<string>>();
  for (const document of parseAllDocuments(manifest)) {
    const object: unknown = "toJS" in document ? document.toJS() : undefined;
    const { apiVersion, kind, metadata } = (object ?? {}) as {
      apiVersion?: string;
      kind?: string;
      metadata?: { name?: string; namespace?: string };
    };
    if (apiVersion !== undefined && kind !== undefined && metadata?.name !== undefined) {
      const group = apiVersion.includes("/") ? `.${apiVersion.split("/")[0]}` : "";
      const key = `${kind}${group}/${apiVersion}`;
      const name = metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;
      names.set(key, (names.get(key) ?? new Set()).add(name));
    }
  }
  return Object.fromEntries([...names].map(([key, set]) => [key, [...set].sort()]));
}
