import { readdirSync, readFileSync } from "node:fs";

/** A process of this machine, as /proc tells (Linux). */
export interface Process {
  pid: number;
  parent: number;
  /** Its program's name, of which the kernel keeps 15 characters. */
  name: string;
  /** Ended, but nobody has asked after it yet. */
  zombie: boolean;
}

/** All processes; none where there is no /proc to ask. */
export function processes(): Process[] {
  return list("/proc").flatMap((entry) => (/^\d+$/.test(entry) ? (readProcess(Number(entry)) ?? []) : []));
}

/** Whether a process of this number runs, under any user. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, under another user.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
  return !readProcess(pid)?.zombie;
}

/** The environment that a process was started with, each variable ended by a NUL; empty where it is another user's. */
export function environmentOf(pid: number): string {
  return `${read(`/proc/${pid}/environ`)}\0`;
}

/** Program and arguments, each ended by a NUL. */
export function commandLineOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`);
}

function readProcess(pid: number): Process | undefined {
  const status = read(`/proc/${pid}/status`);
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1];
  const name = field("Name");
  return name === undefined ? undefined : { pid, parent: Number(field("PPid")), name, zombie: field("State") === "Z" };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Empty where the process has ended meanwhile, or is another user's. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
