import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
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

  test("lets a stack be plaintext that says why and until when, and stops it before anything is created where the pack does not go by that", () => {
    stack.configure({
      "wirecloak:encryption": "none",
      "wirecloak:allowPlaintext": { reason: "a test of the policy pack", until: "2099-01-01" },
    });
    const allowed = stack.pulumi("preview", "--non-interactive", ...pack);
    expect(allowed.output).not.toContain("[mandatory]");
    expect(allowed.code).toBe(0);
    const folder = mkdtempSync(join(tmpdir(), "pack-"));
    const config = join(folder, "policies.json");
    writeFileSync(config, JSON.stringify({ "cilium-encryption-enabled": { allowPlaintext: "refuse" } }));
    const { code, output } = stack.up(...pack, "--policy-pack-config", config);
    expect(output).toContain("cilium-encryption-enabled");
    expect(output).toContain("encryption.enabled is not true");
    expect(code).not.toBe(0);
    expect(stack.resources().filter(({ type }) => type.includes("helm"))).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});
