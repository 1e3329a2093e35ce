import { error, type Finding, ok, warning } from "./finding.ts";
import type { Probes } from "./probes.ts";

const GIB = 2 ** 30;

/** Whether there is room below a path. `needed` in bytes. */
export async function checkDisk(probes: Probes, path: string, needed: number, what: string): Promise<Finding> {
  const free = await probes.freeDisk(path);
  if (free === undefined) return warning(what, `How much is free at ${path} cannot be told.`);
  const seen = `${(free / GIB).toFixed(1)} GiB free at ${path}`;
  if (free >= needed) return ok(what, `${seen}.`);
  return error(what, `${seen}; ${(needed / GIB).toFixed(1)} GiB are needed.`, "make room there");
}

/** Limits below which the programs in several nodes fail with "too many open files" (kind's known issues). */
const INOTIFY = { "fs.inotify.max_user_watches": 524_288, "fs.inotify.max_user_instances": 512 };

/** Whether inotify's limits, which all nodes share, let several nodes run. */
export function checkInotify({ read }: Pick<Probes, "read">): Finding {
  const limits = Object.entries(INOTIFY).map(([name, wanted]) => ({
    name,
    wanted,
    is: Number(read(`/proc/sys/${name.replaceAll(".", "/")}`) ?? Number.NaN),
  }));
  const seen = limits.map(({ name, is }) => `${name} is ${Number.isNaN(is) ? "not readable" : is}`).join(", ");
  const low = limits.filter(({ is, wanted }) => is < wanted);
  if (low.length === 0) return ok("inotify limits", `${seen}.`);
  const fix = `sudo sysctl ${low.map(({ name, wanted }) => `${name}=${wanted}`).join(" ")}`;
  return warning("inotify limits", `${seen}: pods of several nodes may fail with "too many open files".`, fix);
}

/** No port is fixed: the API server gets a free one. But there must be one. */
export async function checkPort({ freePort }: Pick<Probes, "freePort">): Promise<Finding> {
  const trouble = await freePort();
  if (trouble === undefined) return ok("ports", "None is fixed; a free one on 127.0.0.1 can be had.");
  return error(
    "ports",
    `No port on 127.0.0.1 can be listened on: ${trouble}`,
    "free some ports, or allow listening on loopback",
  );
}
