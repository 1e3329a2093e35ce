import { at, calledIn, isTree, kindOf, listAt, type Resource, type Tree, textAt } from "../resource.ts";
import { chartPieces, isChart, releasePieces } from "./charts.ts";
import { askedReleases } from "./gitOps.ts";
import { containerOptions, mapOptions, type Options } from "./options.ts";
import { textsIn } from "./texts.ts";
import { imageVersion, type Version } from "./versions.ts";

/** Something in a stack or cluster that decides how Cilium encrypts. */
export interface CiliumPiece {
  kind: "cilium";
  /** What it is, for people: `Helm release cilium`. */
  what: string;
  /** The whole configuration of the agents; or a part, which overrides the rest for some or all of them. */
  extent: "whole" | "part";
  options: Options;
  /** Where the agents are told to take their configuration from (`cilium-dbg build-config --source`), as far as this says. */
  sources?: () => string | undefined;
  /** Of what runs the agents: which version. */
  version?: () => Version;
  /** Of a release: what the chart is given; its name in a chart of charts; and which values could not be read. */
  helm?: { values: Tree; inner?: string; unread?: string };
  /** Of what runs the agents: whether a change of configuration restarts them. Absent where this does not say. */
  rollout?: { values: Tree } | { object: Tree };
}

/** A Secret that holds the IPsec keys. */
export interface KeysPiece {
  kind: "keys";
  what: string;
  /**
   * The text that agents read; undefined where there is none that could be Cilium's. Read by the rules of keys alone: it may be unknown, or encrypted in a
   * state. Never to be repeated in a message.
   */
  line: () => string | undefined;
  /** It has the name that the chart looks for, so that a text which is no key line is a fault. */
  isNamed: boolean;
  metadata: Tree;
}

/** Any ConfigMap, Helm value or agent's environment that people may mistake for a place of keys. */
export interface TextPiece {
  kind: "texts";
  what: string;
  /** Everything in it, by path. What cannot be read throws, after all else. */
  texts: () => Iterable<[path: string, text: string]>;
}

export type Piece = CiliumPiece | KeysPiece | TextPiece;

/** What a resource says of Cilium; empty where it is about something else. */
export function piecesOf(resource: Resource): Piece[] {
  if (isChart(resource)) return chartPieces(resource);
  const asked = askedReleases(resource);
  if (asked.length > 0)
    return asked.flatMap((release) =>
      releasePieces(
        release,
        release.unread.map((unread) => ({ unread })),
      ),
    );
  const object = kindOf(resource);
  switch (object?.kind) {
    case "ConfigMap":
      return ofConfigMap(calledIn(resource), resource.props, object.isPatch);
    case "Secret":
      return ofSecret(calledIn(resource), resource.props);
    case "CiliumNodeConfig":
      return [part(`CiliumNodeConfig ${calledIn(resource)}`, mapOptions(at(resource.props, "spec", "defaults")))];
    case "DaemonSet":
      return ofDaemonSet(calledIn(resource), resource.props, object.isPatch);
    default:
      return [];
  }
}

function part(what: string, options: Options): CiliumPiece {
  return { kind: "cilium", what, extent: "part", options };
}

function ofConfigMap(called: string, props: Tree, isPatch: boolean): Piece[] {
  const what = `ConfigMap ${called}`;
  const texts: TextPiece = { kind: "texts", what, texts: () => textsIn(at(props, "data"), "data") };
  if (called !== "cilium-config") return [texts];
  const options = mapOptions(at(props, "data"));
  return [{ kind: "cilium", what, extent: isPatch ? "part" : "whole", options }, texts];
}

/** The name is a setting of the chart, so any Secret with a key line counts. */
function ofSecret(called: string, props: Tree): Piece[] {
  const isNamed = called === "cilium-ipsec-keys";
  if (!isNamed && !holdsKeys(props)) return [];
  const line = (): string | undefined => {
    const entry = entryOf(props);
    const encoded = textAt(props, "data", entry);
    const text = textAt(props, "stringData", entry) ?? (encoded && Buffer.from(encoded, "base64").toString());
    return isNamed || /^\d+\+? \S+\(/.test(text ?? "") ? text : undefined;
  };
  const metadata = at(props, "metadata");
  return [{ kind: "keys", what: `Secret ${called}`, line, isNamed, metadata: isTree(metadata) ? metadata : {} }];
}

/** Which entry holds the keys: the chart's `encryption.ipsec.keyFile` may call it otherwise, and then it is the only one. */
export function entryOf(props: Tree): string {
  const names = ["stringData", "data"].flatMap((where) => Object.keys(Object(at(props, where))));
  return names.length === 1 && names[0] !== undefined ? names[0] : "keys";
}

/** Whether a Secret has an entry of that name. Of one that cannot be read at all nothing says that it is Cilium's. */
function holdsKeys(props: Tree): boolean {
  return ["stringData", "data"].some((where) => {
    try {
      const data = at(props, where);
      return isTree(data) && "keys" in data;
    } catch {
      return false;
    }
  });
}

function ofDaemonSet(called: string, props: Tree, isPatch: boolean): Piece[] {
  const template = at(props, "spec", "template");
  const labelled = textAt(template, "metadata", "labels", "k8s-app") === "cilium";
  if (called !== "cilium" && !labelled) return [];
  const what = `DaemonSet ${called}`;
  const containers = listAt(template, "spec", "containers").filter(isTree);
  const agent = containers.find((container) => textAt(container, "name") === "cilium-agent") ?? containers[0];
  return [
    {
      ...part(what, containerOptions(agent ?? {})),
      sources: () => sourcesIn(template),
      ...(!isPatch && { version: () => imageVersion(textAt(agent, "image")), rollout: { object: props } }),
    },
    { kind: "texts", what, texts: () => textsIn(at(template, "spec"), "spec.template.spec") },
  ];
}

/** The `--source` of the init container that writes the agents' configuration. */
function sourcesIn(template: unknown): string | undefined {
  const words = listAt(template, "spec", "initContainers").flatMap((container) =>
    [...listAt(container, "command"), ...listAt(container, "args")].map(String),
  );
  return words.find((word) => word.startsWith("--source="))?.slice("--source=".length);
}
