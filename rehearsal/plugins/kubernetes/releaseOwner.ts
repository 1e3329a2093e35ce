import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";

/** The label on helm's record of a release that says who works on it. */
const label = "wirecloak-plugin-owner";

/**
 * The label of this process for a resource: machine, boot, process group, resource. helm runs in the group of the
 * plugin, so the group lives as long as one of them does.
 */
export function ownerLabel(urn: string): string {
  return `${label}=${[hash(hostname()), bootId(), statOf("self")?.group, hash(urn)].join(".")}`;
}

/** What a release's labels say of its owner. */
export interface Owner {
  /** Whether it was made for this very resource. */
  readonly sameResource: boolean;
  /** Whether who worked on it last still runs; `undefined` when it cannot be told from here. */
  readonly alive: boolean | undefined;
}

/** Reads the labels of a release for a resource; `undefined` for a release of somebody else's. */
export function ownerOf(labels: Readonly<Record<string, string>>, urn: string): Owner | undefined {
  const [machine, boot, group, resource] = labels[label]?.split(".") ?? [];
  if (resource === undefined) {
    return undefined;
  }
  const alive = machine !== hash(hostname()) ? undefined : boot === bootId() && groupRuns(Number(group));
  return { sameResource: resource === hash(urn), alive };
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** A new one at each start of the machine. */
function bootId(): string {
  return hash(readFileSync("/proc/sys/kernel/random/boot_id", "utf8"));
}

/** Whether anything runs in the group. Our own counts as over: a release is worked on by one call at a time. */
function groupRuns(group: number): boolean {
  if (group === statOf("self")?.group) {
    return false;
  }
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  // what is dead but not yet taken note of by its parent runs no more
  return processes.map(statOf).some((stat) => stat?.group === group && !["Z", "X"].includes(stat.state));
}

/** State and group of a process; `undefined` when it is gone (proc_pid_stat(5)). */
function statOf(process: string): { readonly state: string; readonly group: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${process}/stat`, "utf8");
    const [state = "", , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // names may hold anything
    return { state, group: Number(group) };
  } catch {
    return undefined;
  }
}
