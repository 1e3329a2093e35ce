import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** What the API server said. */
export interface Answer {
  code: number;
  /** Of its Status, where it refused. */
  message: string;
}

/** One request that changes something. */
export interface Change {
  method: "POST" | "PATCH" | "DELETE";
  path: string;
  /** The object, or a merge patch of it. */
  body?: object;
}

/** `kubectl proxy`: one program for many requests, each of which takes milliseconds. */
export class KubectlProxy {
  private readonly process: ChildProcess;
  private readonly address: string;

  private constructor(process: ChildProcess, address: string) {
    this.process = process;
    this.address = address;
  }

  static async start(kubeconfig: string): Promise<KubectlProxy> {
    const child = spawn("kubectl", ["--kubeconfig", kubeconfig, "proxy", "--port=0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const address = /Starting to serve on (\S+)/.exec(line)?.[1];
      if (address !== undefined) return new KubectlProxy(child, `http://${address}`);
    }
    throw new Error("kubectl proxy ended");
  }

  /** Sends a change, which the API server judges and does not keep. */
  dryRun(change: Change): Promise<Answer> {
    return this.send(change, { dryRun: "All" });
  }

  async send({ method, path, body }: Change, options: Record<string, string> = {}): Promise<Answer> {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    // Whoever makes an object and changes it in the same second is one writer to the API server, so they get two names.
    const query = new URLSearchParams({ fieldManager: method === "POST" ? "maker" : "somebody", ...options });
    const response = await fetch(`${this.address}${path}?${query}`, {
      method,
      ...(body && { headers: { "Content-Type": type }, body: JSON.stringify(body) }),
    });
    const { message = "" } = (await response.json()) as { message?: string };
    return { code: response.status, message };
  }

  stop(): void {
    this.process.kill();
  }
}
