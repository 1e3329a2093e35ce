import { describeUnless } from "../skip.ts";
import { EngineStack, withoutEngine } from "./engineStack.ts";

jest.setTimeout(180_000);

describeUnless(withoutEngine, "a stack on a cluster that others made", () => {
  let stack: EngineStack;
  let kubeconfig: string;
  beforeAll(() => {
    stack = new EngineStack();
    kubeconfig = stack.makeCluster();
  });
  afterAll(() => stack.close());

  const configure = (encryption: string) =>
    stack.configure({
      "wirecloak:encryption": encryption,
      "wirecloak:cluster": { provider: "existing", name: "t", podCidr: "10.244.0.0/16", kubeconfig },
    });
  const allowed = () =>
    stack.kubectl("-n", "kube-system", "get", "configmap", "wirecloak-admission", "-o", "jsonpath={.data.allowed}")
      .output;

  test("is killed in the middle of a switch, and destroyed with all that it had installed, one after the other", async () => {
    configure("ipsec");
    const { code, output } = stack.up();
    expect(output).not.toContain("error:");
    expect(code).toBe(0);
    expect(stack.kubectl("-n", "kube-system", "delete", "configmap", "cilium-config").output).toContain(
      "pulumi destroy",
    );

    configure("wireguard");
    await stack.killUpWhen(() => allowed().includes("wireguard"));
    expect(stack.pulumi("cancel", "--yes").code).toBe(0);
    const destroyed = stack.pulumi("destroy", "--yes", "--skip-preview", "--non-interactive");
    expect(destroyed.output).not.toContain("error:");
    expect(destroyed.code).toBe(0);
    const left = [
      "validatingadmissionpolicies,validatingadmissionpolicybindings,configmaps,secrets,daemonsets",
      "-o=name",
    ];
    const { output: objects } = stack.kubectl("get", "--all-namespaces", ...left);
    expect(objects).toContain("configmap/kube-root-ca.crt");
    expect(objects).not.toMatch(/wirecloak-(?!record)|cilium/);
    // The cluster itself is not the stack's to remove.
    expect(stack.kubectl("get", "nodes", "-o", "name").output.match(/node\//g)).toHaveLength(2);
  });
});
