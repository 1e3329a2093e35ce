import { parseAllDocuments } from "yaml";
import { isTree, type Resource, type Tree, textAt } from "./resource.ts";

/** The objects in a text of YAML documents. Helm may write a key twice; the last one holds. Throws an Error where it is no YAML. */
export function manifestResources(text: string): Resource[] {
  return parseAllDocuments(text, { uniqueKeys: false, merge: true }).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw error;
    return resourcesOfManifest(document.toJS());
  });
}

/** A Kubernetes object as the resource that Pulumi would make of it; a List becomes its items. What is no object is left out. */
export function resourcesOfManifest(object: unknown): Resource[] {
  if (!isTree(object)) return [];
  const [kind, version] = [textAt(object, "kind"), textAt(object, "apiVersion")];
  if (kind === undefined || version === undefined) return [];
  if (kind.endsWith("List") && Array.isArray(object.items)) return object.items.flatMap(resourcesOfManifest);
  const group = version.includes("/") ? version : `core/${version}`;
  const name = textAt(object, "metadata", "name") ?? "";
  const namespace = textAt(object, "metadata", "namespace");
  return [
    {
      type: `kubernetes:${group}:${kind}`,
      urn: `${kind} ${namespace ? `${namespace}/` : ""}${name}`,
      name,
      props: object as Tree,
    },
  ];
}
