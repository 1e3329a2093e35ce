import { join } from "node:path";
import { projectRoot } from "../../tools/paths.ts";
import { EngineStack, withoutEngine } from "../engine/engineStack.ts";
import { describeUnless } from "../skip.ts";
import { type AskedFor, PackStack } from "./packStack/packStack.ts";

jest.setTimeout(240_000);

describeUnless(withoutEngine, "remediation in a cluster", () => {
  /** Only its cluster is of use here. */
  let others: EngineStack;
  let stack: PackStack;
  let resources: AskedFor[];
  beforeAll(() => {
    others = new EngineStack();
    stack = new PackStack("on PATH");
    const release = {
      ...{ chart: join(projectRoot, "rehearsal/packages/cilium-1.20.2.tgz"), name: "cilium", namespace: "kube-system" },
      values: {
        ...{ ipam: { mode: "kubernetes" }, operator: { replicas: 1 }, hubble: { enabled: false } },
      },
    };
    resources = [
      { type: "pulumi:providers:kubernetes", name: "cluster", props: { kubeconfig: others.makeCluster() } },
      { type: "kubernetes:helm.sh/v3:Release", name: "cilium", props: release, through: "cluster" },
    ];
  });
  afterAll(() => {
    stack.close();
    others.close();
  });

  const system = (...args: string[]) => others.kubectl("-n", "kube-system", ...args);

  /** What the API server holds, and what an agent does by it once all run. */
  function live(): { option: string; agents: unknown } {
    expect(system("rollout", "status", "daemonset/cilium", "--timeout=90s").code).toBe(0);
    const option = system("get", "configmap", "cilium-config", "-o", "jsonpath={.data.enable-wireguard}").output;
    const status = system("exec", "ds/cilium", "--", "cilium-dbg", "encrypt", "status", "-o", "json").output;
    return { option, agents: JSON.parse(status) };
  }

  test("turns encryption on in a release that says nothing of it, which is plaintext without the pack", () => {
    const { code, output } = stack.upWithoutPack(resources);
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(live()).toMatchObject({ option: "", agents: { mode: "Disabled" } });

    const mended = stack.up(resources, { "cilium-encryption-enabled": "remediate", "cilium-rollout": "remediate" });
    expect(mended.output).toMatch(/\[remediate\].*cilium-encryption-enabled/);
    expect(mended.output).not.toContain("[mandatory]");
    expect(mended.code).toBe(0);
    expect(live()).toMatchObject({ option: "true", agents: { mode: "Wireguard" } });
  });
});
