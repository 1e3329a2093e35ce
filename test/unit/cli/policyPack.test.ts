import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { problemsIn, readPolicyConfig } from "../../../cli/policyConfig.ts";

const folder = mkdtempSync(join(tmpdir(), "policies-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a config is what the rules' own schemas allow", () => {
  const config = {
    all: "mandatory",
    "cilium-encryption-enabled": {
      enforcementLevel: "remediate",
      exemptions: [{ stack: "a", reason: "b", until: "2026-12-31" }],
    },
  };
  expect(problemsIn(config, "policies.json")).toEqual([]);
  const file = join(folder, "policies.json");
  writeFileSync(file, JSON.stringify(config));
  expect(readPolicyConfig(file)).toEqual(config);
});

test.each<[string, unknown, string]>([
  ["a rule that nobody knows", { "cilium-encrypted": "advisory" }, "There is no such rule"],
  ["a level that Pulumi does not know", { all: "warn" }, "There is no such level"],
  ["the same among options", { "cilium-encryption-enabled": { enforcementLevel: "warn" } }, "enforcementLevel"],
  ["an option that the rule does not have", { "cilium-encryption-enabled": { exempt: [] } }, "exempt"],
  ["an exemption without a day", { "cilium-encryption-enabled": { exemptions: [{ reason: "a" }] } }, "until"],
  [
    "an exemption until never",
    { "cilium-encryption-enabled": { exemptions: [{ stack: "a", reason: "b", until: "never" }] } },
    "until",
  ],
  [
    "an exemption whose reason is still to be written",
    { "cilium-encryption-enabled": { exemptions: [{ stack: "a", reason: "", until: "2026-12-31" }] } },
    "reason",
  ],
  ["a list", [], "no object of rules"],
])("%s is a mistake", (_, config, said) => {
  expect(JSON.stringify(problemsIn(config, "policies.json"))).toContain(said);
});

test("a config that is no JSON is a mistake", () => {
  const file = join(folder, "broken.json");
  writeFileSync(file, "all: mandatory");
  expect(() => readPolicyConfig(file)).toThrow("This is no JSON that can be read");
});
