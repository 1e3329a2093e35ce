import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename } from "node:path";

/** A process, told from a later one of the same id by when it began. */
export interface ProcessId {
  pid: number;
  began: string;
}

interface Process extends ProcessId {
  parent: number;
  name: string;
}

/** The Pulumi engine that runs this program through its plugin; null where a person runs it. */
export function updaterOf(pid = process.pid): ProcessId | null {
  for (let at = look(pid); at && at.pid > 1; at = look(at.parent))
    if (at.name === "pulumi") return { pid: at.pid, began: at.began };
  return null;
}

export function identify(pid = process.pid): ProcessId | null {
  const found = look(pid);
  return found && { pid, began: found.began };
}

export function isAlive({ pid, began }: ProcessId): boolean {
  return look(pid)?.began === began;
}

function look(pid: number): Process | null {
  return process.platform === "linux" ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): Process | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  // The name stands in brackets and may hold some itself.
  const [, name = "", rest = ""] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
  const fields = rest.split(" ");
  // One that has ended and that nobody has asked after is no longer at work.
  if (fields[0] === "Z" || fields[0] === "X") return null;
  return { pid, name, parent: Number(fields[1]), began: fields[19] ?? "" };
}

function fromPs(pid: number): Process | null {
  const { stdout, status } = spawnSync("ps", ["-o", "ppid=,stat=,lstart=,comm=", "-p", String(pid)], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  const [, parent, state = "", began = "", name = ""] =
    /^\s*(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)\s+(.*?)\s*$/.exec(stdout ?? "") ?? [];
  if (status !== 0 || parent === undefined || state.startsWith("Z")) return null;
  return { pid, name: basename(name), parent: Number(parent), began };
}
