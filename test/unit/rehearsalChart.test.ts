import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { ciliumValues, expectedConfig } from "../../components/encryption/values.ts";
import { loadSettings } from "../../components/settings.ts";
import { CHART_VERSIONS, packageChart } from "../../rehearsal/package.ts";
import { findOnPath } from "../../tools/findOnPath.ts";
import { describeUnless, sharedCilium, withoutSharedCilium } from "../skip.ts";

type Manifest = { kind: string; metadata: { name: string }; data?: Record<string, string>; spec?: PodOwner };
type PodOwner = { template?: { metadata: { annotations: Record<string, string> }; spec: { volumes?: Volume[] } } };
type Volume = { name: string; secret?: { secretName: string; optional?: boolean } };
type Values = Record<string, unknown>;

const withoutHelm = findOnPath("helm", process.env.PATH ?? "")[0] ? undefined : "helm is not on PATH";

/** The values of each case of effective-config.json; its README has the same table. */
const on = (type: string, more: Values = {}): Values => ({ encryption: { enabled: true, type, ...more } });
const range = { enabled: true, cidr: "10.0.0.0/8" };
const CASES: Record<string, Values> = {
  none: {},
  wireguard: on("wireguard"),
  ipsec: on("ipsec"),
  "wireguard+node": on("wireguard", { nodeEncryption: true }),
  "ipsec+node": on("ipsec", { nodeEncryption: true }),
  "wg+strict-old": on("wireguard", { strictMode: range }),
  "wg+strict-egress": on("wireguard", { strictMode: { egress: range } }),
  "ipsec+strict-egress": on("ipsec", { strictMode: { egress: range } }),
  "wg+strict-ingress": on("wireguard", { strictMode: { egress: range, ingress: { enabled: true } } }),
  "wg+userspace": on("wireguard", { wireguard: { userspaceFallback: true } }),
  "ipsec+interface": on("ipsec", { ipsec: { interface: "eth0" } }),
  "ipsec+encryptedOverlay": on("ipsec", { ipsec: { encryptedOverlay: true } }),
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "wirecloak-"));
  if (!withoutHelm) packageChart(CHART_VERSIONS, folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

function helmTemplate(version: string, values: Values) {
  const file = join(folder, "values.yaml");
  writeFileSync(file, stringify(values));
  return spawnSync(
    "helm",
    ["template", "cilium", join(folder, `cilium-${version}.tgz`), "--namespace", "kube-system", "--values", file],
    { encoding: "utf8" },
  );
}

function render(version: string, values: Values): Manifest[] {
  const { status, stdout, stderr } = helmTemplate(version, values);
  if (status !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

function find(manifests: Manifest[], kind: string, name: string): Manifest | undefined {
  return manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
}

const config = (version: string, values: Values) =>
  find(render(version, values), "ConfigMap", "cilium-config")?.data ?? {};

describeUnless(withoutHelm ?? withoutSharedCilium, "the stand-in chart renders what the official one renders", () => {
  const official = withoutSharedCilium
    ? {}
    : (JSON.parse(readFileSync(join(sharedCilium, "effective-config.json"), "utf8")) as Record<
        string,
        Record<string, Record<string, string>>
      >);

  describe.each(Object.keys(official))("%s", (version) => {
    let plain: Record<string, string>;
    beforeAll(() => {
      plain = config(version, {});
    });

    test.each(Object.entries(official[version] ?? {}))("%s", (name, wanted) => {
      const values = CASES[name];
      if (!values) throw new Error(`effective-config.json has a case ${name} that is not known here`);
      // This case alone lists keys of the default rendering; the others, what differs from it.
      if (name === "none") return expect(plain).toMatchObject(wanted);
      const changed = Object.entries(config(version, values)).filter(([key, value]) => plain[key] !== value);
      expect(Object.fromEntries(changed)).toEqual(wanted);
    });
  });
});

describeUnless(withoutHelm, "the stand-in chart", () => {
  const settings = (version: string, encryption: string, more: Record<string, string> = {}) =>
    loadSettings(
      {
        "wirecloak:encryption": encryption,
        "wirecloak:cluster": JSON.stringify({ provider: "rehearsal", name: "dev", podCidr: "10.244.0.0/16" }),
        "wirecloak:cilium": JSON.stringify({ version }),
        ...more,
      },
      { projectRoot: folder, today: "2026-11-21" },
    ).settings;

  const combinations = CHART_VERSIONS.flatMap((version) => [
    { version, encryption: "wireguard", more: {} },
    { version, encryption: "ipsec", more: {} },
    { version, encryption: "wireguard", more: { "wirecloak:strict": "true" } },
  ]);

  test.each(combinations)(
    "reads back as the settings expect: $version $encryption $more",
    ({ version, encryption, more }) => {
      const wanted = settings(version, encryption, more);
      const rendered = config(version, ciliumValues(wanted, { apiServer: { host: "127.0.0.1", port: 6443 } }));
      for (const [key, value] of Object.entries(expectedConfig(wanted)))
        expect([key, rendered[key] ?? null]).toEqual([key, value]);
      expect(rendered["cluster-name"]).toBe("dev");
    },
  );

  const agents = (values: Values) => find(render("1.20.2", values), "DaemonSet", "cilium")?.spec?.template;
  const CHECKSUM = "cilium.io/cilium-configmap-checksum";

  test("IPsec agents mount the key Secret, which is not optional; others mount none", () => {
    const secrets = (values: Values) => agents(values)?.spec.volumes?.flatMap(({ secret }) => secret ?? []);
    expect(secrets(on("ipsec"))).toEqual([{ secretName: "cilium-ipsec-keys" }]);
    expect(secrets(on("wireguard"))).toEqual([]);
  });

  test("agents restart on a change of cilium-config only where rollOutCiliumPods says so", () => {
    const checksum = (values: Values) => agents(values)?.metadata.annotations[CHECKSUM];
    expect(checksum(on("wireguard"))).toBeUndefined();
    const rolled = { ...on("wireguard"), rollOutCiliumPods: true };
    expect(checksum(rolled)).toMatch(/^[0-9a-f]{64}$/);
    expect(checksum({ ...rolled, extraConfig: { a: "b" } })).not.toBe(checksum(rolled));
    expect(checksum({ ...rolled, operator: { replicas: 1 } })).toBe(checksum(rolled));
  });

  test("extraConfig wins over the settings, as in the official chart", () => {
    expect(config("1.20.2", { ...on("wireguard"), extraConfig: { "enable-wireguard": "false" } })).toMatchObject({
      "enable-wireguard": "false",
    });
  });

  test("a misspelt type renders no encryption, and no error", () => {
    const keys = Object.keys(config("1.20.2", on("WireGuard")));
    expect(keys.filter((key) => /^enable-(wireguard|ipsec)/.test(key))).toEqual([]);
  });

  test.each([
    [
      "a word where encryption.enabled wants a truth value",
      { encryption: { enabled: "true" } },
      /encryption.*enabled/s,
    ],
    ["encryption.secretName of before 1.16", { encryption: { secretName: "x" } }, /encryption.ipsec.secretName/],
    ["another word for kubeProxyReplacement", { kubeProxyReplacement: "strict" }, /kubeProxyReplacement/],
    ["a cluster name of more than 32 characters", { cluster: { name: "x".repeat(33) } }, /32 characters/],
  ])("refuses %s", (_what, values, message) => {
    const { status, stderr } = helmTemplate("1.20.2", values);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(message);
  });

  test("native routing without its range is refused up to 1.17, where the official chart still looks", () => {
    expect(helmTemplate("1.17.18", { routingMode: "native" }).status).not.toBe(0);
    expect(helmTemplate("1.20.2", { routingMode: "native" }).status).toBe(0);
  });

  test("says in everything it makes that it is a rehearsal", () => {
    const manifests = render("1.20.2", { ...on("ipsec"), hubble: { relay: { enabled: true }, ui: { enabled: true } } });
    expect(manifests.length).toBeGreaterThan(10);
    for (const manifest of manifests) expect(JSON.stringify(manifest.metadata)).toContain("wirecloak.io/rehearsal");
  });

  test("is packaged again only where its sources changed", () => {
    const age = () => readdirSync(folder).map((name) => statSync(join(folder, name)).mtimeMs);
    const before = age();
    packageChart(CHART_VERSIONS, folder);
    expect(age()).toEqual(before);
  });
});
