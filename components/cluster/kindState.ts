import { createHash } from "node:crypto";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { readNote } from "../../tools/files.ts";
import { clusterFiles } from "../../tools/paths.ts";
import type { Problem } from "../userError.ts";
import type { DockerView } from "./docker.ts";
import type { KindSpec } from "./kindSpec.ts";
import { kindNodeNames } from "./kindSpec.ts";

/** What is kept of a kind cluster, beside its kubeconfig. Written before anything is made, so a killed run leaves its mark. */
export interface KindRecord {
  provider: "kind";
  incarnation: string;
  spec: KindSpec;
  /** True once the cluster is complete. */
  made: boolean;
}

/** Where the files of a cluster are. */
export function kindFiles(stateDir: string, name: string) {
  const files = clusterFiles(stateDir, name);
  return { ...files, config: join(files.folder, "kind.yaml"), bootIds: join(files.folder, "boot-id") };
}

/** The record of a cluster in this state folder; undefined where there is none, or where it is another provider's. */
export function readKindRecord(stateDir: string, name: string): KindRecord | undefined {
  const record = readNote<KindRecord>(kindFiles(stateDir, name).record);
  return record?.provider === "kind" ? record : undefined;
}

/** Whether a cluster's folder holds another provider's cluster: then it is neither used nor removed. */
export function heldByOther(stateDir: string, name: string): boolean {
  const { folder, record } = kindFiles(stateDir, name);
  if (existsSync(record)) return readKindRecord(stateDir, name) === undefined;
  // A first record that was cut short while it was written leaves a file of nearly its name.
  return existsSync(folder) && readdirSync(folder).some((file) => !file.startsWith(basename(record)));
}

/** Identity: networks of clusters carry it, and no sweep finds what carries another. */
export const OWNER_LABEL = "dev.wirecloak.owner";

/** Who owns what is made from this state folder. */
export function ownerOf(stateDir: string): string {
  return createHash("sha256")
    .update(existsSync(stateDir) ? realpathSync(stateDir) : stateDir)
    .digest("hex")
    .slice(0, 12);
}

/** Identity: the Docker network of a cluster, all its own. */
export function networkOf(name: string): string {
  return `wirecloak-${name}`;
}

/**
 * How a cluster stands:
 * - `absent`: nothing of that name.
 * - `foreign`: there is a cluster or a network of that name that is not this owner's.
 * - `half-made`: ours, but a run that made or removed it was cut short, or nodes are gone.
 * - `other`: ours and complete, but of another spec.
 * - `stopped`: ours and complete, but some of its nodes do not run.
 * - `complete`: ours, as asked, running.
 */
export type Standing = "absent" | "foreign" | "half-made" | "other" | "stopped" | "complete";

/** Judges how a cluster of that spec stands, from what Docker shows and what was recorded. */
export function standingOf(
  spec: KindSpec,
  { docker: { nodes, network }, record, owner }: { docker: DockerView; record: KindRecord | undefined; owner: string },
): Standing {
  if (network !== undefined && network.owner !== owner) return "foreign";
  if (!isOurs(spec.name, { nodes })) return "foreign";
  if (network === undefined && record === undefined) return "absent";
  if (network === undefined || record?.made !== true) return "half-made";
  const present = new Set(nodes.map((node) => node.name));
  if (present.size !== kindNodeNames(record.spec).length) return "half-made";
  if (!kindNodeNames(record.spec).every((node) => present.has(node))) return "half-made";
  if (!sameSpec(record.spec, spec)) return "other";
  return nodes.every(({ running }) => running) ? "complete" : "stopped";
}

/**
 * Whether no node of that name hangs on another network than the cluster's own. A network of ours alone proves nothing: the user may
 * have made a cluster of that name by hand after a run of ours was cut short.
 */
export function isOurs(name: string, { nodes }: Pick<DockerView, "nodes">): boolean {
  return nodes.every(({ networks }) => networks.includes(networkOf(name)));
}

/** What is wrong where a cluster's name is taken. */
export function foreignName(name: string): Problem {
  return {
    key: "wirecloak:cluster.name",
    value: name,
    message: `There is a cluster or a Docker network (${networkOf(name)}) of that name already which was not made from this checkout for this provider; it is left alone.`,
    fix: `choose another cluster.name, or remove it yourself: kind delete cluster --name ${name}`,
  };
}

function sameSpec(one: KindSpec, other: KindSpec): boolean {
  return JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
}

/** Identity: the Linux bridge of a cluster's Docker network, by which it is found from outside the nodes. A device's name has 15 characters at most. */
export function bridgeOf(name: string): string {
  return `wck-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
}
