import { at, isTree, type Resource, type Tree, textAt, UnreadError, type ValueFile } from "../resource.ts";
import type { AskedRelease } from "./gitOps.ts";
import { helmOptions, rendersConfig } from "./helm.ts";
import type { CiliumPiece, Piece, TextPiece } from "./pieces.ts";
import { textsIn } from "./texts.ts";
import { overFiles } from "./valueFiles.ts";
import { chartVersion, type Version } from "./versions.ts";

/** Whether a resource is a Helm chart, under any of Pulumi's types for one. */
export function isChart({ type }: Pick<Resource, "type">): boolean {
  return ["kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v3:Chart", "kubernetes:helm.sh/v4:Chart"].includes(type);
}

/** What a chart of Pulumi's says of Cilium; empty where it is another. */
export function chartPieces({ type, name, props, valueFiles = [] }: Resource): Piece[] {
  const chart = textAt(props, "chart");
  // Some of Pulumi's Chart components keep their arguments to themselves: then what they render is judged, each object by itself.
  if (chart === undefined) return [];
  const release = textAt(props, "name") ?? name;
  const what = `Helm ${type.endsWith("Release") ? "release" : "chart"} ${release}`;
  const values = at(props, "values");
  const version = textAt(props, "version");
  return releasePieces({ what, name: release, chart, version, values: isTree(values) ? values : {} }, valueFiles);
}

/** What a release of a chart says of Cilium. */
export function releasePieces(
  { what, name: release, chart, version, values: own }: Omit<AskedRelease, "unread">,
  valueFiles: readonly ValueFile[],
): Piece[] {
  const read = overFiles(
    own,
    valueFiles.filter((file) => "values" in file),
  );
  const values = overFiles(own, valueFiles);
  const unread = valueFiles.flatMap((file) => ("unread" in file ? [file.unread] : []))[0];
  const texts: TextPiece = { kind: "texts", what, texts: () => textsOf(read, unread) };
  const isCilium = isCiliumChart(chart) || looksLikeCilium(read);
  // A chart of charts, in which Cilium's may go by another name; its own Chart.yaml tells the version. Cilium's has no value of its own name.
  const names = "cilium" in read ? ["cilium"] : isCilium ? [] : Object.keys(read).filter((key) => isBlock(read, key));
  const inner = names.flatMap((key): Piece[] => {
    const block = at(values, key);
    if (!isTree(block)) return [];
    return [
      ciliumOf(`${what}, its chart ${key}`, { values: block, inner: key, ...(unread && { unread }) }, () => ({})),
    ];
  });
  if (inner.length > 0) return [...inner, texts];
  if (!isCilium && release !== "cilium") return [];
  const piece = ciliumOf(what, { values, ...(unread && { unread }) }, () => chartVersion(chart, version));
  return rendersConfig(read) ? [piece, texts] : [texts];
}

function ciliumOf(what: string, helm: NonNullable<CiliumPiece["helm"]>, version: () => Version): CiliumPiece {
  const { values } = helm;
  return {
    ...{ kind: "cilium", what, extent: "whole", options: helmOptions(values, version), version, helm },
    sources: () => textAt(values, "daemon", "configSources"),
    rollout: { values },
  };
}

function* textsOf(values: Tree, unread: string | undefined): Generator<[string, string]> {
  yield* textsIn(values, "values");
  if (unread) throw new UnreadError(unread);
}

/** A name, a path, an address or an archive of the chart: `cilium`, `mirror/cilium`, `oci://quay.io/cilium/charts/cilium:1.20.2`, `cilium-1.20.2.tgz`. */
function isCiliumChart(chart: string): boolean {
  return /(^|\/)cilium([-:@]v?\d[^/]*|@sha256:[^/]*|\.tgz)?\/?$/.test(chart);
}

/** Values that Cilium's chart alone has, and values that others may have too. */
const OWN = [
  "kubeProxyReplacement",
  "routingMode",
  "tunnelProtocol",
  "hubble",
  "rollOutCiliumPods",
  "ipv4NativeRoutingCIDR",
  "autoDirectNodeRoutes",
  "clustermesh",
  "l7Proxy",
];
const SHARED = ["k8sServiceHost", "bpf", "ipam", "encryption", "operator", "cni"];

/** Whether Cilium's values lie under a name. Of values that are unknown nothing says that they are. */
function isBlock(values: Tree, name: string): boolean {
  try {
    const block = values[name];
    return isTree(block) && looksLikeCilium(block);
  } catch {
    return false;
  }
}

/** One value of its own and another beside it are no accident, under whatever name a mirror keeps the chart. */
function looksLikeCilium(values: Tree): boolean {
  const own = OWN.filter((name) => name in values);
  return own.length > 0 && own.length + SHARED.filter((name) => name in values).length >= 2;
}
