import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { commandLineOf, environmentOf, processes } from "../../cli/processes.ts";
import type { Change } from "../../prover/watch/change.ts";
import { describeUnless } from "../skip.ts";
import { BREAK_GLASS, EngineStack, healthyVerdict, type StateResource, withoutEngine } from "./engineStack.ts";

jest.setTimeout(300_000);

const PLAIN_ON_A_NODE = "/apis/cilium.io/v2/namespaces/kube-system/ciliumnodeconfigs";

/** The processes whose command line names this stack's folder. */
function processesOf(stack: EngineStack): string[] {
  return processes()
    .map(({ pid }) => commandLineOf(pid))
    .filter((line) => line.includes(stack.stateDir));
}

function find(resources: StateResource[], type: string): StateResource {
  const found = resources.find((resource) => resource.type === type);
  if (!found) throw new Error(`no ${type} in the state`);
  return found;
}

const watched = { "wirecloak:watch": true };

describeUnless(withoutEngine, "one stack through its life", () => {
  let stack: EngineStack;
  beforeAll(() => {
    stack = new EngineStack();
    stack.configure(watched);
  });
  afterAll(() => stack.close());

  test("a preview without any cluster says what would be made, and makes nothing", () => {
    const { code, output } = stack.pulumi("preview", "--non-interactive");
    expect(output).toContain("wirecloak:cluster:Rehearsal");
    expect(code).toBe(0);
    expect(existsSync(join(stack.stateDir, "clusters/t/kubeconfig"))).toBe(false);
  });

  test("up in WireGuard mode ends with a verdict that claims no more than was observed", () => {
    const { code, output } = stack.up();
    expect(output).not.toContain("error:");
    expect(code).toBe(0);
    expect(stack.outputs()).toMatchObject({
      provider: "rehearsal",
      encryption: "wireguard",
      nodes: 2,
      verdict: healthyVerdict,
    });
  });

  test("the agents run what was asked for", () => {
    const config = stack.kubectl("-n", "kube-system", "get", "configmap", "cilium-config", "-o", "json");
    expect(JSON.parse(config.output).data).toMatchObject({ "enable-wireguard": "true" });
    const status = stack.kubectl(
      "-n",
      "kube-system",
      "exec",
      "ds/cilium",
      "--",
      "cilium-dbg",
      "encrypt",
      "status",
      "-o",
      "json",
    );
    expect(JSON.parse(status.output)).toMatchObject({ mode: "Wireguard" });
  });

  test("a hand that would turn encryption off is refused, with what is allowed", () => {
    const patch = '{"data":{"enable-wireguard":"false"}}';
    const { code, output } = stack.kubectl("-n", "kube-system", "patch", "configmap", "cilium-config", "-p", patch);
    expect(output).toMatch(/forbidden: ValidatingAdmissionPolicy 'wirecloak-cilium-config'.* Allowed: wireguard \(/);
    expect(code).not.toBe(0);
  });

  test("a second up changes nothing", () => {
    expect(stack.up("--expect-no-changes")).toMatchObject({ code: 0 });
  });

  test("refresh finds no drift", () => {
    expect(
      stack.pulumi("refresh", "--yes", "--skip-preview", "--non-interactive", "--expect-no-changes"),
    ).toMatchObject({ code: 0 });
  });

  test("the switch to IPsec keeps the cluster and makes the Secret before the release changes", () => {
    const before = find(stack.resources(), "command:local:Command").id;
    stack.configure({ ...watched, "wirecloak:encryption": "ipsec" });
    const { code, output } = stack.up();
    expect(output).not.toContain("error:");
    expect(code).toBe(0);
    expect(output).toContain("cilium-ipsec-keys");
    const steps = ["Secret cilium-ipsec-keys created", "Release cilium-release updated", "admission-narrow updated"];
    const order = steps.map((step) => output.indexOf(step));
    expect(order[0]).toBeGreaterThan(-1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(output.indexOf("admission-widen updated")).toBeLessThan(output.indexOf("Release cilium-release updated"));
    const parameter = stack.kubectl("-n", "kube-system", "get", "configmap", "wirecloak-admission", "-o", "json");
    expect(JSON.parse(parameter.output).data).toEqual({ allowed: "ipsec ipsec-key-file=/etc/ipsec/keys\n" });
    expect(find(stack.resources(), "command:local:Command").id).toBe(before);
    expect(stack.outputs()).toMatchObject({ encryption: "ipsec", keyId: 3, nextKeyId: 4, verdict: healthyVerdict });
    if (healthyVerdict !== "proven") return;
    const change = JSON.parse(stack.outputs().change as string) as Change;
    expect(change).toMatchObject({ complete: true, why: null, leaked: 0, connections: { kept: 2, broken: 0 } });
    expect(change).toMatchObject({
      from: { encryption: "wireguard" },
      to: { encryption: "ipsec" },
      guardDrops: change.attempted,
    });
    // After the Secret nothing may be new that the watch did not see begin.
    expect(output.indexOf("watch-begin updated")).toBeLessThan(output.indexOf("Secret cilium-ipsec-keys created"));
    const namespaces = stack.kubectl("get", "namespaces", "--no-headers").output;
    expect(namespaces).toContain("kube-system");
    expect(namespaces).not.toMatch(/wirecloak-watch-\S+ +Active/);
  });

  test("the pre-shared key is nowhere but in the Secret: not in state, outputs, release, processes or logs", () => {
    const secret = stack.kubectl(
      "-n",
      "kube-system",
      "get",
      "secret",
      "cilium-ipsec-keys",
      "-o",
      "jsonpath={.data.keys}",
    );
    const line = Buffer.from(secret.output, "base64").toString();
    expect(line).toMatch(/^3\+ rfc4106\(gcm\(aes\)\) [0-9a-f]{40} 128$/);
    const hex = line.split(" ")[2] as string;
    const forms = [hex, secret.output, Buffer.from(hex, "hex").toString("base64")];

    const release = stack.kubectl(
      "-n",
      "kube-system",
      "get",
      "secret",
      "-l",
      "owner=helm",
      "-o",
      "jsonpath={.items[*].data.release}",
    );
    const stored = release.output
      .split(" ")
      .map((data) => spawnSync("sh", ["-c", "base64 -d | base64 -d | gunzip"], { input: data }).stdout.toString());
    const places: Record<string, string> = {
      state: stack.pulumi("stack", "export").output,
      outputs: stack.pulumi("stack", "output", "--json", "--show-secrets").output,
      release: stored.join("\n"),
      processes: processes()
        .map(({ pid }) => commandLineOf(pid))
        .join("\n"),
      environments: processes()
        .map(({ pid }) => environmentOf(pid))
        .join("\n"),
      logs: spawnSync("grep", ["-rIl", "--exclude-dir=etcd", "-F", hex, stack.home], {
        encoding: "utf8",
      }).stdout.replaceAll(stack.home, ""),
    };
    // The places were really read: each holds something that it must hold.
    expect(places.state).toContain("cilium-psk-3-128");
    expect(places.release).toContain("encryption");
    for (const [place, text] of Object.entries(places)) {
      for (const form of forms) expect({ place, found: text.includes(form) }).toEqual({ place, found: false });
    }
    expect(places.logs).toBe("");
  });

  test("the switch back to WireGuard updates in place and removes the Secret", () => {
    stack.configure({});
    const { code, output } = stack.up();
    expect(output).not.toContain("error:");
    expect(code).toBe(0);
    expect(stack.kubectl("-n", "kube-system", "get", "secret", "cilium-ipsec-keys").code).not.toBe(0);
  });

  test("an agent that does not do what was asked for fails the update, with its node and the reason", () => {
    const override = {
      apiVersion: "cilium.io/v2",
      kind: "CiliumNodeConfig",
      metadata: { name: "plain", namespace: "kube-system", annotations: BREAK_GLASS },
      spec: {
        nodeSelector: { matchLabels: { "kubernetes.io/hostname": "t-worker" } },
        defaults: { "enable-wireguard": "false" },
      },
    };
    expect(
      stack.kubectl("create", "--raw", PLAIN_ON_A_NODE, "-f", stack.file("override.json", override)),
    ).toMatchObject({
      code: 0,
    });
    stack.configure({}, {}, { hubble: false });
    const { code, output } = stack.up();
    expect(code).not.toBe(0);
    expect(output).toMatch(/t-worker: .*Disabled/);
    expect(output).not.toContain('"schema"');

    stack.configure({ "wirecloak:proof": { enforce: false } }, {}, { hubble: false });
    expect(stack.up().code).toBe(0);
    expect(stack.outputs()).toMatchObject({ verdict: "failed" });
  });

  test("another pod range replaces the cluster and everything in it, and says so before", () => {
    const before = stack.resources();
    stack.configure({}, { podCidr: "10.42.0.0/16" });
    const preview = stack.pulumi("preview", "--non-interactive");
    expect(preview.output).toContain(
      "podCidr 10.244.0.0/16 -> 10.42.0.0/16: the cluster is deleted, and a new one made",
    );
    const { code, output } = stack.up();
    expect(output).not.toContain("error:");
    expect(code).toBe(0);
    for (const type of ["command:local:Command", "kubernetes:helm.sh/v3:Release", "pulumi:providers:kubernetes"]) {
      const [old, now] = [before, stack.resources()].map((resources) => find(resources, type));
      // A release's id is its name, so the cluster's and the provider's ids tell, and the agents for the release.
      if (type !== "kubernetes:helm.sh/v3:Release") expect({ type, id: now?.id }).not.toEqual({ type, id: old?.id });
    }
    expect(
      stack.kubectl("-n", "kube-system", "get", "ds", "cilium", "-o", "jsonpath={.status.numberReady}").output,
    ).toBe("2");
  });

  test("destroy leaves no process and no file of the cluster", () => {
    const { code, output } = stack.pulumi("destroy", "--yes", "--skip-preview", "--non-interactive");
    expect(output).not.toContain("error:");
    expect(code).toBe(0);
    expect(processesOf(stack)).toEqual([]);
    expect(existsSync(join(stack.stateDir, "clusters/t"))).toBe(false);
  });
});
