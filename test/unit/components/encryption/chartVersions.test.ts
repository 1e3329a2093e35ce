import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  chartVersion,
  findChartVersion,
  kubernetesWarning,
  MINORS,
} from "../../../../components/encryption/chartVersions.ts";
import { expectedConfig } from "../../../../components/encryption/values.ts";
import { describeUnless, sharedCilium, withoutSharedCilium } from "../../../skip.ts";
import { problemsOf, settingsOf } from "../config.ts";

/** Whether a config is taken with each minor version, oldest first. */
function takenBy(config: { cilium?: object }): boolean[] {
  return MINORS.map(
    (minor) => problemsOf({ ...config, cilium: { ...config.cilium, version: `${minor}.1` } }).length === 0,
  );
}

describe("what each minor version knows, from 1.16 to 1.20", () => {
  test.each<[string, object, boolean[]]>([
    ["WireGuard", { encryption: "wireguard" }, [true, true, true, true, true]],
    ["IPsec", { encryption: "ipsec" }, [true, true, true, true, true]],
    ["strict mode with WireGuard", { strict: "true" }, [true, true, true, true, true]],
    [
      "strict mode with IPsec, from 1.19 on",
      { encryption: "ipsec", strict: "true" },
      [false, false, false, true, true],
    ],
    [
      "WireGuard in user space, 1.16 only",
      { wireguard: { userspaceFallback: true } },
      [true, false, false, false, false],
    ],
    [
      "the encrypted overlay as a setting, up to 1.17",
      { ipsec: { encryptedOverlay: true } },
      [true, true, false, false, false],
    ],
    ["the device of IPsec, up to 1.19", { ipsec: { interface: "eth0" } }, [true, true, true, true, false]],
  ])("%s", (_, config, taken) => {
    expect(takenBy(config)).toEqual(taken);
  });

  test.each([
    ["1.16.19", "tunnel", [], "flat"],
    ["1.17.18", "tunnel", [], "flat"],
    ["1.18.12", "tunnel", [], "flat"],
    ["1.19.6", "tunnel", ["enable-encryption-strict-mode-ingress"], "egress"],
    ["1.19.6", "native", [], "egress"],
    ["1.20.2", "tunnel", ["enable-encryption-strict-mode-ingress"], "egress"],
    ["1.20.2", "native", ["enable-encryption-strict-mode-ingress"], "egress"],
  ])(
    "strict WireGuard in %s with routing %s drops incoming plaintext: %j, spelled %s",
    (version, routing, ingress, spelling) => {
      const cilium = { version, routing, ...(routing === "native" && { nativeCidr: "10.244.0.0/16" }) };
      const config = expectedConfig(settingsOf({ strict: "true", cilium }));
      const on = Object.keys(config).filter((key) => config[key] !== null);
      expect(on.filter((key) => key.endsWith("ingress"))).toEqual(ingress);
      expect(on).toContain(
        spelling === "flat" ? "enable-encryption-strict-mode" : "enable-encryption-strict-mode-egress",
      );
    },
  );

  test("the encrypted overlay is rendered as off up to 1.19, and no more in 1.20", () => {
    const overlay = (minor: string) =>
      expectedConfig(settingsOf({ encryption: "ipsec", cilium: { version: `${minor}.1` } }))[
        "enable-ipsec-encrypted-overlay"
      ];
    expect(MINORS.map(overlay)).toEqual(["false", "false", "false", "false", null]);
  });

  test("a version that is not in the table has no row", () => {
    expect(findChartVersion("1.15.9")).toBeUndefined();
    expect(findChartVersion("1.2.0")).toBeUndefined();
    expect(() => chartVersion("1.21.0")).toThrow("1.21.0");
  });
});

describe("a Kubernetes version outside of Cilium's own tests", () => {
  test.each([
    ["1.16.19", "1.27", "1.30"],
    ["1.18.12", "1.30", "1.33"],
    ["1.19.6", "1.31", "1.34"],
    ["1.20.2", "1.33", "1.36"],
  ])("Cilium %s is tested with Kubernetes %s to %s", (cilium, from, to) => {
    const next = (version: string, step: number) => `v1.${Number(version.slice(2)) + step}.0`;
    expect(kubernetesWarning(cilium, `v${from}.3`)).toBeUndefined();
    expect(kubernetesWarning(cilium, to)).toBeUndefined();
    expect(kubernetesWarning(cilium, next(from, -1))?.message).toContain(`${from} to ${to}`);
    expect(kubernetesWarning(cilium, next(to, 1))?.message).toContain(`${from} to ${to}`);
  });

  test("the warning names the Cilium versions that are tested with it", () => {
    expect(kubernetesWarning("1.16.19", "v1.33.4-gke.1")?.allowed).toMatch(/1\.18, 1\.19, 1\.20/);
  });

  test("for 1.17 it says that the range is not on record, rather than that all is well", () => {
    expect(kubernetesWarning("1.17.18", "v1.31.0")?.message).toMatch(/not on record/);
  });
});

describeUnless(withoutSharedCilium, "the table against what the official charts render", () => {
  type Rendered = Record<string, Record<string, Record<string, string>>>;
  const rendered: Rendered = withoutSharedCilium
    ? {}
    : JSON.parse(readFileSync(join(sharedCilium, "effective-config.json"), "utf8"));

  /** Whether a case renders other config than the same case without its extra setting: else the version ignores the setting. */
  const matters = (version: string, name: string, plain: string) =>
    JSON.stringify(rendered[version]?.[name]) !== JSON.stringify(rendered[version]?.[plain]);

  test.each(Object.keys(rendered))("%s", (version) => {
    const row = chartVersion(version);
    expect(matters(version, "wg+userspace", "wireguard")).toBe(row.userspaceFallback);
    expect(matters(version, "ipsec+interface", "ipsec")).toBe(row.ipsecInterface);
    expect(matters(version, "wg+strict-egress", "wireguard")).toBe(row.strictMode === "egress");
    expect(matters(version, "ipsec+strict-egress", "ipsec")).toBe(row.ipsecStrict);
    expect(rendered[version]?.ipsec?.["enable-ipsec-encrypted-overlay"] === undefined).toBe(
      row.encryptedOverlay === "gone",
    );
    if (row.strictMode === "flat") expect(matters(version, "wg+strict-old", "wireguard")).toBe(true);
  });

  test("every version of the table is there", () => {
    expect(Object.keys(rendered).map((version) => version.replace(/\.\d+$/, ""))).toEqual(MINORS);
  });
});
