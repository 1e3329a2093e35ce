// node rehearsal/main.ts create|scale --name NAME [--state DIR]         reads a ClusterSpec (JSON) from stdin, prints a ClusterReport as one line
// node rehearsal/main.ts delete|start|status --name NAME [--state DIR]  status prints one line of JSON
// node rehearsal/main.ts network --name NAME [--state DIR]              prints the nodes' network and control planes as one line of JSON
// node rehearsal/main.ts fault --name NAME [--state DIR] [list|clear|reboot NODE|agent-crash NODE|api-restart|set KIND NODE [--peer NODE] [--percent N]
//                                                                       [--seconds N]]  see docs/faults.md
// node rehearsal/main.ts sweep [--state DIR]                            removes every rehearsal cluster of this state folder
// node rehearsal/main.ts package [--out DIR] [--version V]...           packages the stand-in chart
// Progress goes to stderr. Each may be cut short at any moment, kill -9 included, and run again.
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { UserError } from "../components/userError.ts";
import { withLock } from "../tools/lock.ts";
import { stateDir } from "../tools/paths.ts";
import { create, fault, network, remove, type Say, scale, start, status, sweep } from "./lifecycle.ts";
import type { ClusterSpec } from "./nodePlan.ts";

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: "string" },
    state: { type: "string" },
    out: { type: "string" },
    version: { type: "string", multiple: true },
    peer: { type: "string" },
    percent: { type: "string" },
    seconds: { type: "string" },
  },
});
const say: Say = (line) => console.error(`rehearsal: ${line}`);

// What this makes is the user's alone: keys, kubeconfig, logs.
process.umask(0o077);
try {
  const [first = "", ...words] = positionals;
  const command = first === "fault" ? first : positionals.join(" ");
  if (process.platform !== "linux")
    throw new UserError([
      {
        key: "rehearsal",
        value: process.platform,
        message: "Runs on Linux only.",
        fix: "make up STACK=dev (kind, with Docker)",
      },
    ]);
  // Late, what only one command needs.
  if (command === "package") (await import("./package.ts")).packageChart(options.version, options.out);
  else await onClusters(command, words, options.name);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function onClusters(command: string, words: string[], name = ""): Promise<void> {
  const given = options.state ?? stateDir();
  mkdirSync(join(given, "clusters"), { recursive: true, mode: 0o700 });
  // Processes are recognised by their path, so it must be the same by whatever link a run came.
  const state = realpathSync(given);
  if (command === "status" && name) return print(status(state, name));
  if (command === "network" && name) return print(network(state, name));
  if (command === "fault" && name) return fault(state, name, [...words, ...faultOptions()]);
  const waiting = (holder: string) => say(`waiting for ${holder}, which works on a rehearsal cluster of this checkout`);
  await withLock(join(state, "clusters", "rehearsal.lock"), waiting, async () => {
    if (command === "sweep") return sweep(state, say);
    if (command === "create" && name) return print(await create(state, await specOf(name), say));
    if (command === "scale" && name) return print(await scale(state, await specOf(name), say));
    if (command === "start" && name) return start(state, name, say);
    if (command === "delete" && name) return remove(state, name);
    throw new UserError([
      {
        key: "command",
        value: command,
        message: "Not known, or --name is missing.",
        allowed: "create, scale, delete, start, status, network, fault (all with --name), sweep, package",
      },
    ]);
  });
}

function faultOptions(): string[] {
  return (["peer", "percent", "seconds"] as const).flatMap((option) => {
    const value = options[option];
    return value === undefined ? [] : [`--${option}`, value];
  });
}

async function specOf(name: string): Promise<ClusterSpec> {
  const { z } = await import("zod");
  const shape = z.object({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
    workers: z.int().min(0),
    podCidr: z.string(),
    serviceCidr: z.string(),
  });
  const read = shape.safeParse(await json(process.stdin).catch(() => undefined));
  if (read.success && read.data.name === name) return read.data;
  throw new UserError([
    {
      key: "stdin",
      message: read.success ? `is about cluster ${read.data.name}, not ${name}.` : z.prettifyError(read.error),
      allowed: '{"name","workers","podCidr","serviceCidr"}',
    },
  ]);
}

function print(document: object): void {
  console.log(JSON.stringify(document));
}
