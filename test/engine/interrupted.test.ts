import { setTimeout as sleep } from "node:timers/promises";
import { describeUnless } from "../skip.ts";
import { EngineStack, healthyVerdict, withoutEngine } from "./engineStack.ts";

jest.setTimeout(180_000);

/** Starts an update and kills all of it, as a power cut would, once `reached` holds. */
async function killWhen(stack: EngineStack, reached: () => boolean): Promise<void> {
  const update = stack.start(["up", "--yes", "--skip-preview", "--non-interactive"]);
  const ended = new Promise((resolve) => update.on("close", resolve));
  const limit = Date.now() + 60_000;
  while (!reached()) {
    if (update.exitCode !== null || Date.now() > limit) throw new Error("the update ended before it could be killed");
    await sleep(100);
  }
  process.kill(-(update.pid ?? 0), "SIGKILL");
  await ended;
}

describeUnless(withoutEngine, "an update that is killed in the middle", () => {
  let stack: EngineStack;
  beforeAll(() => {
    stack = new EngineStack();
  });
  afterAll(() => stack.close());

  const apiAnswers = () => stack.kubectl("get", "--raw", "/readyz").code === 0;
  const secretThere = () => stack.kubectl("-n", "kube-system", "get", "secret", "cilium-ipsec-keys").code === 0;
  const agentsThere = () => stack.kubectl("-n", "kube-system", "get", "ds", "cilium").code === 0;

  function upAgain(): void {
    expect(stack.pulumi("cancel", "--yes").code).toBe(0);
    const { code, output } = stack.up();
    expect(output).not.toContain("error:");
    expect(code).toBe(0);
    expect(stack.outputs()).toMatchObject({ verdict: healthyVerdict });
  }

  test("while the cluster is made: up again ends whole", async () => {
    await killWhen(stack, apiAnswers);
    upAgain();
  });

  test("while the Secret is made: up again takes it up, with its key in Cilium's hands", async () => {
    stack.configure({ "wirecloak:encryption": "ipsec" });
    await killWhen(stack, secretThere);
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

  test("while helm installs: up again takes the release up", async () => {
    expect(stack.pulumi("destroy", "--yes", "--skip-preview", "--non-interactive").code).toBe(0);
    stack.configure({});
    await killWhen(stack, agentsThere);
    upAgain();
  });
});
