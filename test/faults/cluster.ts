import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ipsecKeyLine, keyBytes } from "../../components/encryption/ipsecKey.ts";
import { ciliumValues } from "../../components/encryption/values.ts";
import { intentOf } from "../../components/proof/intent.ts";
import { loadSettings, type Settings } from "../../components/settings.ts";
import { packageChart } from "../../rehearsal/package.ts";
import { projectRoot } from "../../tools/paths.ts";
import { CLUSTER, type Fault, type Setting } from "./matrix.ts";

const REHEARSAL = join(projectRoot, "rehearsal/main.ts");
const PROVER = join(projectRoot, "prover/main.ts");

/** What the prover said of the cluster once. */
export interface Proved {
  verdict: string;
  statement: string;
  reasons: string[];
  seconds: number;
}

/** A rehearsal cluster without Pulumi around it: brought to a setting, told to misbehave, and proven. */
export class FaultyCluster {
  private readonly state = realpathSync(mkdtempSync(join(tmpdir(), "wcf-")));
  private readonly env: NodeJS.ProcessEnv;
  private readonly charts: string;
  private nodes = 0;
  private settings: Settings | undefined;

  constructor(env: NodeJS.ProcessEnv) {
    this.env = { ...env, WIRECLOAK_STATE_DIR: this.state };
    this.charts = join(this.state, "charts");
    packageChart(undefined, this.charts);
  }

  /** Brings the cluster to a setting, and waits for its agents. */
  become(setting: Setting): void {
    const settings = settingsOf(setting, this.charts);
    if (this.nodes !== setting.nodes) {
      const spec = { name: CLUSTER, workers: setting.nodes - 1, podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16" };
      this.run("node", [REHEARSAL, this.nodes === 0 ? "create" : "scale", "--name", CLUSTER], JSON.stringify(spec));
      this.nodes = setting.nodes;
    }
    if (setting.encryption === "ipsec") this.makeKey(settings);
    const chart = join(this.charts, `cilium-${setting.cilium}.tgz`);
    const release = ["upgrade", "--install", "cilium", chart, "--namespace", "kube-system", "--values", "-"];
    this.run("helm", [...release, "--kubeconfig", this.kubeconfig], JSON.stringify(ciliumValues(settings)));
    this.run("kubectl", [...this.inCilium, "rollout", "status", "daemonset/cilium", "--timeout", "90s"]);
    this.settings = settings;
  }

  /** The faults in force from now on, and no others. */
  order(faults: readonly Fault[]): void {
    const fault = (...args: string[]): void => {
      this.run("node", [REHEARSAL, "fault", "--name", CLUSTER, "--", ...args]);
    };
    fault("clear");
    for (const { kind, node, peer, percent } of faults)
      fault("set", kind, node, ...(peer ? ["--peer", peer] : []), ...(percent ? ["--percent", String(percent)] : []));
  }

  /** Runs the prover on it as `wirecloak verify` does; whatever it leaves goes to `folder`. */
  prove(folder: string): Proved {
    if (!this.settings) throw new Error("the cluster has no setting yet");
    const outside = {
      name: "the nodes' bridge",
      device: "lan0",
      command: ["sh", join(projectRoot, "rehearsal/bridge.sh"), join(this.state, "clusters", CLUSTER)],
    };
    const intent = intentOf(this.settings, { simulated: true, nodes: this.nodes, outside: () => outside });
    const args = ["verify", "--intent", "-", "--kubeconfig", this.kubeconfig, "--wait", "5", "--json"];
    const { stdout, stderr } = spawnSync("node", [PROVER, ...args, "--evidence", folder, "--captures", folder], {
      env: this.env,
      input: JSON.stringify(intent),
      encoding: "utf8",
      maxBuffer: 64 << 20,
    });
    writeFileSync(join(folder, "prover.log"), stderr);
    if (!stdout) throw new Error(`the prover said nothing:\n${stderr}`);
    return JSON.parse(stdout) as Proved;
  }

  /** Removes the cluster and everything of it. */
  close(): void {
    spawnSync("node", [REHEARSAL, "sweep"], { env: this.env });
    rmSync(this.state, { recursive: true, force: true });
  }

  private get kubeconfig(): string {
    return join(this.state, "clusters", CLUSTER, "kubeconfig");
  }

  private get inCilium(): string[] {
    return ["--kubeconfig", this.kubeconfig, "--namespace", "kube-system"];
  }

  /** The Secret with a key of its own, as the stack makes it; agents that run take a new one up by its id, so it is the same for all. */
  private makeKey({ ipsec }: Settings): void {
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "cilium-ipsec-keys" },
      stringData: { keys: ipsecKeyLine(ipsec.keyId, randomBytes(keyBytes(ipsec.keyBits)).toString("hex")) },
    };
    const { status } = spawnSync("kubectl", [...this.inCilium, "get", "secret", "cilium-ipsec-keys"], {
      env: this.env,
    });
    if (status !== 0) this.run("kubectl", [...this.inCilium, "apply", "-f", "-"], JSON.stringify(secret));
  }

  private run(program: string, args: string[], input = ""): void {
    const { status, stderr, error } = spawnSync(program, args, { env: this.env, input, encoding: "utf8" });
    if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${error?.message ?? stderr}`);
  }
}

/** The settings that a stack's config would give. */
function settingsOf({ encryption, nodeEncryption, routing, nodes, cilium }: Setting, charts: string): Settings {
  const config = {
    wireguard: { nodeEncryption },
    cluster: { provider: "rehearsal", name: CLUSTER, workers: nodes - 1 },
    cilium: { version: cilium, chart: charts, routing, ...(routing === "native" && { nativeCidr: "10.244.0.0/16" }) },
    proof: { seconds: 1 },
  };
  const texts = Object.entries(config).map(([key, value]) => [`wirecloak:${key}`, JSON.stringify(value)]);
  const all = { "wirecloak:encryption": encryption, ...Object.fromEntries(texts) };
  return loadSettings(all, { projectRoot, today: new Date().toISOString().slice(0, 10) }).settings;
}
