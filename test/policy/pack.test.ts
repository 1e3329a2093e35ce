import { join } from "node:path";
import { projectRoot } from "../../tools/paths.ts";
import { EngineStack, withoutEngine } from "../engine/engineStack.ts";
import { describeUnless } from "../skip.ts";

jest.setTimeout(120_000);

const pack = ["--policy-pack", join(projectRoot, "policies/launch")];

describeUnless(withoutEngine, "the policy pack under the real engine", () => {
  let stack: EngineStack;
  beforeAll(() => {
    stack = new EngineStack();
  });
  afterAll(() => stack.close());

  test("lets an encrypted stack through", () => {
    const { code, output } = stack.pulumi("preview", "--non-interactive", ...pack);
    expect(output).toContain("wirecloak");
    expect(output).not.toContain("[mandatory]");
    expect(code).toBe(0);
  });

  test("stops a stack without encryption before anything is created", () => {
    stack.configure({
      "wirecloak:encryption": "none",
      "wirecloak:allowPlaintext": { reason: "a test of the policy pack", until: "2099-01-01" },
    });
    for (const run of [stack.pulumi("preview", "--non-interactive", ...pack), stack.up(...pack)]) {
      expect(run.output).toContain("cilium-encryption-enabled");
      expect(run.output).toContain("encryption.enabled is not true");
      expect(run.code).not.toBe(0);
    }
    expect(stack.resources().filter(({ type }) => type.includes("helm"))).toEqual([]);
  });
});
