import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { packageChart } from "../../rehearsal/package.ts";
import { processesIn } from "../../rehearsal/processes.ts";
import { findOnPath } from "../../tools/findOnPath.ts";
import { describeUnless } from "../skip.ts";

const TOOLS = ["kwokctl", "kwok", "etcd", "kube-apiserver", "kubectl", "helm", "wirecloak-agent"];
const missing = TOOLS.filter((tool) => findOnPath(tool, process.env.PATH ?? "").length === 0);
const without = missing.length > 0 ? `not on PATH: ${missing.join(", ")} (make tools)` : undefined;

const PROGRAM = join(__dirname, "../../rehearsal/main.ts");
const spec = { name: "t", workers: 1, podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16" };
const KEY = "3+ rfc4106(gcm(aes)) 5f0d6f3ad1b1c9a7e8f0a1b2c3d4e5f60718293a 128";
const NEXT_KEY = "4+ rfc4106(gcm(aes)) 0718293a5f0d6f3ad1b1c9a7e8f0a1b2c3d4e5f6 128";

jest.setTimeout(120_000);

describeUnless(without, "the life of a rehearsal cluster", () => {
  let state: string;
  let env: NodeJS.ProcessEnv;
  beforeAll(() => {
    state = realpathSync(mkdtempSync(join(tmpdir(), "wirecloak-")));
    env = {
      ...process.env,
      WIRECLOAK_STATE_DIR: state,
      WIRECLOAK_CACHE_DIR: join(state, "cache"),
      PASSPHRASE: "geheim",
    };
  });
  afterAll(() => {
    rehearsal("sweep");
    rmSync(state, { recursive: true, force: true });
  });

  const cluster = () => join(state, "clusters", "t");
  const running = () => processesIn(join(state, "clusters"));

  function rehearsal(command: string, input?: object) {
    return spawnSync("node", [PROGRAM, command, "--name", "t"], {
      env,
      encoding: "utf8",
      ...(input && { input: JSON.stringify(input) }),
    });
  }

  function begin(command: string, input: object): ChildProcess {
    const child = spawn("node", [PROGRAM, command, "--name", "t"], { env, stdio: ["pipe", "ignore", "ignore"] });
    child.stdin?.end(JSON.stringify(input));
    return child;
  }

  function kubectl(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync("kubectl", ["--kubeconfig", join(cluster(), "kubeconfig"), ...args], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    return stdout;
  }

  const nodeNames = () => kubectl("get", "nodes", "--output=jsonpath={.items[*].metadata.name}").split(" ");

  function toldBy(command: () => string): string {
    try {
      return command();
    } catch (error) {
      return String(error);
    }
  }

  async function until<T>(look: () => T, is: (seen: T) => boolean): Promise<T> {
    for (let seen = look(); ; seen = look()) {
      if (is(seen)) return seen;
      await sleep(200);
    }
  }

  test("a create that is killed leaves something that create makes whole, with nodes named as kind's", async () => {
    const killed = begin("create", spec);
    await until(running, (seen) => seen.some(({ program }) => program === "etcd"));
    killed.kill("SIGKILL");
    await once(killed, "exit");
    const { stdout, status } = rehearsal("create", spec);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      incarnation: expect.stringMatching(/^[0-9a-f-]{36}$/),
      server: { host: "127.0.0.1", port: expect.any(Number) },
      kubeconfigPath: join(cluster(), "kubeconfig"),
    });
    expect(nodeNames()).toEqual(["t-control-plane", "t-worker"]);
    expect(statSync(join(cluster(), "kubeconfig")).mode & 0o777).toBe(0o600);
    expect(statSync(cluster()).mode & 0o777).toBe(0o700);
  });

  test("its processes are in sessions of their own, keep nothing of their starter open and none of its secrets", () => {
    expect(
      running()
        .map(({ program }) => program)
        .sort(),
    ).toEqual(
      [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kwok-controller",
        "wirecloak-agent",
      ].sort(),
    );
    for (const { pid } of running()) {
      const session = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[3];
      expect(Number(session)).toBe(pid);
      expect(readFileSync(`/proc/${pid}/environ`, "utf8")).not.toContain("geheim");
    }
  });

  test("only loopback is listened on", () => {
    const pids = new Set(running().map(({ pid }) => `pid=${pid},`));
    const { stdout, error } = spawnSync("ss", ["-ltnpH"], { encoding: "utf8" });
    if (error) return;
    const own = stdout.split("\n").filter((line) => [...pids].some((pid) => line.includes(pid)));
    expect(own.length).toBeGreaterThan(0);
    for (const line of own) expect(line).toMatch(/\s127\.0\.0\.1:/);
  });

  test("agents in IPsec mode wait for the Secret, take its key, rotate it, and never tell it", async () => {
    const chart = join(state, "charts");
    packageChart(["1.20.2"], chart);
    const values = ["encryption.enabled=true,encryption.type=ipsec,operator.replicas=1"];
    const helm = spawnSync(
      "helm",
      [
        "upgrade",
        "--install",
        "cilium",
        join(chart, "cilium-1.20.2.tgz"),
        "--namespace=kube-system",
        "--set",
        ...values,
      ],
      { env: { ...env, KUBECONFIG: join(cluster(), "kubeconfig") }, encoding: "utf8" },
    );
    expect(helm.stderr).toBe("");
    const waiting = "--output=jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}";
    const agents = ["get", "pods", "--namespace=kube-system", "--selector=k8s-app=cilium"];
    await until(
      () => kubectl(...agents, waiting),
      (seen) => seen === "ContainerCreating ContainerCreating",
    );

    const secret = ["--namespace=kube-system", "secret"];
    kubectl(
      "create",
      "--namespace=kube-system",
      "secret",
      "generic",
      "cilium-ipsec-keys",
      `--from-literal=keys=${KEY}`,
    );
    const keys = () => kubectl("get", "ciliumnodes", "--output=jsonpath={.items[*].spec.encryption.key}");
    await until(
      () => kubectl("get", "daemonset", "cilium", "--namespace=kube-system", "--output=jsonpath={.status.numberReady}"),
      (seen) => seen === "2",
    );
    expect(keys()).toBe("3 3");
    kubectl("patch", ...secret, "cilium-ipsec-keys", `--patch={"stringData":{"keys":"${NEXT_KEY}"}}`);
    await until(keys, (seen) => seen === "4 4");

    const exec = [
      "exec",
      "--namespace=kube-system",
      "daemonset/cilium",
      "--",
      "cilium-dbg",
      "encrypt",
      "status",
      "-o",
      "json",
    ];
    expect(JSON.parse(kubectl(...exec))).toEqual({
      mode: "IPsec",
      ipsec: { "decrypt-interfaces": ["eth0"], "keys-in-use": 8, "max-seq-number": "N/A" },
    });
    // Programs of this machine run without its rights, and not at all where there is no wire.
    expect(toldBy(() => kubectl("exec", "--namespace=kube-system", "daemonset/cilium", "--", "id", "-u"))).toMatch(
      /^65534\n$|has no wire/,
    );
    const logs = readdirSync(cluster(), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && entry.name.endsWith(".log"),
    );
    expect(logs.length).toBeGreaterThan(5);
    for (const { parentPath, name } of logs) {
      const text = readFileSync(join(parentPath, name), "utf8");
      for (const key of [KEY, NEXT_KEY]) expect(text).not.toContain(key.split(" ")[2]);
    }
  });

  test("processes that were ended are started again, in the same incarnation", () => {
    const before = JSON.parse(rehearsal("status").stdout);
    for (const { pid } of running()) process.kill(pid, "SIGKILL");
    expect(JSON.parse(rehearsal("status").stdout)).toMatchObject({ exists: true, running: false });
    expect(rehearsal("start").status).toBe(0);
    expect(JSON.parse(rehearsal("status").stdout)).toEqual(before);
    expect(rehearsal("start").stderr).toBe("");
    expect(nodeNames()).toHaveLength(2);
  });

  test("workers come and go in place, their CiliumNodes with them, and the last node takes every pod", async () => {
    const taints = () => kubectl("get", "node", "t-control-plane", "--output=jsonpath={.spec.taints}");
    expect(taints()).toContain("node-role.kubernetes.io/control-plane");
    expect(rehearsal("scale", { ...spec, workers: 3 }).status).toBe(0);
    expect(nodeNames()).toEqual(["t-control-plane", "t-worker", "t-worker2", "t-worker3"]);
    const ciliumNodes = () => kubectl("get", "ciliumnodes", "--output=name").trim().split("\n");
    await until(ciliumNodes, (seen) => seen.length === 4);
    expect(rehearsal("scale", { ...spec, workers: 0 }).status).toBe(0);
    expect(nodeNames()).toEqual(["t-control-plane"]);
    await until(ciliumNodes, (seen) => seen.length === 1);
    expect(taints()).toBe("");
  });

  test("create of what exists keeps it, and refuses other networks with the way out", () => {
    const { incarnation } = JSON.parse(rehearsal("status").stdout);
    expect(JSON.parse(rehearsal("create", { ...spec, workers: 0 }).stdout).incarnation).toBe(incarnation);
    const refused = rehearsal("create", { ...spec, podCidr: "10.245.0.0/16" });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/podCidr = "10.245.0.0\/16".*10.244.0.0\/16.*make down/s);
  });

  test("a folder that goes takes the processes with it", async () => {
    rmSync(cluster(), { recursive: true });
    await until(running, (seen) => seen.length === 0);
  });

  test("sweep removes a half-made cluster; delete of what is not there is no error", async () => {
    const killed = begin("create", spec);
    await until(running, (seen) => seen.some(({ program }) => program === "kube-apiserver"));
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect(rehearsal("sweep").status).toBe(0);
    expect(running()).toEqual([]);
    expect(
      readdirSync(join(state, "clusters"), { withFileTypes: true }).filter((entry) => entry.isDirectory()),
    ).toEqual([]);
    expect(rehearsal("delete").status).toBe(0);
  });
});
