import { type HelmSecret, withStatus } from "../../cli/helmRecord.ts";
import { describeUnless } from "../skip.ts";
import { EngineStack, healthyVerdict, WITHOUT_ADMISSION, withoutEngine } from "./engineStack.ts";

jest.setTimeout(540_000);

const RELEASE = "kubernetes:helm.sh/v3:Release";

describeUnless(withoutEngine, "an update that is killed in the middle", () => {
  let stack: EngineStack;
  beforeAll(() => {
    stack = new EngineStack(WITHOUT_ADMISSION);
  });
  afterAll(() => stack.close());

  const system = (...args: string[]) => stack.kubectl("-n", "kube-system", ...args);
  const apiAnswers = () => stack.kubectl("get", "--raw", "/readyz").code === 0;
  const secretThere = () => system("get", "secret", "cilium-ipsec-keys").code === 0;
  const agentsThere = () => system("get", "ds", "cilium").code === 0;
  const agents = () => system("get", "pods", "-l", "k8s-app=cilium", "-o", "jsonpath={.items[*].metadata.uid}").output;

  /** Ends what the kill has left begun in Pulumi's books, as `make up` does. */
  function takeUp(): void {
    expect(stack.pulumi("cancel", "--yes").code).toBe(0);
    stack.takeUp();
  }
  function upToTheEnd(): void {
    const { code, output } = stack.up();
    expect(output).not.toContain("error:");
    expect(code).toBe(0);
    expect(stack.outputs()).toMatchObject({ verdict: healthyVerdict });
  }

  test("while the cluster is made, and the next one while helm installs: the third goes on with both, and ends whole", async () => {
    await stack.killUpWhen(apiAnswers);
    takeUp();
    await stack.killUpWhen(agentsThere);
    takeUp();
    upToTheEnd();
  });

  describe("after helm has begun and before Pulumi has recorded the release", () => {
    /** helm's own revisions of Cilium, the latest last. */
    function revisions(): HelmSecret[] {
      const byAge = "--sort-by=.metadata.creationTimestamp";
      const { output } = system("get", "secrets", "-l", "owner=helm,name=cilium", "-o=json", byAge);
      return (JSON.parse(output) as { items: HelmSecret[] }).items;
    }

    /** Leaves helm's record and the state as such a kill would: our own record, the first update's end, was never reached. */
    function killed(status: string): void {
      const latest = revisions().at(-1);
      if (!latest) throw new Error("helm holds no release");
      expect(system("replace", "-f", stack.file("record.json", withStatus(latest, status, "a test"))).code).toBe(0);
      expect(system("delete", "configmap", "wirecloak-record", "--ignore-not-found").code).toBe(0);
      stack.forget(RELEASE);
    }

    test("is taken up where helm's record is pending: helm is told that the install failed, so that it upgrades it", () => {
      const running = agents();
      killed("pending-install");
      stack.takeUp();
      expect(stack.resources().map(({ type }) => type)).toContain(RELEASE);
      expect(revisions().at(-1)?.metadata.labels.status).toBe("failed");
      expect(agents()).toBe(running);
    });

    test("ends with a name that is in use, and leaves what runs as it is; taken up, the next goes on with the agents that run", () => {
      const [before, running] = [revisions().length, agents()];
      killed("deployed");
      const refused = stack.up();
      expect(refused.output).toMatch(/cannot re-?use a name that is still in use/);
      expect(refused.code).not.toBe(0);
      expect(agents()).toBe(running);

      stack.takeUp();
      upToTheEnd();
      expect(agents()).toBe(running);
      expect(revisions()).toHaveLength(before + 1);
    });
  });

  test("while the Secret is made: up again takes it up, with its key in Cilium's hands", async () => {
    stack.configure({ "wirecloak:encryption": "ipsec" });
    await stack.killUpWhen(secretThere);
    takeUp();
    upToTheEnd();
    const status = system("exec", "ds/cilium", "--", "cilium-dbg", "encrypt", "status", "-o", "json");
    expect(JSON.parse(status.output)).toMatchObject({ mode: "IPsec" });
  });
});
