import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processesIn } from "../../rehearsal/processes.ts";
import { projectRoot } from "../../tools/paths.ts";
import { describeUnless } from "../skip.ts";
import { BREAK_GLASS, EngineStack, healthyVerdict, withoutEngine } from "./engineStack.ts";

jest.setTimeout(300_000);

describeUnless(withoutEngine, "a cluster that is not as the last update left it", () => {
  let stack: EngineStack;
  beforeAll(() => {
    stack = new EngineStack();
    // With Cilium's own IPAM, where nodes that come and go have other CIDRs than Kubernetes planned for them.
    stack.configure({ "wirecloak:encryption": "ipsec" }, {}, { ipam: "cluster-pool" });
    expect(stack.up().code).toBe(0);
  });
  afterAll(() => stack.close());

  const system = (...args: string[]) => stack.kubectl("-n", "kube-system", ...args);
  const keyLine = () => system("get", "secret", "cilium-ipsec-keys", "-o", "jsonpath={.data.keys}").output;
  const agentPods = () =>
    system("get", "pods", "-l", "k8s-app=cilium", "-o", "jsonpath={.items[*].metadata.uid}").output;
  const preview = (...args: string[]) => stack.pulumi("preview", "--non-interactive", ...args);

  const program = join(projectRoot, "rehearsal/main.ts");
  const run = (...args: string[]) => spawnSync("node", [program, ...args], { env: stack.env, encoding: "utf8" });

  function repaired(): string {
    const { code, output } = stack.up();
    expect(output).not.toContain("error:");
    expect(code).toBe(0);
    expect(stack.outputs()).toMatchObject({ verdict: healthyVerdict });
    return output;
  }

  function untouched(): void {
    const { code, output } = preview("--expect-no-changes");
    expect(output).not.toContain("not as the last update left it");
    expect(code).toBe(0);
  }

  test("a hand-edited cilium-config and admission policies that were deleted or loosened are named with who did it, and put back", () => {
    const binding = (name: string) => ["validatingadmissionpolicybinding", name];
    const actions = () =>
      stack.kubectl("get", ...binding("wirecloak-ipsec-keys"), "-o", "jsonpath={.spec.validationActions}").output;
    const before = actions();
    const edit = (change: object) =>
      system("patch", "configmap", "cilium-config", "--patch", JSON.stringify(change), "--field-manager=somebody");
    const data = { "enable-ipsec": "false" };
    expect(edit({ data }).output).toContain("it says none");
    expect(edit({ metadata: { annotations: BREAK_GLASS }, data }).code).toBe(0);
    expect(stack.kubectl("delete", ...binding("wirecloak-cilium-config")).code).toBe(0);
    const patch = JSON.stringify({ spec: { validationActions: ["Audit"] } });
    const loosen = ["patch", ...binding("wirecloak-ipsec-keys"), "--type=merge", "-p", patch];
    expect(stack.kubectl(...loosen, "--field-manager=somebody").code).toBe(0);

    expect(preview().output).toContain(
      "admission was taken away: ValidatingAdmissionPolicyBinding wirecloak-cilium-config deleted",
    );
    const output = repaired();
    expect(output).toMatch(/cilium-config was changed by somebody at \S+: enable-ipsec true -> false/);
    expect(output).toMatch(/cilium-release.*updated/);
    expect(system("get", "configmap", "cilium-config", "-o", "jsonpath={.data.enable-ipsec}").output).toBe("true");
    expect(actions()).toBe(before);
    // Without its policies the API server takes any edit; the annotations that break the glass stay.
    const unbroken = Object.fromEntries(Object.keys(BREAK_GLASS).map((key) => [key, null]));
    expect(edit({ metadata: { annotations: unbroken } }).code).toBe(0);
    expect(edit({ data }).output).toContain("it says none");
    untouched();
  });

  test("a deleted Secret comes back with the same key, and admission allows no more than before", async () => {
    const before = keyLine();
    const parameter = () => system("get", "configmap", "wirecloak-admission", "-o", "jsonpath={.data.allowed}").output;
    const allowed = parameter();
    expect(system("delete", "secret", "cilium-ipsec-keys").output).toContain("cannot be deleted");
    await stack.deleteSecret();
    expect(parameter()).not.toBe(allowed);
    const output = repaired();
    expect(output).toContain("Secret cilium-ipsec-keys was deleted");
    expect(output).toMatch(/what admission allows was changed by \S+ at \S+: now wireguard/);
    expect(keyLine()).toBe(before);
    expect(parameter()).toBe(allowed);
  });

  test("a key edited by hand is put back, and the agents start anew, since they take no other key of the same id", () => {
    const [before, pods] = [keyLine(), agentPods()];
    const other = Buffer.from(`3+ rfc4106(gcm(aes)) ${"ab".repeat(20)} 128`).toString("base64");
    const patch = JSON.stringify({ data: { keys: other } });
    expect(system("patch", "secret", "cilium-ipsec-keys", "--patch", patch, "--field-manager=somebody").code).toBe(0);
    expect(repaired()).toMatch(/Secret cilium-ipsec-keys was changed by somebody at \S+: it holds another key/);
    expect(keyLine()).toBe(before);
    expect(agentPods()).not.toBe(pods);
  });

  const TABLE = ["bridge", "wirecloak-t"];
  const nft = (...args: string[]) => {
    const bridge = [join(projectRoot, "rehearsal/bridge.sh"), join(stack.stateDir, "clusters/t")];
    return spawnSync("sh", [...bridge, "nft", ...args], { env: stack.env, encoding: "utf8" });
  };

  /** The ruleset of the guard; undefined where nodes have no wire for want of rights, and so no guard. */
  function guard(): string | undefined {
    if (healthyVerdict !== "proven") return undefined;
    const { status, stdout } = nft("-s", "list", "table", ...TABLE);
    expect(status).toBe(0);
    return stdout;
  }

  test("nodes that have rebooted are proven again, a guard that was changed by hand is set again, and agents go on as they are", async () => {
    const rules = guard();
    const machines = processesIn(join(stack.stateDir, "clusters/t")).filter(
      ({ program }) => program === "wirecloak-agent",
    );
    expect(machines.length).toBeGreaterThan(0);
    for (const { pid } of machines) process.kill(pid, "SIGKILL");
    expect(run("start", "--name", "t").status).toBe(0);
    const pods = agentPods();
    // The bridge comes back with the nodes, and its table with it.
    while (rules && nft("flush", "chain", ...TABLE, "between_nodes").status !== 0) await sleep(100);
    const output = repaired();
    expect(output).toMatch(/node t-worker rebooted/);
    if (rules) expect(output).toMatch(/the guard is another than the last update left/);
    expect(guard()).toBe(rules);
    expect(agentPods()).toBe(pods);
    untouched();
  });

  test("a guard that is gone is named by a preview, and set again", () => {
    const rules = guard();
    if (rules === undefined) return;
    const pods = agentPods();
    expect(nft("delete", "table", ...TABLE).status).toBe(0);
    const { output } = preview();
    expect(output).toMatch(/the guard is gone/);
    expect(output).toMatch(/guard-rehearsal-t-widen.*update/);
    repaired();
    expect(guard()).toBe(rules);
    expect(agentPods()).toBe(pods);
  });
});
