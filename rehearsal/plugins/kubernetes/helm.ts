import { spawn } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { RequestError } from "../plugin/provider.ts";
import { kubeconfigFile } from "./kubeconfig.ts";
import type { ProviderSettings } from "./providerSettings.ts";

/** How a helm command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HelmOptions {
  /** The cluster; without it helm is kept from every cluster. */
  readonly settings?: ProviderSettings;
  /** What helm reads with `--values -`: values are never among its arguments, which every user of the machine can see. */
  readonly stdin?: string;
  /** Ends helm early; it still records that the release failed. */
  readonly signal?: AbortSignal;
}

/** The number under which helm finds the kubeconfig's descriptor. */
const kubeconfigDescriptor = 3;

/** Runs helm. A kubeconfig that came as contents is in a file that has no name any more when helm starts (Linux only). */
export async function helm(args: readonly string[], { settings, stdin = "", signal }: HelmOptions): Promise<Ended> {
  const context = settings?.context === undefined ? [] : ["--kube-context", settings.context];
  const kubeconfig = settings?.kubeconfig;
  if (settings === undefined || kubeconfig === undefined) {
    return run([...context, ...args], environment(settings === undefined), stdin, signal);
  }
  const file = kubeconfigFile(kubeconfig);
  if (file !== undefined) {
    return run(["--kubeconfig", file, ...context, ...args], environment(true), stdin, signal);
  }
  const nameless = await namelessFile(kubeconfig);
  try {
    const name = `/dev/fd/${kubeconfigDescriptor}`;
    return await run(["--kubeconfig", name, ...context, ...args], environment(true), stdin, signal, nameless.fd);
  } finally {
    await nameless.close();
  }
}

/** The error of a helm command: all lines of it, without helm's log. */
export function helmError({ stderr, code }: Ended): string {
  const lines = stderr
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^(level=|time=|I\d{4} |W\d{4} |E\d{4} |WARNING: )/.test(line));
  const begin = lines.findIndex((line) => line.startsWith("Error: "));
  const told = lines.slice(Math.max(begin, 0)).join("\n");
  return told.replace(/^Error: /, "") || `helm ended with ${code}`;
}

/** Whether helm could not reach the cluster. */
export function isUnreachable(ended: Ended): boolean {
  return ended.code !== 0 && /cluster unreachable/i.test(ended.stderr);
}

/** A file of our own with this text, which only its descriptor leads to: nothing is left behind, whatever ends us. */
async function namelessFile(text: string) {
  const folder = await mkdtemp(path.join(tmpdir(), "wirecloak-helm-"));
  try {
    const handle = await open(path.join(folder, "kubeconfig"), "wx+", 0o600);
    await handle.write(text);
    return handle;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The environment without the user's helm settings that could lead to another cluster, or away from Secrets as store. */
function environment(withoutKubeconfig: boolean): NodeJS.ProcessEnv {
  const settings = /^HELM_(KUBE.*|NAMESPACE|DRIVER.*|DEBUG|MAX_HISTORY)$/;
  const kept = Object.entries(process.env).filter(
    ([name]) => !settings.test(name) && !(withoutKubeconfig && name === "KUBECONFIG"),
  );
  return { ...Object.fromEntries(kept), ...(withoutKubeconfig ? { KUBECONFIG: "/dev/null" } : {}) };
}

function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  stdin: string,
  signal: AbortSignal | undefined,
  descriptor?: number,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn("helm", args, {
      env,
      stdio: ["pipe", "pipe", "pipe", ...(descriptor === undefined ? [] : [descriptor])],
    });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
    const interrupt = () => child.kill("SIGINT"); // which helm takes as a request to stop and say so in its record
    signal?.addEventListener("abort", interrupt, { once: true });
    if (signal?.aborted) interrupt();
    child.on("error", (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener("abort", interrupt);
      reject(error.code === "ENOENT" ? new RequestError("helm is not on PATH; make tools gets it") : error);
    });
    child.on("close", (code) => {
      signal?.removeEventListener("abort", interrupt);
      const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString();
      resolve({ code: code ?? 130, stdout: text(stdout), stderr: text(stderr) });
    });
    child.stdin?.on("error", () => undefined).end(stdin); // helm may end before it has read everything
  });
}
