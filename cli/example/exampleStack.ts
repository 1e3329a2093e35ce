import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { UserError } from "../../components/userError.ts";
import { projectRoot } from "../../tools/paths.ts";
import { fileBackend } from "../fileBackend.ts";
import { clusterIn } from "../liveCluster.ts";
import { endOrphans } from "../orphans.ts";
import { policyPack } from "../policyPack.ts";
import type { LiveCluster } from "../status.ts";

const STACK = "example";

/** What a program left. */
export interface Ended {
  code: number;
  /** Standard output alone, and with standard error. */
  stdout: string;
  output: string;
}

/** A stack of this program, or of an example's own, with a backend and a state folder of its own, so that the user's stacks are as they were. */
export class ExampleStack {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  private readonly program: string;
  private readonly configFile: string;
  private readonly running = new Set<ChildProcess>();
  /** Asked for once after each update. */
  private known: Record<string, unknown> | undefined;

  /** `home`: its state folder, which is all that it leaves. `program`: the folder of its Pulumi.yaml. `env`: with the tools in PATH. */
  constructor(home: string, program: string, env: NodeJS.ProcessEnv) {
    this.home = home;
    this.program = program;
    this.configFile = join(home, `Pulumi.${STACK}.yaml`);
    const { PULUMI_CONFIG_PASSPHRASE: _, PULUMI_ACCESS_TOKEN: __, ...others } = env;
    this.env = {
      ...others,
      WIRECLOAK_STATE_DIR: home,
      PULUMI_BACKEND_URL: fileBackend(join(home, "backend")),
      PULUMI_CONFIG_PASSPHRASE_FILE: join(home, "passphrase"),
      // Nothing may reach for the user's own.
      KUBECONFIG: join(home, "no-kubeconfig"),
    };
  }

  /** Makes the empty stack. */
  create(): void {
    mkdirSync(join(this.home, "backend"), { recursive: true, mode: 0o700 });
    writeFileSync(join(this.home, "passphrase"), randomBytes(32).toString("base64url"), { mode: 0o600 });
    copyFileSync(join(this.program, "Pulumi.yaml"), join(this.home, "Pulumi.yaml"));
    if (this.program !== projectRoot) this.link();
    const init = spawnSync("pulumi", ["stack", "init", STACK], { cwd: this.home, env: this.env, encoding: "utf8" });
    if (init.status === 0) return;
    throw new UserError([{ key: "example", message: `Pulumi could not make its stack: ${init.stderr.trim()}` }]);
  }

  /** Has npm link this checkout into the program's own packages; there is nothing to download. */
  private link(): void {
    const asked = ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"];
    const { status, stderr } = spawnSync("npm", asked, { cwd: this.program, env: this.env, encoding: "utf8" });
    if (status !== 0) throw new UserError([{ key: "example", message: `npm could not set it up: ${stderr.trim()}` }]);
  }

  /** Brings the stack to a config, held against the policy pack as `wirecloak up` does. */
  up(config: Readonly<Record<string, unknown>>): Promise<Ended> {
    const salt = existsSync(this.configFile)
      ? /^encryptionsalt: .*$/m.exec(readFileSync(this.configFile, "utf8"))?.[0]
      : "";
    writeFileSync(this.configFile, `${stringify({ config })}${salt ?? ""}\n`, { mode: 0o600 });
    this.known = undefined;
    const pack = ["--policy-pack", policyPack];
    const quiet = ["--yes", "--skip-preview", "--non-interactive", "--suppress-outputs"];
    return this.run("pulumi", ["up", ...quiet, ...pack, "--stack", STACK, "--config-file", this.configFile]);
  }

  /** The stack's outputs; empty where it has none. */
  outputs(): Record<string, unknown> {
    if (this.known) return this.known;
    const asked = ["stack", "output", "--json", "--stack", STACK];
    const { status, stdout } = spawnSync("pulumi", asked, { cwd: this.program, env: this.env, encoding: "utf8" });
    this.known = status === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : {};
    return this.known;
  }

  /** The cluster, once there is one. */
  live(): LiveCluster {
    const live = clusterIn(this.outputs());
    if (!live) throw new UserError([{ key: "example", message: "Its stack has no cluster yet." }]);
    return live;
  }

  /** kubectl on the cluster. */
  kubectl(args: readonly string[]): Promise<Ended> {
    const { kubeconfig, context } = this.live();
    return this.run("kubectl", ["--kubeconfig", kubeconfig, ...(context ? ["--context", context] : []), ...args]);
  }

  /** Removes the cluster, whatever state it is in, and every file of the stack. */
  remove(): void {
    if (!existsSync(this.home)) return;
    endOrphans(this.env.PULUMI_BACKEND_URL ?? "");
    for (const sweeper of ["rehearsal/main.ts", "components/cluster/kindCluster.ts"]) {
      const args = [join(projectRoot, sweeper), "sweep", "--state", this.home];
      spawnSync("node", args, { env: this.env, stdio: ["ignore", "ignore", "inherit"] });
    }
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Ends what runs, as Ctrl-C at a terminal would. */
  interrupt(): void {
    for (const child of this.running) child.kill("SIGINT");
  }

  private run(program: string, args: readonly string[]): Promise<Ended> {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, { cwd: this.program, env: this.env, stdio: ["ignore", "pipe", "pipe"] });
      this.running.add(child);
      const ended: Ended = { code: 1, stdout: "", output: "" };
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        ended.stdout += text;
        ended.output += text;
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        ended.output += text;
      });
      child.on("error", reject);
      child.on("close", (code) => {
        this.running.delete(child);
        resolve({ ...ended, code: code ?? 1 });
      });
    });
  }
}
