import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { release, tmpdir } from "node:os";
import { dirname } from "node:path";
import { gunzipSync } from "node:zlib";
import { type CommandResult, runCommand } from "../tools/command.ts";
import { stateDir } from "../tools/paths.ts";

/** How checks look at the machine. Tests give their own. */
export interface Probes {
  platform: NodeJS.Platform;
  /** `uname -r` */
  kernel: string;
  /** Whether this process is root. */
  root: boolean;
  stateDir: string;
  env: NodeJS.ProcessEnv;
  /** Runs a program to its end or its time limit; never throws. */
  run(program: string, args: string[], timeoutMs?: number): Promise<CommandResult>;
  /** A text file (a .gz is unpacked), or undefined where it cannot be read. */
  read(path: string): string | undefined;
  /** Bytes free for us on the file system of a path that need not exist yet. */
  freeDisk(path: string): Promise<number | undefined>;
  /** Takes a free TCP port on 127.0.0.1 and lets it go; undefined where that works, else why not. */
  freePort(): Promise<string | undefined>;
  /** The text at a URL, or undefined where there is none in time. */
  fetchText(url: string): Promise<string | undefined>;
}

const ANSWER_LIMIT_MS = 5_000;

/** This machine. */
export function realProbes(env: NodeJS.ProcessEnv = process.env): Probes {
  return {
    platform: process.platform,
    kernel: release(),
    root: process.getuid?.() === 0,
    stateDir: stateDir(env),
    env,
    run: (program, args, timeoutMs = ANSWER_LIMIT_MS) => runCommand(program, args, { cwd: tmpdir(), env, timeoutMs }),
    read: readText,
    freeDisk,
    freePort,
    fetchText,
  };
}

function readText(path: string): string | undefined {
  try {
    const bytes = readFileSync(path);
    return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  } catch {
    return undefined;
  }
}

async function freeDisk(path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return dirname(path) === path ? undefined : freeDisk(dirname(path));
  }
}

function freePort(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(error.message));
    server.listen(0, "127.0.0.1", () => server.close(() => resolve(undefined)));
  });
}

async function fetchText(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}
