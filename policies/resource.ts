/** A resource as a policy sees it. In a preview some of `props` may be unknown: reading such a part throws, so nothing is read that is not needed. */
export interface Resource {
  /** Pulumi's type token, `kubernetes:core/v1:ConfigMap`. */
  type: string;
  /** Pulumi's URN; of a manifest that no stack manages, a name for people. */
  urn: string;
  /** Its logical name. */
  name: string;
  /** Inputs, secrets unwrapped: never to be repeated in a message. */
  props: Tree;
  /** URN of the provider that manages it, where it has one of its own. */
  provider?: string | undefined;
  /** URN of the resource that it is a part of. */
  parent?: string | undefined;
  /** URNs of the resources that its inputs come from (`propertyDependencies` in a state); what it only waits for is not among them. */
  dependencies?: readonly string[];
  /** URNs of all that it waits for. Tells of a provider which cluster it is for, where its inputs do not. */
  waitsFor?: readonly string[];
  /** What is in the `valueYamlFiles` of a Helm release, as long as they are not merged into its values. */
  valueFiles?: readonly ValueFile[];
}

/** A file of Helm values; or why it cannot be read. */
export type ValueFile = { values: Tree } | { unread: string };

/** Thrown by a part of a resource that is there and cannot be read, such as a secret that a state holds encrypted. What rests on it is undecided. */
export class UnreadError extends Error {
  override readonly name = "UnreadError";
}

export type Tree = Record<string, unknown>;

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The part of a tree at a path of names; undefined where it ends before. Reads nothing beside the path. */
export function at(tree: unknown, ...path: string[]): unknown {
  let part = tree;
  for (const name of path) {
    // By `in`, which asks nothing of a part that is unknown; inherited names are nobody's settings.
    if (!isTree(part) || !(name in part) || name in Object.prototype) return undefined;
    part = part[name];
  }
  return part;
}

/** The text at a path; undefined where there is none. */
export function textAt(tree: unknown, ...path: string[]): string | undefined {
  const value = at(tree, ...path);
  return typeof value === "string" ? value : undefined;
}

/** The list at a path; empty where there is none. */
export function listAt(tree: unknown, ...path: string[]): unknown[] {
  const value = at(tree, ...path);
  return Array.isArray(value) ? value : [];
}

/** The kind of a Kubernetes object, and whether it is a patch of one; undefined for any other resource. */
export function kindOf({ type }: Pick<Resource, "type">): { kind: string; isPatch: boolean } | undefined {
  const [, kind, patch] = /^kubernetes:[^:]+:(\w+?)(Patch)?$/.exec(type) ?? [];
  return kind === undefined ? undefined : { kind, isPatch: patch !== undefined };
}

/** What a Kubernetes object is called in its cluster; its logical name where it has not got one yet. */
export function calledIn({ name, props }: Pick<Resource, "name" | "props">): string {
  return textAt(props, "metadata", "name") ?? name;
}

/** The tree under a name, put there where there is none yet. */
export function treeAt(tree: Tree, name: string): Tree {
  if (!isTree(tree[name])) tree[name] = {};
  return tree[name] as Tree;
}
