import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ciliumValues } from "../../../components/encryption/values.ts";
import { isKnownIn, SETTINGS, settingAt } from "../../../policies/cilium/chartSettings.ts";
import { helmOptions } from "../../../policies/cilium/helm.ts";
import { judge } from "../../../policies/judge.ts";
import { isTree } from "../../../policies/resource.ts";
import { RULES } from "../../../policies/rules/index.ts";
import { describeUnless, sharedCilium, withoutSharedCilium } from "../../skip.ts";
import { settingsOf } from "../components/config.ts";

const MINORS = [16, 17, 18, 19, 20];

describe("what Wirecloak itself asks for passes", () => {
  test.each(MINORS.flatMap((minor) => ["wireguard", "ipsec"].map((encryption) => [minor, encryption] as const)))(
    "Cilium 1.%s with %s",
    (minor, encryption) => {
      const version = `1.${minor}.19`;
      const strict = encryption === "wireguard" || minor >= 19 ? "true" : "false";
      const values = ciliumValues(settingsOf({ encryption, strict, cilium: { version } }), { bootIdFile: "/boot_id" });
      const props = { chart: "cilium", version, values };
      const release = { type: "kubernetes:helm.sh/v3:Release", urn: "u", name: "cilium", props };
      const config = strict === "true" ? { "cilium-strict-required": { required: true } } : {};
      expect(judge(RULES, [release], config).map(({ message }) => message)).toEqual([]);
    },
  );
});

describeUnless(withoutSharedCilium, "the tables against the official charts", () => {
  type Rendered = Record<string, Record<string, Record<string, string>>>;
  const rendered: Rendered = withoutSharedCilium
    ? {}
    : JSON.parse(readFileSync(join(sharedCilium, "effective-config.json"), "utf8"));
  const versions = Object.keys(rendered);
  const minorOf = (version: string) => Number(version.split(".")[1]);

  /** What a version's values.yaml has, and no template reads. */
  const DEAD = ["1.18 ipsec.encryptedOverlay", "1.19 ipsec.encryptedOverlay", "1.20 ipsec.interface"];

  test.each(versions)("%s has the values that the table says", (version) => {
    const values = parse(readFileSync(join(sharedCilium, version, "values.yaml"), "utf8"));
    const minor = minorOf(version);
    const has = leaves(values.encryption).filter((path) => !DEAD.includes(`1.${minor} ${path}`));
    expect(has.filter((path) => !settingAt(path))).toEqual([]);
    const known = SETTINGS.filter((setting) => isKnownIn(setting, minor)).map(({ path }) => path);
    expect([...new Set(has.map((path) => settingAt(path)?.path))].sort()).toEqual(known.sort());
  });

  test.each(versions)("%s reads what the table says", (version) => {
    const minor = minorOf(version);
    const reads = (path: string) => {
      const setting = settingAt(path);
      return setting !== undefined && isKnownIn(setting, minor);
    };
    const matters = (name: string, plain: string) =>
      JSON.stringify(rendered[version]?.[name]) !== JSON.stringify(rendered[version]?.[plain]);
    expect(matters("wg+userspace", "wireguard")).toBe(reads("wireguard.userspaceFallback"));
    expect(matters("ipsec+interface", "ipsec")).toBe(reads("ipsec.interface"));
    expect(matters("wg+strict-old", "wireguard")).toBe(reads("strictMode.enabled"));
    expect(matters("wg+strict-egress", "wireguard")).toBe(reads("strictMode.egress.enabled"));
    expect(matters("wg+strict-ingress", "wg+strict-egress")).toBe(reads("strictMode.ingress.enabled"));
  });

  const encryption = { enabled: true, type: "wireguard" };
  const ipsec = { ...encryption, type: "ipsec" };
  const egress = { enabled: true, cidr: "10.0.0.0/8" };
  const CASES: [name: string, encryption: object][] = [
    ["none", {}],
    ["wireguard", encryption],
    ["ipsec", ipsec],
    ["wireguard+node", { ...encryption, nodeEncryption: true }],
    ["ipsec+node", { ...ipsec, nodeEncryption: true }],
    ["wg+strict-old", { ...encryption, strictMode: egress }],
    ["wg+strict-egress", { ...encryption, strictMode: { egress } }],
    ["ipsec+strict-egress", { ...ipsec, strictMode: { egress } }],
    ["wg+strict-ingress", { ...encryption, strictMode: { egress, ingress: { enabled: true } } }],
  ];
  const OPTIONS = [
    "enable-wireguard",
    "enable-ipsec",
    "encrypt-node",
    "enable-encryption-strict-mode",
    "enable-encryption-strict-mode-egress",
    "enable-encryption-strict-mode-ingress",
    "encryption-strict-mode-cidr",
    "encryption-strict-egress-cidr",
  ];

  test.each(versions.flatMap((version) => CASES.map(([name, block]) => [version, name, block] as const)))(
    "%s renders %s as the rules think",
    (version, name, block) => {
      const options = helmOptions({ encryption: block }, () => ({ exact: version }));
      const thought = OPTIONS.map((option) => [option, options.get(option)]);
      expect(thought).toEqual(OPTIONS.map((option) => [option, rendered[version]?.[name]?.[option]]));
    },
  );
});

function leaves(tree: unknown, path: string[] = []): string[] {
  if (!isTree(tree)) return [path.join(".")];
  // What belongs to ztunnel is not ours to list.
  if (path.join(".") === "ztunnel") return ["ztunnel"];
  return Object.entries(tree).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}
