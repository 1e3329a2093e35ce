import { readFile } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import { parse } from "yaml";
import { isTree, listAt, type Resource, type Tree, UnreadError, type ValueFile } from "../resource.ts";

/**
 * What is in the files of values that a Helm release names. The provider merges them into `values` and drops them (pulumi-kubernetes, Check);
 * only as long as it cannot, since its cluster is not there yet or something is unknown, a policy sees them.
 * @param folder where the program runs, which paths are meant from; absent: not known
 */
export async function valueFilesOf({ props }: Resource, folder: string | undefined): Promise<ValueFile[]> {
  try {
    return await Promise.all(listAt(props, "valueYamlFiles").map((asset) => readAsset(asset, folder)));
  } catch (error) {
    return [{ unread: `valueYamlFiles: ${(error as Error).message}` }];
  }
}

async function readAsset(proxied: unknown, folder: string | undefined): Promise<ValueFile> {
  // Promises cannot be awaited through the proxies that @pulumi/policy hands out.
  let asset = proxied;
  while (isTree(asset) && asset.__isSpecialProxy) asset = asset.__getSpecialProxyTarget;
  if (!isTree(asset)) return { unread: "valueYamlFiles: a file that is not known yet" };
  const path = await asset.path;
  try {
    const text = typeof path === "string" ? await readLocal(path, folder) : await asset.text;
    if (typeof text !== "string") return { unread: `the values in ${await asset.uri} are not read here` };
    const values: unknown = parse(text);
    return { values: isTree(values) ? values : {} };
  } catch {
    // Without the error's own words, which may repeat a part of the file.
    return { unread: `the values in ${path ?? "a text of valueYamlFiles"} cannot be read` };
  }
}

async function readLocal(path: string, folder: string | undefined): Promise<string> {
  if (!isAbsolute(path) && folder === undefined) throw new Error("relative to a folder that is not known");
  return await readFile(resolve(folder ?? "/", path), "utf8");
}

/** A release's values over those of its files, read part by part. Where a file cannot be read, nor can what `values` says nothing of. */
export function overFiles(values: Tree, files: readonly ValueFile[]): Tree {
  const [unread] = files.flatMap((file) => ("unread" in file ? [file.unread] : []));
  if (unread !== undefined) return restUnread(values, unread);
  if (files.length === 0) return values;
  // A later file replaces whole trees of an earlier one: the provider reads all into one map.
  return over(values, Object.assign({}, ...files.map((file) => ("values" in file ? file.values : {}))));
}

/** Helm's merge: tree by tree, and a null stays. */
export function over(above: Tree, below: Tree): Tree {
  const all: Tree = {};
  for (const name of new Set([...Object.keys(above), ...Object.keys(below)])) {
    const get = (): unknown => {
      if (!(name in above)) return below[name];
      const [one, other] = [above[name], below[name]];
      return isTree(one) && isTree(other) ? over(one, other) : one;
    };
    Object.defineProperty(all, name, { enumerable: true, get });
  }
  return all;
}

/** The tree, of which nothing else than what it has is known. */
export function restUnread(tree: Tree, why: string): Tree {
  return new Proxy(tree, {
    has: () => true,
    get: (_, name) => {
      if (!(name in tree)) throw new UnreadError(why);
      const part: unknown = Reflect.get(tree, name);
      return isTree(part) ? restUnread(part, why) : part;
    },
  });
}
