import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RequestError } from "../plugin/provider.ts";
import type { Cluster } from "./cluster.ts";

/** What a helm command printed and how it ended. */
interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs helm against a cluster. The kubeconfig goes by a file that only we can read and that is removed at once; `stdin` takes values, which never go by argv. */
export async function helm(cluster: Cluster, args: string[], signal: AbortSignal, stdin = ""): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), "wirecloak-helm-"));
  try {
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(kubeconfig, await cluster.kubeconfigText(), { mode: 0o600 });
    return await run(["--kubeconfig", kubeconfig, ...args], signal, stdin);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs helm without a cluster: what it says of a chart. */
export function helmOffline(args: string[], signal: AbortSignal): Promise<Ended> {
  return run(args, signal, "");
}

/** The error of a helm command: the last line that says something, without helm's own prefix. */
export function helmError({ stderr, code }: Ended): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "" && !/level=(WARN|INFO|DEBUG)/.test(line));
  return lines.at(-1)?.replace(/^Error: /, "") ?? `helm ended with ${code}`;
}

function run(args: string[], signal: AbortSignal, stdin: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // SIGINT lets helm record that the operation failed.
    const child = spawn("helm", args, { signal, killSignal: "SIGINT", stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk;
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (error.name === "AbortError") return;
      reject(error.code === "ENOENT" ? new RequestError("helm is not on PATH") : error);
    });
    child.on("close", (code) => resolve({ code: code ?? 130, stdout, stderr }));
    // helm may end before it has read everything.
    child.stdin.on("error", () => undefined);
    child.stdin.end(stdin);
  });
}
