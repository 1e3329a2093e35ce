import { type ChildProcess, spawn } from "node:child_process";
import type { ContainerName, ProbeApi } from "../clusterApi.ts";

export interface TapOutput {
  stdout: (text: string) => void;
  stderr: (text: string) => void;
}

/** A place where commands that capture run. */
export interface Tap {
  /** Runs a command until it ends; throws an Error with the reason where it ends badly. */
  run(command: string[], output: TapOutput): Promise<void>;
  /** Asks all that runs to end in order, so that it still says what it counted. */
  end(): Promise<void>;
  /** Waits for nothing that runs any longer. */
  close(): void;
}

/** Milliseconds for the command that ends others. */
const KILL_TIMEOUT = 10_000;

/** Says under which process id the command runs, for `end`; timeout hands the signal on to what it runs. */
const NAMED = 'echo "pid $$" >&2; exec "$@"';

/** In a probe pod. Its commands outlive a closed connection, so they carry their own time limit and are ended by name. */
export class PodTap implements Tap {
  private readonly pids = new Set<string>();
  private readonly closed = new AbortController();
  private readonly api: Pick<ProbeApi, "exec">;
  private readonly where: ContainerName;
  private readonly timeout: number;

  /** `timeout`: milliseconds that a command may run. */
  constructor(api: Pick<ProbeApi, "exec">, where: ContainerName, timeout: number) {
    this.api = api;
    this.where = where;
    this.timeout = timeout;
  }

  async run(command: string[], { stdout, stderr }: TapOutput): Promise<void> {
    let head = "";
    let pid: string | undefined;
    try {
      await this.api.exec(this.where, ["sh", "-c", NAMED, "tap", ...command], {
        stdout,
        stderr: (text) => {
          if (pid !== undefined) return stderr(text);
          head += text;
          const line = /^pid (\d+)\n/.exec(head);
          if (!line?.[1]) return;
          pid = line[1];
          this.pids.add(pid);
          stderr(head.slice(line[0].length));
        },
        timeout: this.timeout,
        signal: this.closed.signal,
      });
    } finally {
      if (pid !== undefined) this.pids.delete(pid);
    }
  }

  async end(): Promise<void> {
    if (this.pids.size === 0) return;
    // One may have ended by itself meanwhile; that is no failure.
    const command = ["sh", "-c", 'kill "$@" 2>/dev/null; true', "end", ...this.pids];
    await this.api.exec(this.where, command, { timeout: KILL_TIMEOUT });
  }

  close(): void {
    this.closed.abort();
  }
}

/** By a program of this machine, such as `docker run`, which reaches a place outside of the nodes. */
export class ProcessTap implements Tap {
  private readonly children = new Set<ChildProcess>();
  private readonly prefix: string[];

  constructor(prefix: string[]) {
    this.prefix = prefix;
  }

  run(command: string[], { stdout, stderr }: TapOutput): Promise<void> {
    const [program = "", ...args] = [...this.prefix, ...command];
    // A process group of its own: Ctrl-C at a terminal would end it before its counts are read.
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    this.children.add(child);
    child.stdout.setEncoding("utf8").on("data", stdout);
    child.stderr.setEncoding("utf8").on("data", stderr);
    return new Promise<void>((resolve, reject) => {
      child.on("error", (error) => reject(new Error(`${program} cannot be started: ${error.message}`)));
      child.on("close", (code, signal) =>
        code === 0 ? resolve() : reject(new Error(`ended with ${signal ?? `exit status ${code}`}`)),
      );
    }).finally(() => this.children.delete(child));
  }

  async end(): Promise<void> {
    for (const child of this.children) child.kill("SIGTERM");
  }

  close(): void {
    // With its group: what `timeout` runs would outlive it.
    for (const { pid } of this.children) if (pid !== undefined) endGroup(pid);
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGTERM");
  } catch (error) {
    // It has just ended by itself, and nobody has told us yet.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
