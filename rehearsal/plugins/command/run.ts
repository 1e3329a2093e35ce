import { type ChildProcess, spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { type Context, RequestError } from "../plugin/provider.ts";
import type { CommandInputs } from "./inputs.ts";

/** What a command wrote, each stream without its last newline. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command to its end and to the end of everyone who holds its stdout or stderr. Throws a `RequestError` with
 * the exit status, the command line and all that it wrote; environment and stdin are in no message.
 *
 * The command stays in the plugin's process group, as with the official plugin: what the engine signals at the end
 * reaches it, and `setsid` in a command behaves alike with both.
 * @param previous what the last run wrote: its environment tells it to the command, unless told not to.
 */
export async function run(
  script: string,
  inputs: CommandInputs,
  previous: Output,
  { signal, log }: Context,
): Promise<Output> {
  const failure = (reason: string, written = "") =>
    new RequestError(`${reason}: running ${JSON.stringify(script)}:\n${written}`);
  if (signal.aborted) {
    throw failure("context canceled");
  }
  if (inputs.dir !== undefined && !(await isFolder(inputs.dir))) {
    // Node.js would blame the interpreter
    throw failure(`chdir ${inputs.dir}: no such file or directory`);
  }

  const interpreter = inputs.interpreter?.length ? inputs.interpreter : ["/bin/sh", "-c"];
  const [program = "/bin/sh", ...args] = [...interpreter, script];
  const stdin = inputs.stdin ?? "";
  const child = spawn(program, args, {
    env: { ...process.env, ...inputs.environment, ...previousInEnvironment(inputs, previous) },
    stdio: [stdin === "" ? "ignore" : "pipe", "pipe", "pipe"],
    ...(inputs.dir === undefined ? {} : { cwd: inputs.dir }),
  });
  child.stdin?.on("error", () => undefined).end(stdin); // a command need not read it

  const show = (line: string) => log("info", line, { ephemeral: true });
  const logging = inputs.logging ?? "stdoutAndStderr";
  const both: Buffer[] = [];
  const stdout = collect(child.stdout, both, logging.startsWith("stdout") ? show : undefined);
  const stderr = collect(child.stderr, both, /stderr$/i.test(logging) ? show : undefined);

  const stop = () => {
    child.kill("SIGKILL");
    // who else holds them is waited for no longer
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const reason = await ended(child);
    if (reason !== undefined) {
      throw failure(reason, Buffer.concat(both).toString());
    }
    return { stdout: withoutLastNewline(stdout), stderr: withoutLastNewline(stderr) };
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function previousInEnvironment(inputs: CommandInputs, previous: Output): Record<string, string> {
  const told = inputs.addPreviousOutputInEnv ?? true;
  return {
    ...(told && previous.stdout !== "" ? { PULUMI_COMMAND_STDOUT: previous.stdout } : {}),
    ...(told && previous.stderr !== "" ? { PULUMI_COMMAND_STDERR: previous.stderr } : {}),
  };
}

/** Gathers a stream, in its own list and in the one that keeps the order of both; shows it line by line. */
function collect(stream: Readable | null, both: Buffer[], show?: (line: string) => void): Buffer[] {
  const chunks: Buffer[] = [];
  const decoder = new TextDecoder(); // a character may come in two chunks
  let begun = "";
  stream?.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    both.push(chunk);
    if (show !== undefined) {
      const lines = (begun + decoder.decode(chunk, { stream: true })).split("\n");
      begun = lines.pop() ?? "";
      lines.forEach(show);
    }
  });
  stream?.on("close", () => {
    if (begun !== "") {
      show?.(begun);
    }
  });
  return chunks;
}

function withoutLastNewline(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString().replace(/\n$/, "");
}

/** Resolves at the end of the process and of its streams: `undefined` for exit 0, else what happened, in Go's words. */
function ended(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) =>
      resolve(
        error.code === "ENOENT"
          ? `exec: ${JSON.stringify(child.spawnfile)}: executable file not found`
          : `exec: ${JSON.stringify(child.spawnfile)}: ${error.code ?? error.message}`,
      ),
    );
    child.once("close", (code, killedBy) => {
      if (killedBy !== null) {
        resolve(killedBy === "SIGKILL" ? "signal: killed" : `signal: ${killedBy}`);
      } else {
        resolve(code === 0 ? undefined : `exit status ${code}`);
      }
    });
  });
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
