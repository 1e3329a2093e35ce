import { at, isTree, listAt, type Resource, type Tree, textAt } from "../resource.ts";
import { helmOptions } from "./helm.ts";
import { containerOptions, mapOptions, type Options } from "./options.ts";
import { exactVersion } from "./versions.ts";

/** Something in a stack or cluster that decides how Cilium encrypts. */
export interface CiliumPiece {
  kind: "cilium";
  /** What it is, for people: `Helm release cilium`. */
  what: string;
  /** The whole configuration of the agents; or a part, which overrides the rest for some or all of them. */
  extent: "whole" | "part";
  options: Options;
  /** Of a release: what the chart is given, and its version where that is exact. */
  helm?: { values: Tree; version: string | undefined };
  /** Of the DaemonSet: the annotations of its pods. */
  podAnnotations?: Tree;
}

/** The Secret that holds the IPsec keys. */
export interface KeysPiece {
  kind: "keys";
  what: string;
  /** The text that agents read; undefined where there is none. Read by the rules of keys alone: it may be unknown, or encrypted in a state. Never to be repeated in a message. */
  line: () => string | undefined;
  annotations: Tree;
}

/** Any ConfigMap or Helm value that people may mistake for a place of keys. */
export interface TextPiece {
  kind: "texts";
  what: string;
  /** Everything in it, by path. */
  texts: () => [path: string, text: string][];
}

export type Piece = CiliumPiece | KeysPiece | TextPiece;

/** What a resource says of Cilium; empty where it is about something else. */
export function piecesOf({ type, name, props }: Resource): Piece[] {
  if (isChart(type)) return ofChart(type, name, props);
  const kind = /^kubernetes:[^:]+:(\w+?)(?:Patch)?$/.exec(type)?.[1];
  const called = textAt(props, "metadata", "name") ?? name;
  switch (kind) {
    case "ConfigMap":
      return ofConfigMap(called, props);
    case "Secret":
      return ofSecret(called, props);
    case "CiliumNodeConfig":
      return [part(`CiliumNodeConfig ${called}`, mapOptions(at(props, "spec", "defaults")))];
    case "DaemonSet":
      return ofDaemonSet(called, props);
    default:
      return [];
  }
}

function isChart(type: string): boolean {
  return ["kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v3:Chart", "kubernetes:helm.sh/v4:Chart"].includes(type);
}

function part(what: string, options: Options): CiliumPiece {
  return { kind: "cilium", what, extent: "part", options };
}

function ofConfigMap(called: string, props: Tree): Piece[] {
  const what = `ConfigMap ${called}`;
  const texts: TextPiece = { kind: "texts", what, texts: () => textsIn(at(props, "data"), "data") };
  if (called !== "cilium-config") return [texts];
  return [{ kind: "cilium", what, extent: "whole", options: mapOptions(at(props, "data")) }, texts];
}

function ofSecret(called: string, props: Tree): Piece[] {
  const line = (): string | undefined => {
    const encoded = textAt(props, "data", "keys");
    return textAt(props, "stringData", "keys") ?? (encoded && Buffer.from(encoded, "base64").toString());
  };
  if (called !== "cilium-ipsec-keys" && !looksLikeKeys(line)) return [];
  const annotations = at(props, "metadata", "annotations");
  return [{ kind: "keys", what: `Secret ${called}`, line, annotations: isTree(annotations) ? annotations : {} }];
}

/** The name is a setting of the chart, so any Secret with a key line counts. Of one that cannot be read nothing says that it is Cilium's. */
function looksLikeKeys(line: () => string | undefined): boolean {
  try {
    return /^\d+\+? \S+\(/.test(line() ?? "");
  } catch {
    return false;
  }
}

function ofDaemonSet(called: string, props: Tree): Piece[] {
  const template = at(props, "spec", "template");
  const labelled = textAt(template, "metadata", "labels", "k8s-app") === "cilium";
  if (called !== "cilium" && !labelled) return [];
  const containers = listAt(template, "spec", "containers").filter(isTree);
  const agent = containers.find((container) => textAt(container, "name") === "cilium-agent") ?? containers[0];
  const annotations = at(template, "metadata", "annotations");
  return [
    {
      ...part(`DaemonSet ${called}`, containerOptions(agent ?? {})),
      podAnnotations: isTree(annotations) ? annotations : {},
    },
  ];
}

function ofChart(type: string, name: string, props: Tree): Piece[] {
  const chart = textAt(props, "chart");
  // Some of Pulumi's Chart components keep their arguments to themselves: then what they render is judged, each object by itself.
  if (chart === undefined) return [];
  const release = textAt(props, "name") ?? name;
  const given = at(props, "values");
  const values = isTree(given) ? given : {};
  const what = `Helm ${type.endsWith("Release") ? "release" : "chart"} ${release}`;
  const texts: TextPiece = { kind: "texts", what, texts: () => textsIn(values, "values") };
  if (isCiliumChart(chart) || release === "cilium" || looksLikeCilium(values)) {
    const version = exactVersion(textAt(props, "version") ?? versionIn(chart));
    return [{ ...ciliumOf(what, values, version) }, texts];
  }
  // A chart of charts, in which Cilium's may go by another name.
  const inner = Object.keys(values).flatMap((key): Piece[] => {
    const block = values[key];
    if (!isTree(block) || !(key === "cilium" || looksLikeCilium(block))) return [];
    return [ciliumOf(`${what}, its chart ${key}`, block, undefined)];
  });
  return inner.length > 0 ? [...inner, texts] : [];
}

function ciliumOf(what: string, values: Tree, version: string | undefined): CiliumPiece {
  return { kind: "cilium", what, extent: "whole", options: helmOptions(values, version), helm: { values, version } };
}

/** A name, a path, an address or an archive of the chart: `cilium`, `mirror/cilium`, `oci://quay.io/cilium/charts/cilium:1.20.2`, `cilium-1.20.2.tgz`. */
function isCiliumChart(chart: string): boolean {
  return /(^|\/)cilium([-:@]v?\d[^/]*|@sha256:[^/]*|\.tgz)?\/?$/.test(chart);
}

function versionIn(chart: string): string | undefined {
  return /cilium[-:]v?(\d[^/@]*?)(?:\.tgz)?(?:@|\/|$)/.exec(chart)?.[1];
}

/** Values that Cilium's chart alone has: two of them are no accident, under whatever name a mirror keeps it. */
const OWN_VALUES = [
  "kubeProxyReplacement",
  "routingMode",
  "tunnelProtocol",
  "hubble",
  "rollOutCiliumPods",
  "ipv4NativeRoutingCIDR",
  "k8sServiceHost",
  "autoDirectNodeRoutes",
  "clustermesh",
  "l7Proxy",
  "bpf",
  "ipam",
  "encryption",
];

function looksLikeCilium(values: Tree): boolean {
  return OWN_VALUES.filter((name) => name in values).length >= 2;
}

/** Every text in a tree, with its path. */
function textsIn(value: unknown, path: string): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value).flatMap((key) => textsIn((value as Tree)[key], `${path}.${key}`));
}
