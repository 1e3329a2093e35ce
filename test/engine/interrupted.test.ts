import { describeUnless } from "../skip.ts";
import { EngineStack, healthyVerdict, WITHOUT_ADMISSION, withoutEngine } from "./engineStack.ts";

jest.setTimeout(300_000);

describeUnless(withoutEngine, "an update that is killed in the middle", () => {
  let stack: EngineStack;
  beforeAll(() => {
    stack = new EngineStack(WITHOUT_ADMISSION);
  });
  afterAll(() => stack.close());

  const apiAnswers = () => stack.kubectl("get", "--raw", "/readyz").code === 0;
  const secretThere = () => stack.kubectl("-n", "kube-system", "get", "secret", "cilium-ipsec-keys").code === 0;
  const agentsThere = () => stack.kubectl("-n", "kube-system", "get", "ds", "cilium").code === 0;

  /** Ends what the kill has left begun in Pulumi's books, as `make up` does. */
  function takeUp(): void {
    expect(stack.pulumi("cancel", "--yes").code).toBe(0);
    stack.takeUp();
  }
  function upAgain(): void {
    takeUp();
    const { code, output } = stack.up();
    expect(output).not.toContain("error:");
    expect(code).toBe(0);
    expect(stack.outputs()).toMatchObject({ verdict: healthyVerdict });
  }

  test("while the cluster is made, and the next one while helm installs: the third goes on with both, and ends whole", async () => {
    await stack.killUpWhen(apiAnswers);
    takeUp();
    await stack.killUpWhen(agentsThere);
    upAgain();
  });

  test("while the Secret is made: up again takes it up, with its key in Cilium's hands", async () => {
    stack.configure({ "wirecloak:encryption": "ipsec" });
    await stack.killUpWhen(secretThere);
    upAgain();
    const { output } = stack.kubectl(
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
    expect(JSON.parse(output)).toMatchObject({ mode: "IPsec" });
  });
});
