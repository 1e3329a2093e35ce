import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { stringify } from "yaml";
import { choosePorts, kwokPorts } from "../../rehearsal/ports.ts";
import { findOnPath } from "../../tools/findOnPath.ts";
import { withLock } from "../../tools/lock.ts";
import { cacheDir } from "../../tools/paths.ts";

/** kwokctl's components by the flag that names each one's program. */
const components = {
  "etcd-binary": "etcd",
  "kube-apiserver-binary": "kube-apiserver",
  "kube-controller-manager-binary": "kube-controller-manager",
  "kube-scheduler-binary": "kube-scheduler",
  "kwok-controller-binary": "kwok",
} as const;

/** What of a small cluster's programs this machine lacks, as the reason to skip; `undefined` when nothing. */
export function withoutSmallCluster(): string | undefined {
  const needed = ["kwokctl", "kubectl", "helm", ...Object.values(components)];
  const missing = needed.filter((program) => programPath(program) === undefined);
  return missing.length === 0 ? undefined : `not on PATH: ${missing.join(", ")}; make conformance brings them`;
}

/** An object as the suites look at it. */
export interface LiveObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly { readonly manager: string; readonly operation: string }[];
  };
  readonly data?: Readonly<Record<string, string>>;
}

async function configuration(): Promise<string> {
  const options = kwokPorts(await choosePorts());
  return stringify({ apiVersion: "config.kwok.x-k8s.io/v1alpha1", kind: "KwokctlConfiguration", options });
}

/** A real API server with one simulated node, for one suite. */
export class SmallCluster {
  readonly folder: string;
  readonly kubeconfigFile: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.kubeconfigFile = path.join(folder, "kubeconfig");
  }

  /** @param options of `kwokctl create cluster` */
  static async start(...options: string[]): Promise<SmallCluster> {
    const cluster = new SmallCluster(mkdtempSync(path.join(tmpdir(), "wirecloak-conformance-")));
    const binaries = Object.entries(components).flatMap(([flag, program]) => [`--${flag}`, programPath(program) ?? ""]);
    const config = path.join(cluster.folder, "kwokctl.yaml");
    const files = ["--config", config, "--kubeconfig", cluster.kubeconfigFile];
    const create = ["create", "cluster", "--runtime", "binary", ...binaries, ...files, ...options, "--wait", "60s"];
    const waiting = () => undefined;
    try {
      // Rehearsal clusters choose their ports under this lock, too.
      await withLock(path.join(cacheDir(), "rehearsal-ports.lock"), waiting, async () => {
        writeFileSync(config, await configuration());
        cluster.#kwokctl(...create);
      });
      cluster.#kwokctl("scale", "node", "--replicas", "1");
    } catch (error) {
      cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** The kubeconfig's contents: JSON is YAML, and certificates are in it, not named by path. */
  get kubeconfig(): string {
    return this.kubectl("config", "view", "--raw", "--flatten", "--minify", "--output", "json");
  }

  /** The API server's log of requests; there where the cluster was started with an audit policy. */
  get auditLog(): string {
    return path.join(this.folder, "kwok/clusters/conformance/logs/audit.log");
  }

  kubectl(...args: string[]): string {
    return execFileSync("kubectl", ["--kubeconfig", this.kubeconfigFile, ...args], { encoding: "utf8", stdio: "pipe" });
  }

  /** One object as JSON; `undefined` when it is not there. */
  get(kind: string, name: string, namespace = "default"): LiveObject | undefined {
    const text = this.kubectl(
      "get",
      kind,
      name,
      "--namespace",
      namespace,
      "--ignore-not-found",
      "--output",
      "json",
      "--show-managed-fields",
    );
    return text === "" ? undefined : JSON.parse(text);
  }

  helm(...args: string[]): string {
    return execFileSync("helm", ["--kubeconfig", this.kubeconfigFile, ...args], { encoding: "utf8", stdio: "pipe" });
  }

  stop(): void {
    this.#kwokctl("delete", "cluster", "--kubeconfig", this.kubeconfigFile);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #kwokctl(...args: string[]): void {
    // A file, since what it starts keeps the descriptor, and a pipe would never end.
    const log = path.join(this.folder, "kwokctl.log");
    const output = openSync(log, "a");
    const { status } = spawnSync("kwokctl", ["--name", "conformance", ...args], {
      stdio: ["ignore", output, output],
      env: { ...process.env, KWOK_WORKDIR: path.join(this.folder, "kwok"), KUBECONFIG: this.kubeconfigFile },
      cwd: this.folder,
    });
    closeSync(output);
    if (status !== 0) {
      throw new Error(`kwokctl ${args.join(" ")}: ${readFileSync(log, "utf8")}`);
    }
  }
}

function programPath(program: string): string | undefined {
  return findOnPath(program, process.env.PATH ?? "")[0];
}
