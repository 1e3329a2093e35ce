import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { problemsIn, readPolicyConfig } from "../../../cli/policyConfig.ts";
import { withPlaintext } from "../../../cli/policyPack.ts";
import { judge } from "../../../policies/judge.ts";
import type { Resource } from "../../../policies/resource.ts";
import { RULES } from "../../../policies/rules/index.ts";

const folder = mkdtempSync(join(tmpdir(), "policies-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a config is what the rules' own schemas allow", () => {
  const config = {
    all: "mandatory",
    "cilium-encryption-enabled": {
      enforcementLevel: "remediate",
      exemptions: [{ stack: "a", reason: "b", until: "c" }],
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
  ["a list", [], "no object of rules"],
])("%s is a mistake", (_, config, said) => {
  expect(JSON.stringify(problemsIn(config, "policies.json"))).toContain(said);
});

test("a config that is no JSON is a mistake", () => {
  const file = join(folder, "broken.json");
  writeFileSync(file, "all: mandatory");
  expect(() => readPolicyConfig(file)).toThrow("This is no JSON that can be read");
});

const plain: Resource = {
  type: "kubernetes:helm.sh/v3:Release",
  urn: "urn:pulumi:lab::wirecloak::kubernetes:helm.sh/v3:Release::cilium",
  name: "cilium",
  props: { chart: "cilium", version: "1.20.2", values: { rollOutCiliumPods: true } },
};

test("what a stack's settings allow is an exemption of that stack, until its day", () => {
  const allowed = { reason: "a lab", until: "2026-12-31" };
  const of = (name: string, today: string) =>
    judge(RULES, [plain], withPlaintext({}, name, allowed), { today: new Date(today) }).map(({ rule }) => rule.name);
  expect(of("lab", "2026-12-31T23:00:00Z")).not.toContain("cilium-encryption-enabled");
  expect(of("lab", "2027-01-01T00:00:00Z")).toContain("cilium-encryption-enabled");
  expect(of("prod", "2026-12-31T23:00:00Z")).toContain("cilium-encryption-enabled");
});

test("the users' own config stays", () => {
  const allowed = { reason: "a lab", until: "2026-12-31" };
  const config = withPlaintext({ all: "advisory", "cilium-encryption-enabled": "remediate" }, "lab", allowed);
  expect(config).toEqual({
    all: "advisory",
    "cilium-encryption-enabled": { enforcementLevel: "remediate", exemptions: [{ stack: "lab", ...allowed }] },
  });
  const given = { all: "advisory" } as const;
  expect(withPlaintext(given, "lab", undefined)).toBe(given);
});
