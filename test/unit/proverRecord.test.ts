import { allChecks } from "../../prover/checks/checks.ts";
import { judge } from "../../prover/judge.ts";
import { keyAgeDays } from "../../prover/live/keyAge.ts";
import type { Observation, SettledSeen } from "../../prover/observation.ts";
import { healthy, intentFor } from "./proverTroubles/healthy.ts";
import { settled, somebody } from "./proverTroubles/record.ts";

function found(check: string, change: Partial<Observation>, mode: "ipsec" | "wireguard" = "ipsec") {
  const { findings } = judge(intentFor(mode), { ...healthy(mode), ...change }, allChecks);
  return findings
    .filter((finding) => finding.check === check)
    .map(({ effect, message, evidence }) => `${effect}: ${message} [${evidence}]`);
}

describe("the key on record and CiliumNodeConfigs", () => {
  const against = (change: Partial<SettledSeen>) => found("recorded-key", { settled: { ...settled, ...change } });

  test("the same key: nothing to say; nor where nobody asked, nothing is on record, or the mode has no key", () => {
    expect(against({})).toEqual([]);
    expect(found("recorded-key", {})).toEqual([]);
    expect(against({ record: null })).toEqual([]);
    expect(found("recorded-key", { settled: { ...settled, secret: null } }, "wireguard")).toEqual([]);
  });

  test("what repeats cilium-config, or sets other options, is no contradiction", () => {
    const defaults = { "enable-ipsec": "true", debug: "true" };
    expect(found("node-configs", { nodeConfigs: [{ name: "more", defaults, digest: "d", by: somebody }] })).toEqual([]);
  });
});

test("a hand-edited cilium-config and CiliumNode are named with who wrote them last", () => {
  const { config, ciliumNodes } = healthy("ipsec");
  const changes = [{ ...somebody, keys: ["enable-ipsec"] }];
  const edited = config && { ...config, data: { ...config.data, "enable-ipsec": "false" }, changes };
  expect(found("config-values", { config: edited })).toEqual([
    expect.stringContaining("last written by kubectl-edit at"),
  ]);
  const nodes = ciliumNodes.map((node) => ({ ...node, encryptionKey: 0, by: somebody }));
  expect(found("encryption-key", { ciliumNodes: nodes })[0]).toContain("last written by kubectl-edit at");
});

describe("the age of the key", () => {
  const now = new Date("2026-11-21T10:00:00Z");
  test.each<[string, Partial<SettledSeen>, number | null]>([
    ["as on record, whoever has touched the Secret since", {}, 20],
    ["a key that is not on record yet: as its Secret was written", { record: null }, 0],
    ["a Secret that may not be read: as on record", { secret: null, secretUnread: "forbidden" }, 20],
    ["neither", { secret: null, record: null }, null],
  ])("%s", (_, change, days) => {
    expect(keyAgeDays({ ...settled, ...change }, now)).toBe(days);
  });
});
