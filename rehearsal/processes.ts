import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A process that was started by a path inside some folder. */
export interface OwnProcess {
  pid: number;
  /** The program's file name. */
  program: string;
}

/** The processes whose program was started by a path inside `folder`. No other tells whose it is, so no other is touched. */
export function processesIn(folder: string): OwnProcess[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      const program = programOf(entry);
      return program.startsWith(`${folder}/`) ? [{ pid: Number(entry), program: basename(program) }] : [];
    });
}

function programOf(pid: string): string {
  try {
    return readFileSync(join("/proc", pid, "cmdline"), "utf8").split("\0", 1)[0] ?? "";
  } catch {
    // Ended since the folder was read.
    return "";
  }
}

/** Ends them, at once: what they hold is about to be removed. Returns when they are gone. */
export async function endProcessesIn(folder: string): Promise<void> {
  for (let left = processesIn(folder); left.length > 0; left = processesIn(folder)) {
    for (const { pid } of left) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // Gone by itself.
      }
    }
    await sleep(20);
  }
}

/** A link to `program` in `folder`, to start it by: so its process tells whose it is, should its starter die. */
export function ownProgram(program: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const link = join(folder, basename(program));
  relink(program, link);
  return link;
}

/** Starts a program for good: a session of its own, all output to `log`, nothing of our environment. */
export function startInBackground(program: string, args: string[], log: string): void {
  const output = openSync(log, "a", 0o600);
  spawn(program, args, { detached: true, stdio: ["ignore", output, output], env: plainEnvironment(), cwd: "/" })
    // Whoever waits for what it does finds out, and has the log to show.
    .on("error", () => {})
    .unref();
  closeSync(output);
}

/** Lets `link` lead to `target`, whatever it led to. */
export function relink(target: string, link: string): void {
  rmSync(link, { force: true });
  symlinkSync(target, link);
}

/**
 * Processes that outlive a run must not carry its secrets (a passphrase, cloud credentials), so they get this alone. GOGC is how often Go programs, which all
 * of them are, collect garbage (https://pkg.go.dev/runtime#hdr-Environment_Variables).
 */
export function plainEnvironment(more: Record<string, string> = {}): Record<string, string> {
  const kept = ["PATH", "HOME", "TMPDIR", "LANG", "GOGC"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(kept), ...more };
}
