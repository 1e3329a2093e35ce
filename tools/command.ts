import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface CommandResult {
  /** Exit code; null where a signal or the time limit ended it, or it could not start. */
  code: number | null;
  stdout: string;
  stderr: string;
  /** Why it could not start or was ended, in a word (ENOENT, SIGTERM). */
  failure?: string;
}

export interface CommandOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  timeoutMs?: number;
  /** What the program reads from standard input; absent: nothing. */
  input?: string;
  /** Hears each line of stderr as it comes. */
  onLine?: (line: string) => void;
}

/**
 * Runs a program to its end; never throws. Where this process is told to end, the program is told too: a
 * build that outlived us would go on for minutes for nobody.
 */
export function runCommand(program: string, args: string[], options: CommandOptions): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    // Not spawn's own, which Node.js 24 lets run on where the program could not start: this process would not end before.
    const limit =
      options.timeoutMs === undefined ? undefined : setTimeout(() => child.kill("SIGTERM"), options.timeoutMs);
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.stdout += text;
    });
    const lines = createInterface({ input: child.stderr }).on("line", (line) => {
      output.stderr += `${line}\n`;
      options.onLine?.(line);
    });
    const linesEnd = new Promise<void>((done) => lines.once("close", done));
    // A program that ends without reading closes its end.
    child.stdin.on("error", () => {}).end(options.input ?? "");
    remember(child);
    const finish = async (code: number | null, failure?: string) => {
      clearTimeout(limit);
      forget(child);
      await linesEnd;
      resolve({ code, ...output, ...(failure !== undefined && { failure }) });
    };
    child.once("error", (error: NodeJS.ErrnoException) => void finish(null, error.code ?? error.message));
    child.once("close", (code, signal) => void finish(code, signal ?? undefined));
  });
}

const running = new Set<ChildProcess>();
const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function remember(child: ChildProcess): void {
  if (running.size === 0) for (const signal of END_SIGNALS) process.on(signal, endAll);
  running.add(child);
}

function forget(child: ChildProcess): void {
  running.delete(child);
  if (running.size === 0) for (const signal of END_SIGNALS) process.off(signal, endAll);
}

/** Passes a signal on to all that runs, then ends this process by it, as it would have without us. */
function endAll(signal: NodeJS.Signals): void {
  for (const child of running) {
    child.kill(signal);
    forget(child);
  }
  process.kill(process.pid, signal);
}
