import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CiliumSettings } from "../settings.ts";

/** Where Helm finds the Cilium chart: the arguments of a `helm.v3.Release`. */
export interface ChartReference {
  /** Chart name in a repository, `oci://` reference, or absolute path. */
  chart: string;
  /** Pinned version; absent for a local chart, whose version is in its Chart.yaml. */
  version?: string;
  repositoryOpts?: { repo: string };
}

/** Reads `cilium.chart` (see CiliumSettings) into what Helm takes. `exists` is a parameter for tests. */
export function chartReference(
  cilium: Pick<CiliumSettings, "chart" | "version">,
  exists: (path: string) => boolean = existsSync,
): ChartReference {
  const { chart, version } = cilium;
  if (chart.startsWith("oci://")) return { chart, version };
  if (/^https?:\/\//.test(chart)) return { chart: "cilium", version, repositoryOpts: { repo: chart } };
  if (chart.endsWith(".tgz") || exists(join(chart, "Chart.yaml"))) return { chart };
  return { chart: join(chart, `cilium-${version}.tgz`) };
}
