import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { commandLineOf, environmentOf, processes } from "../../cli/processes.ts";
import { projectRoot } from "../../tools/paths.ts";
import { describeUnless } from "../skip.ts";
import { BREAK_GLASS, healthyVerdict, withoutEngine } from "./engineStack.ts";

jest.setTimeout(300_000);

const wirecloak = join(projectRoot, "bin/wirecloak");
const committed = join(projectRoot, "Pulumi.rehearsal.yaml");

describeUnless(withoutEngine, "wirecloak up and down, as make runs them", () => {
  const home = mkdtempSync(join(tmpdir(), "wcl-"));
  const state = join(home, "s");
  const before = readFileSync(committed, "utf8");
  // No backend of the user's: the command line brings its own.
  const { PULUMI_BACKEND_URL: _, PULUMI_ACCESS_TOKEN: __, ...environment } = process.env;
  const env = { ...environment, WIRECLOAK_STATE_DIR: state, PULUMI_HOME: join(home, "nobody-logged-in") };

  function run(...args: string[]) {
    const { status, stdout, stderr } = spawnSync(wirecloak, args, { env, encoding: "utf8", maxBuffer: 64 << 20 });
    return { code: status ?? -1, stdout, output: `${stdout}${stderr}` };
  }
  /** Processes that name the state folder in their command line, or in the environment that they were started with. */
  function named(): string[] {
    return processes()
      .filter(({ pid, zombie }) => !zombie && `${commandLineOf(pid)}${environmentOf(pid)}`.includes(state))
      .map(({ pid, name }) => `${pid} ${name}`);
  }
  afterAll(() => {
    run("down", "--stack", "rehearsal");
    rmSync(home, { recursive: true, force: true });
  });

  test("a stack with a mistake in its settings is mended by the command that it is told, and can be removed as it is", () => {
    const name = `mistaken-${process.pid}`;
    const file = join(projectRoot, `Pulumi.${name}.yaml`);
    try {
      const cluster = "{ provider: rehearsal, name: t, workers: -1 }";
      writeFileSync(file, `config:\n  wirecloak:cluster: ${cluster}\n  wirecloak:proof: { enforze: true }\n`);
      const told = run("up", "--stack", name);
      expect(told.code).toBe(2);
      const [, fix = ""] = /fix: +\.\/bin\/wirecloak (.*workers.*)/.exec(told.output) ?? [];
      expect(run(...fix.split(" "))).toMatchObject({ code: 0 });
      expect(readFileSync(file, "utf8")).toMatch(/workers: [1-9]/);
      expect(run("up", "--stack", name).output).toMatch(/enforze(?!.*workers)/s);
      expect(run("down", "--stack", name)).toMatchObject({ code: 0 });
    } finally {
      rmSync(file);
    }
  });

  test("up is killed in the middle, and up again ends whole by itself", async () => {
    const first = spawn(wirecloak, ["up", "--stack", "rehearsal"], { env, stdio: "ignore", detached: true });
    const ended = new Promise((resolve) => first.on("close", resolve));
    const kubeconfig = join(state, "clusters/rehearsal/kubeconfig");
    const limit = Date.now() + 180_000;
    while (!existsSync(kubeconfig)) {
      if (first.exitCode !== null || Date.now() > limit) throw new Error("up ended before it could be killed");
      await sleep(50);
    }
    process.kill(-(first.pid ?? 0), "SIGKILL");
    await ended;

    const { code, output } = run("up", "--stack", "rehearsal");
    expect(output).toContain("removed the lock of a killed run");
    expect(output).toContain(`verdict: ${healthyVerdict} (in rehearsal)`);
    expect(output).toContain("not encrypted, by design:");
    expect(output).toContain("✅ wirecloak@v");
    expect(output).not.toMatch(/\[(advisory|mandatory)\]/);
    expect(code).toBe(0);
  });

  test("the passphrase of the state is its owner's alone", () => {
    expect(statSync(join(state, "passphrase")).mode & 0o077).toBe(0);
    expect(statSync(state).mode & 0o077).toBe(0);
  });

  test("status says for machines what the cluster is and why the verdict is no better", () => {
    const { code, stdout } = run("status", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      cluster: "rehearsal",
      provider: "rehearsal",
      encryption: "wireguard",
      nodeEncryption: false,
      keyId: null,
      verdict: healthyVerdict,
      evidence: { verdict: healthyVerdict, standing: "current" },
      simulated: true,
    });
    expect(code).toBe(0);
  });

  test("an audit finds the policy pack's rules to hold, in the state and in the cluster", () => {
    for (const [kind, ...place] of [
      ["state", "--stack", "rehearsal"],
      ["cluster", "--kubeconfig", join(state, "clusters/rehearsal/kubeconfig")],
    ]) {
      const { code, stdout } = run("audit", ...place, "--json");
      expect(JSON.parse(stdout)).toMatchObject({
        source: { kind },
        verdict: "holds",
        counts: { broken: 0 },
        unread: [],
      });
      expect(code).toBe(0);
    }
  });

  test("a hand-edited cilium-config is noticed, and status exits 1", () => {
    const kubectl = (...args: string[]) =>
      spawnSync("kubectl", [
        "--kubeconfig",
        join(state, "clusters/rehearsal/kubeconfig"),
        "-n",
        "kube-system",
        ...args,
      ]);
    const set = (on: boolean) => {
      const patch = { metadata: { annotations: BREAK_GLASS }, data: { "enable-wireguard": String(on) } };
      return kubectl("patch", "configmap", "cilium-config", "-p", JSON.stringify(patch)).status;
    };
    expect(set(false)).toBe(0);
    const { code, stdout } = run("status", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "failed", evidence: { standing: "stale" } });
    expect(stdout).toContain("enable-wireguard");
    expect(code).toBe(1);
    const audit = run("audit", "--kubeconfig", join(state, "clusters/rehearsal/kubeconfig"));
    expect(audit.output).toContain("enable-wireguard is false");
    expect(audit.code).toBe(1);
    expect(set(true)).toBe(0);
  });

  test("after a reboot a second up starts the cluster again, and writes nothing into the committed config", () => {
    spawnSync("pkill", ["-KILL", "-f", join(state, "clusters/rehearsal")]);
    const { code, output } = run("up", "--stack", "rehearsal");
    expect(output).toContain("Started again");
    expect(output).toMatch(/\d+ unchanged/);
    expect(output).not.toContain("pending operations");
    expect(code).toBe(0);
    expect(readFileSync(committed, "utf8")).toBe(before);
  });

  test("down leaves no process and no file", () => {
    expect(named()).not.toEqual([]);
    const { code, output } = run("down");
    expect(output).toContain("nothing is left");
    expect(code).toBe(0);
    expect(existsSync(state)).toBe(false);
    expect(named()).toEqual([]);
  });
});
