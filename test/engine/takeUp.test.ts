import { type HelmSecret, withStatus } from "../../cli/helmRecord.ts";
import { describeUnless } from "../skip.ts";
import { EngineStack, healthyVerdict, WITHOUT_ADMISSION, withoutEngine } from "./engineStack.ts";

jest.setTimeout(540_000);

describeUnless(
  withoutEngine,
  "an update that is killed after helm has begun and before Pulumi has recorded the release",
  () => {
    let stack: EngineStack;
    beforeAll(() => {
      stack = new EngineStack(WITHOUT_ADMISSION);
      expect(stack.up()).toMatchObject({ code: 0 });
    });
    afterAll(() => stack.close());

    const RELEASE = "kubernetes:helm.sh/v3:Release";
    const system = (...args: string[]) => stack.kubectl("-n", "kube-system", ...args);
    const agents = () =>
      system("get", "pods", "-l", "k8s-app=cilium", "-o", "jsonpath={.items[*].metadata.uid}").output;

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
      const { code, output } = stack.up();
      expect(output).not.toContain("error:");
      expect(code).toBe(0);
      expect(stack.outputs()).toMatchObject({ verdict: healthyVerdict });
      expect(agents()).toBe(running);
      expect(revisions()).toHaveLength(before + 1);
    });
  },
);
