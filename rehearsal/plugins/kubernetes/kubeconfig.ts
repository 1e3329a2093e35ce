import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import { RequestError } from "../plugin/provider.ts";

/** The part of a kubeconfig file that says which cluster is meant. */
interface Kubeconfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly { readonly name?: string; readonly context?: { readonly cluster?: string } }[];
  readonly clusters?: readonly { readonly name?: string; readonly cluster?: unknown }[];
}

/**
 * The path of the file, when the setting names one; else it holds the contents themselves.
 * Throws a `RequestError` for what can be neither.
 */
export function kubeconfigFile(pathOrContents: string): string | undefined {
  const file = existingFile(pathOrContents);
  if (file === undefined && !/[\n{]/.test(pathOrContents)) {
    throw new RequestError(`there is no kubeconfig at ${JSON.stringify(pathOrContents)}`);
  }
  return file;
}

function existingFile(pathOrContents: string): string | undefined {
  const file = pathOrContents.replace(/^~(?=$|\/)/, homedir());
  try {
    return statSync(file).isFile() ? path.resolve(file) : undefined;
  } catch {
    return undefined; // contents are no path, and mostly too long for one
  }
}

/**
 * Whether two settings mean different clusters, as far as kubeconfigs can tell: other entries for the cluster of the
 * context in use. A setting that names no cluster (none given, unreadable, no such context) differs from nothing.
 */
export function otherCluster(
  before: { readonly kubeconfig?: string; readonly context?: string },
  after: { readonly kubeconfig?: string; readonly context?: string },
): boolean {
  const [one, other] = [activeCluster(before), activeCluster(after)];
  return one !== undefined && other !== undefined && !isDeepStrictEqual(one, other);
}

function activeCluster({ kubeconfig, context }: { kubeconfig?: string; context?: string }): unknown {
  const config = kubeconfig === undefined ? undefined : readKubeconfig(kubeconfig);
  const chosen = context ?? config?.["current-context"];
  const cluster = config?.contexts?.find(({ name }) => name === chosen)?.context?.cluster;
  return config?.clusters?.find(({ name }) => name === cluster)?.cluster;
}

function readKubeconfig(pathOrContents: string): Kubeconfig | undefined {
  const file = existingFile(pathOrContents);
  try {
    const read: unknown = parse(file === undefined ? pathOrContents : readFileSync(file, "utf8"));
    return typeof read === "object" && read !== null ? read : undefined;
  } catch {
    return undefined;
  }
}
