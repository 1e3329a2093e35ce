import { readFileSync } from "node:fs";
import { join } from "node:path";
import { problemsIn } from "../../../cli/policyConfig.ts";
import { judge } from "../../../policies/judge.ts";
import type { Resource } from "../../../policies/resource.ts";
import { ciliumEncryptionEnabled } from "../../../policies/rules/ciliumEncryptionEnabled.ts";
import { clusterEncrypted } from "../../../policies/rules/clusterEncrypted.ts";
import { RULES } from "../../../policies/rules/index.ts";
import { wirecloakGuard } from "../../../policies/rules/wirecloakGuard.ts";
import { wirecloakProof } from "../../../policies/rules/wirecloakProof.ts";
import { graceIn } from "../../../policies/stackConfig.ts";
import { projectRoot } from "../../../tools/paths.ts";
import { ask } from "./asked.ts";

const release = (values: object): Resource => ({
  type: "kubernetes:helm.sh/v3:Release",
  urn: "u",
  name: "cilium",
  props: { chart: "cilium", version: "1.20.2", values: { rollOutCiliumPods: true, ...values } },
});
const today = new Date("2026-11-21T12:00:00Z");

test("no rule promises compliance: each supports its clauses, and FIPS is for candidates", () => {
  const words = JSON.stringify(RULES);
  expect(words).not.toMatch(/complian|certif/i);
  const [fault] = judge(RULES, [release({ encryption: { enabled: true, type: "wireguard" } })], {
    "cilium-fips": { required: true },
  });
  expect(fault?.message).toContain("candidate");
});

test("every rule says what it is about, what to do, and where to read on", () => {
  for (const rule of RULES) {
    expect(rule.name).toMatch(/^[a-z]+(-[a-z]+)+$/);
    expect(rule.description).toMatch(/\.$/);
    expect(rule.remediation.join()).not.toBe("");
    expect(rule.supports).not.toEqual([]);
    expect(rule.url).toMatch(/^https:\/\//);
  }
});

test("plaintext that was allowed is refused with the day on which that ended", () => {
  const allowPlaintext = { reason: "a laboratory", until: "2026-11-20" };
  const [finding] = judge(RULES, [release({})], {}, { today, allowPlaintext });
  expect(finding?.message).toContain("wirecloak:allowPlaintext says until 2026-11-20, which has ended");
  expect(
    judge(RULES, [release({})], {}, { today, allowPlaintext: { ...allowPlaintext, until: "2026-11-21" } }),
  ).toEqual([]);
});

test.each([
  [undefined, undefined],
  ["nothing", undefined],
  ["null", undefined],
  ['{"until":"2026-12-31"}', undefined],
  ['{"reason":"r","until":"2026-12-31"}', { reason: "r", until: "2026-12-31" }],
  // What Pulumi makes of a day in YAML that is not quoted.
  ['{"reason":"r","until":"2026-12-31 00:00:00 +0000 UTC"}', { reason: "r", until: "2026-12-31" }],
  ['{"reason":"r","until":"2026-12-31T00:00:00Z"}', { reason: "r", until: "2026-12-31" }],
])("the stack's config %s allows %j", (text, grace) => {
  expect(graceIn(text)).toEqual(grace);
});

test("a refusal names what, and what that leads to", () => {
  const said = (values: object, config = {}) =>
    judge(RULES, [release(values)], config, { today }).map(({ message }) => message);
  expect(said({ encryption: { enabled: true, type: "WireGuard" } })).toEqual([
    'Helm release cilium: encryption.type "WireGuard" is none that the chart knows (it is spelled wireguard), so nothing is encrypted',
  ]);
  expect(said({ encryption: { enabled: true, type: "wireguard", strictMode: { enabled: true } } })).toEqual([
    "Helm release cilium: encryption.strictMode.enabled does nothing in Cilium 1.20: it is strictMode.egress there",
  ]);
});

describe("a stack that may be meant to be as it is", () => {
  const urnOf = (type: string) => `urn:pulumi:apps::shop::${type}::shared`;
  const of = (...types: string[]) => types.map((type) => ({ type, urn: urnOf(type), name: "shared", props: {} }));
  const encrypted = { ...release({ encryption: { enabled: true } }), urn: urnOf("release") };

  test.each([
    ["of applications only", clusterEncrypted, of("pulumi:providers:kubernetes"), { cluster: "shared" }],
    [
      "without its guard",
      wirecloakGuard,
      [...of("wirecloak:encryption:Cilium", "wirecloak:encryption:Guard"), encrypted],
      { stack: "apps" },
    ],
    ["without its proof", wirecloakProof, of("wirecloak:encryption:Cilium"), { stack: "apps" }],
  ])(
    "%s: the refusal ends with the exemption to take, which lacks a reason alone",
    async (_, rule, resources, named) => {
      const { messages } = await ask(rule, resources);
      expect(messages).toHaveLength(1);
      const proposed = JSON.parse(messages[0]?.split("\n").at(-1) ?? "");
      expect(proposed).toEqual({ [rule.name]: { exemptions: [{ ...named, reason: "", until: "2027-02-19" }] } });
      expect(problemsIn(proposed, "policies.json")).toEqual([
        expect.objectContaining({ key: expect.stringContaining("reason") }),
      ]);
      const config = proposed[rule.name];
      config.exemptions[0].reason = "the stack platform/network has its Cilium";
      expect(problemsIn(proposed, "policies.json")).toEqual([]);
      expect((await ask(rule, resources, { config })).messages).toEqual([]);
    },
  );

  test("plaintext is none, so no exemption is proposed for it", async () => {
    const { messages } = await ask(ciliumEncryptionEnabled, [release({})]);
    expect(messages).toHaveLength(1);
    expect(messages.join()).not.toContain("exemptions");
  });
});

test("the README has every rule with its options", () => {
  const text = readFileSync(join(projectRoot, "policies/README.md"), "utf8");
  for (const { name, options = {}, checkAll, mend } of RULES) {
    const row = text.split("\n").find((line) => line.startsWith(`| \`${name}\``)) ?? "";
    expect([name, row.includes("*(whole)*")]).toEqual([name, checkAll !== undefined]);
    expect([name, row.includes("*Mends")]).toEqual([name, mend !== undefined]);
    for (const option of Object.keys(options)) expect(text).toContain(option);
  }
});

test("the README's example of a config fits the rules", () => {
  const text = readFileSync(join(projectRoot, "policies/README.md"), "utf8");
  const example: unknown = JSON.parse(/```json\n(.*?)```/s.exec(text)?.[1] ?? "");
  expect(problemsIn(example, "README.md")).toEqual([]);
});
