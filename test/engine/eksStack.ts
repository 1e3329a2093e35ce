import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { projectRoot } from "../../tools/paths.ts";
import { EngineStack, type Run } from "./engineStack.ts";
import { kubeconfigOf } from "./fakeApi.ts";

/** A step of a plan, as `preview --json` shows it. */
export interface Step {
  op: string;
  urn: string;
}

/** What a program that has ended leaves. */
interface Ended extends Run {
  /** Standard output alone. */
  stdout: string;
}

const EXEC = { apiVersion: "client.authentication.k8s.io/v1" };

/** The AWS CLI, to whom no cluster is known, nor a command that the program has no business with. */
const AWS_CLI = `#!/bin/sh
case "$*" in
  *get-caller-identity*) echo '{"Arn": "arn:aws:iam::000000000000:user/stand-in"}' ;;
  *describe-cluster*) echo "An error occurred (ResourceNotFoundException) when calling DescribeCluster" >&2; exit 254 ;;
  *) echo "the stand-in for the AWS CLI knows no $*" >&2; exit 1 ;;
esac
`;

/**
 * A stack on EKS, with a stand-in for AWS. The kubeconfig of its shell is poisoned: it names a server that counts who connects, and a program for credentials that leaves a
 * file where it runs.
 */
export class EksStack extends EngineStack {
  /** The file that the program for credentials leaves. */
  private readonly credentials = join(this.home, "credentials-were-asked-for");
  private readonly bin = join(this.home, "bin");
  /** How often anybody connected to the server. */
  connections = 0;
  private readonly server = createServer((socket) => {
    this.connections++;
    socket.destroy();
  });

  constructor() {
    super();
    mkdirSync(this.bin);
    this.putOnPath("aws", AWS_CLI);
    this.plugin("aws", join(import.meta.dirname, "standIns/aws.ts"));
    Object.assign(this.env, {
      PATH: [this.bin, process.env.PATH].join(delimiter),
      // What kubectl has learnt of a cluster at some port is not to be known of the next one there.
      KUBECACHEDIR: join(this.home, "kube-cache"),
      ASKED_FILE: join(this.home, "asked"),
    });
  }

  /** Poisons the shell's kubeconfig. */
  async poison(): Promise<void> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    const { port } = this.server.address() as AddressInfo;
    const credential = { ...EXEC, kind: "ExecCredential", status: { token: "none" } };
    const script = `touch ${this.credentials}; echo '${JSON.stringify(credential)}'`;
    const exec = { ...EXEC, command: "sh", args: ["-c", script], interactiveMode: "Never" };
    // TLS, since kubectl asks nobody for credentials that would go in clear.
    const document = kubeconfigOf(`https://127.0.0.1:${port}`, { exec });
    this.env.KUBECONFIG = this.file("poisoned-kubeconfig", document);
  }

  override close(): void {
    this.server.close();
    super.close();
  }

  /** Sets the whole config: an EKS cluster, and `changes` over it. */
  configureEks(changes: Record<string, unknown> = {}, cluster: object = {}): void {
    this.configure({ ...changes, "wirecloak:cluster": { provider: "eks", name: "t", ...cluster } });
  }

  /** Runs a Pulumi command while this process answers whom it asks. */
  async run(...args: string[]): Promise<Ended> {
    return ended(this.start(args, { stdio: ["ignore", "pipe", "pipe"] }));
  }

  /** What a preview would do, step by step. */
  async plan(): Promise<Step[]> {
    const { code, output, stdout } = await this.run("preview", "--json", "--non-interactive");
    if (code !== 0) throw new Error(output);
    return (JSON.parse(stdout) as { steps: Step[] }).steps;
  }

  /** Runs kubectl as somebody in that shell would. */
  async kubectlOfShell(...args: string[]): Promise<Ended> {
    return ended(spawn("kubectl", args, { env: this.env, stdio: ["ignore", "pipe", "pipe"] }));
  }

  get credentialsAskedFor(): boolean {
    return existsSync(this.credentials);
  }

  /** From now on stand-ins accept all that Kubernetes and commands are asked for, and do nothing: no cluster answers behind AWS's stand-in. */
  standInForAll(): void {
    const accepting = join(projectRoot, "test/policy/packStack/provider.ts");
    this.plugin("kubernetes", `${accepting} kubernetes 4.34.2`);
    this.plugin("command", `${accepting} command 1.2.1`);
  }

  private plugin(name: string, program: string): void {
    this.putOnPath(`pulumi-resource-${name}`, `#!/bin/sh\nexec node ${program} "$@"\n`);
  }

  private putOnPath(name: string, script: string): void {
    const path = join(this.bin, name);
    writeFileSync(path, script);
    chmodSync(path, 0o755);
  }
}

function ended(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let [output, stdout] = ["", ""];
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      output += text;
      stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    child.on("error", reject).on("close", (code) => resolve({ code: code ?? -1, output, stdout }));
  });
}
