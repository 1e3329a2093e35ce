import { type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { fileBackend } from "../../cli/fileBackend.ts";
import { endOrphans } from "../../cli/orphans.ts";
import { takeUpReleases } from "../../cli/takeUp.ts";
import { projectRoot } from "../../tools/paths.ts";

/** Why the engine tier cannot run on this machine; undefined where it can. */
export const withoutEngine =
  process.platform !== "linux"
    ? "rehearsal runs on Linux only"
    : ["pulumi", "kwokctl", "etcd", "kube-apiserver", "helm", "wirecloak-agent"]
        .filter((tool) => spawnSync("which", [tool]).status !== 0)
        .map((tool) => `${tool} is not on PATH (run \`make test\`)`)
        .at(0);

/** The verdict on a healthy cluster: without rights and programs for a wire a rehearsal proves nothing, and says so. */
export const healthyVerdict =
  process.getuid?.() === 0 && ["tcpdump", "socat", "nft"].every((tool) => spawnSync("which", [tool]).status === 0)
    ? "proven"
    : "not proven";

/** What a finished command left. */
export interface Run {
  code: number;
  /** Standard output and error, as they came. */
  output: string;
}

/** One resource in an exported state. */
export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  parent?: string;
  dependencies?: string[];
}

/** The state as the backend keeps it, as far as tests look at it. */
interface State {
  checkpoint: { latest: { resources: StateResource[]; pending_operations?: object[] } };
}

/** For stacks whose test is not about admission: it takes some seconds of each update, and other tests look at what it does. */
export const WITHOUT_ADMISSION = { "wirecloak:admission": false };

/** What makes the admission policies let a change of an object through. */
export const BREAK_GLASS = {
  "wirecloak.io/plaintext-until": "2099-01-01",
  "wirecloak.io/plaintext-reason": "a test",
};

/** A stack of the real program, or of another one, in a backend, a state folder and a rehearsal cluster of its own. */
export class EngineStack {
  readonly home = mkdtempSync(join(tmpdir(), "wcl-"));
  readonly stateDir = join(this.home, "s");
  readonly env: NodeJS.ProcessEnv;
  private readonly configFile = join(this.home, "Pulumi.test.yaml");
  private readonly always: Record<string, unknown>;
  private readonly program: string;

  /** @param always settings that every `configure` begins with; `program`: the folder of its Pulumi.yaml */
  constructor(always: Record<string, unknown> = {}, program = projectRoot) {
    this.always = always;
    this.program = program;
    const backend = join(this.home, "backend");
    mkdirSync(backend);
    this.env = {
      ...process.env,
      WIRECLOAK_STATE_DIR: this.stateDir,
      PULUMI_BACKEND_URL: fileBackend(backend),
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      // Nothing may reach for the kubeconfig of whoever runs the tests.
      KUBECONFIG: join(this.home, "poisoned-kubeconfig"),
    };
    writeFileSync(join(this.home, "poisoned-kubeconfig"), "not a kubeconfig");
    copyFileSync(join(program, "Pulumi.yaml"), join(this.home, "Pulumi.yaml"));
    this.configure({});
    const init = spawnSync("pulumi", ["stack", "init", "test"], { cwd: this.home, env: this.env, encoding: "utf8" });
    if (init.status !== 0) throw new Error(init.stderr);
  }

  /** Sets the whole config: a rehearsal of 1 + 1 nodes in WireGuard mode, and `changes` over it. */
  configure(
    changes: Record<string, unknown>,
    cluster: Record<string, unknown> = {},
    cilium: Record<string, unknown> = {},
  ): void {
    this.writeConfig({
      "wirecloak:encryption": "wireguard",
      "wirecloak:cluster": { provider: "rehearsal", name: "t", workers: 1, ...cluster },
      "wirecloak:cilium": { chart: join(projectRoot, "rehearsal/packages"), ...cilium },
      // Two nodes have little to send.
      "wirecloak:proof": { seconds: 1 },
      // It takes seconds of each update, and one test looks at what it says.
      "wirecloak:watch": false,
      ...this.always,
      ...changes,
    });
  }

  /** Sets the whole config, as it is. */
  writeConfig(config: Record<string, unknown>): void {
    const salt = existsSync(this.configFile)
      ? /encryptionsalt: .*/.exec(readFileSync(this.configFile, "utf8"))?.[0]
      : "";
    writeFileSync(this.configFile, `${stringify({ config })}${salt ?? ""}\n`);
  }

  /** Runs a Pulumi command on the stack to its end. */
  pulumi(...args: string[]): Run {
    const { status, stdout, stderr } = spawnSync("pulumi", this.arguments(args), {
      cwd: this.program,
      env: this.env,
      encoding: "utf8",
      maxBuffer: 64 << 20,
    });
    return { code: status ?? -1, output: `${stdout}${stderr}` };
  }

  /** Starts a Pulumi command as leader of a process group of its own, so that a test can kill all of it. */
  start(args: string[], { stdio = "ignore", env = {} }: Pick<SpawnOptions, "stdio" | "env"> = {}) {
    const options = { cwd: this.program, env: { ...this.env, ...env }, stdio, detached: true };
    return spawn("pulumi", this.arguments(args), options);
  }

  up(...args: string[]): Run {
    return this.pulumi("up", "--yes", "--skip-preview", "--non-interactive", ...args);
  }

  /** Starts an update and kills all of it, as a power cut would, once `reached` holds. */
  async killUpWhen(reached: () => boolean): Promise<void> {
    const update = this.start(["up", "--yes", "--skip-preview", "--non-interactive"]);
    const ended = new Promise((resolve) => update.on("close", resolve));
    const limit = Date.now() + 180_000;
    while (!reached()) {
      if (update.exitCode !== null || Date.now() > limit) throw new Error("the update ended before it could be killed");
      await sleep(100);
    }
    process.kill(-(update.pid ?? 0), "SIGKILL");
    await ended;
  }

  /** The outputs of the stack. */
  outputs(): Record<string, unknown> {
    return this.resources().find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {};
  }

  /** The state as the backend keeps it on disk, secrets encrypted: from its file, since asking Pulumi costs a second each time. */
  resources(): StateResource[] {
    if (!existsSync(this.stateFile)) return [];
    return (JSON.parse(readFileSync(this.stateFile, "utf8")) as Partial<State>).checkpoint?.latest?.resources ?? [];
  }

  private get stateFile(): string {
    const { name } = parse(readFileSync(join(this.program, "Pulumi.yaml"), "utf8")) as { name: string };
    return join(this.home, "backend/.pulumi/stacks", name, "test.json");
  }

  /** Has the state forget a resource and all that rests on it, but for its create, which it calls begun: as after a kill between the two. */
  forget(type: string): void {
    // Not by `pulumi stack import`, which drops what is begun.
    const state = JSON.parse(readFileSync(this.stateFile, "utf8")) as State;
    const { latest } = state.checkpoint;
    const begun = latest.resources.find((resource) => resource.type === type);
    if (!begun) throw new Error(`the state holds no ${type}`);
    const gone = new Set([begun.urn]);
    // What comes later in a state rests on what is before.
    for (const { urn, parent, dependencies = [] } of latest.resources)
      if ([parent, ...dependencies].some((each) => each !== undefined && gone.has(each))) gone.add(urn);
    const { id: _, outputs: __, ...resource } = begun;
    latest.resources = latest.resources.filter(({ urn }) => !gone.has(urn));
    latest.pending_operations = [{ resource, type: "creating" }];
    writeFileSync(this.stateFile, JSON.stringify(state));
  }

  /** Takes up what a killed install has left, as `make up` does. */
  takeUp(): void {
    const file = join(this.home, "state.json");
    this.pulumi("stack", "export", "--file", file);
    const { kubeconfig, env } = this;
    const pulumi = (...args: string[]) => this.pulumi(...args);
    takeUpReleases(JSON.parse(readFileSync(file, "utf8")), { kubeconfig, env, pulumi });
  }

  /** Writes a document beside the stack, and returns the file's path. */
  file(name: string, document: unknown): string {
    const path = join(this.home, name);
    writeFileSync(path, JSON.stringify(document));
    return path;
  }

  /** Makes a rehearsal cluster beside the stack, with one worker, as others would; returns its kubeconfig's path. */
  makeCluster(): string {
    const spec = { name: "t", workers: 1, podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16" };
    const program = join(projectRoot, "rehearsal/main.ts");
    const made = spawnSync("node", [program, "create", "--name", "t"], {
      env: this.env,
      input: JSON.stringify(spec),
      encoding: "utf8",
    });
    if (made.status !== 0) throw new Error(made.stderr);
    return this.kubeconfig;
  }

  private get kubeconfig(): string {
    return join(this.stateDir, "clusters/t/kubeconfig");
  }

  /** Runs a command against the stack's cluster. */
  kubectl(...args: string[]): Run {
    const { status, stdout, stderr } = spawnSync("kubectl", ["--kubeconfig", this.kubeconfig, ...args], {
      encoding: "utf8",
    });
    return { code: status ?? -1, output: `${stdout}${stderr}` };
  }

  /** Deletes the Secret of the IPsec keys, as an administrator who has admission allow that. */
  async deleteSecret(): Promise<void> {
    const inCilium = ["-n", "kube-system"];
    this.kubectl(...inCilium, "patch", "configmap", "wirecloak-admission", "-p", '{"data":{"allowed":"wireguard"}}');
    // The API server learns of that by a watch.
    for (let tries = 0; tries < 50; tries++) {
      if (this.kubectl(...inCilium, "delete", "secret", "cilium-ipsec-keys").code === 0) return;
      await sleep(100);
    }
    throw new Error("the Secret cannot be deleted");
  }

  /** Removes the cluster, whatever state it is in, and every file of the stack. */
  close(): void {
    endOrphans(this.env.PULUMI_BACKEND_URL ?? "");
    spawnSync("node", [join(projectRoot, "rehearsal/main.ts"), "sweep"], { env: this.env, stdio: "ignore" });
    rmSync(this.home, { recursive: true, force: true });
  }

  private arguments([command = "", ...rest]: string[]): string[] {
    const takesConfig = ["up", "preview", "refresh", "destroy", "import"].includes(command);
    return [command, ...rest, "--stack", "test", ...(takesConfig ? ["--config-file", this.configFile] : [])];
  }
}
