import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Tree } from "../../../policies/resource.ts";
import { ciliumAgentWouldNotStart } from "../../../policies/rules/ciliumAgentWouldNotStart.ts";
import { ciliumEncryptionEnabled } from "../../../policies/rules/ciliumEncryptionEnabled.ts";
import { ciliumSettingIgnored } from "../../../policies/rules/ciliumSettingIgnored.ts";
import { clusterEncrypted } from "../../../policies/rules/clusterEncrypted.ts";
import { RULES } from "../../../policies/rules/index.ts";
import { ipsecKeyAge } from "../../../policies/rules/ipsecKeyAge.ts";
import { ipsecKeyInPlain } from "../../../policies/rules/ipsecKeyInPlain.ts";
import { ask, UNKNOWN } from "./asked.ts";

const KEY = "000102030405060708090a0b0c0d0e0f10111213";
const WIREGUARD = { enabled: true, type: "wireguard" };
const release = (values: unknown, rest: Tree = {}) => ({
  props: { chart: "cilium", version: "1.20.2", values, ...rest },
});

/** The rules that came upon something unknown. */
async function undecidedBy(resources: Parameters<typeof ask>[1]): Promise<string[]> {
  const asked = await Promise.all(RULES.map(async (rule) => ({ rule, told: await ask(rule, resources) })));
  return asked.filter(({ told }) => told.unknown || told.advice.length > 0).map(({ rule }) => rule.name);
}

describe("in a preview", () => {
  test("a known fault beside an unknown value is told", async () => {
    const resources = [release({ encryption: { enabled: false }, k8sServiceHost: UNKNOWN })];
    const { messages, unknown } = await ask(ciliumEncryptionEnabled, resources);
    expect(messages).toEqual([expect.stringContaining("encryption.enabled is not true")]);
    expect(unknown).toBe(false);
  });

  test.each<[string, unknown]>([
    ["all values", UNKNOWN],
    ["the encryption block", { encryption: UNKNOWN }],
    ["whether it is on", { encryption: { ...WIREGUARD, enabled: UNKNOWN } }],
    ["the type", { encryption: { ...WIREGUARD, type: UNKNOWN } }],
    ["a flag", { encryption: WIREGUARD, extraArgs: [UNKNOWN] }],
    ["what overrides it", { encryption: WIREGUARD, extraConfig: { "enable-wireguard": UNKNOWN } }],
  ])("the rule is undecided where %s is unknown, and does not pass", async (_, values) => {
    expect(await ask(ciliumEncryptionEnabled, [release(values)])).toEqual({ messages: [], advice: [], unknown: true });
  });

  test.each<[string, unknown]>([
    ["a flag of something else", { encryption: WIREGUARD, extraConfig: { debug: UNKNOWN } }],
    ["the API server", { encryption: WIREGUARD, k8sServiceHost: UNKNOWN }],
    [
      "an environment variable of something else",
      { encryption: WIREGUARD, extraEnv: [{ name: "PROXY", value: UNKNOWN }] },
    ],
  ])("the rule is decided where %s is unknown", async (_, values) => {
    expect(await ask(ciliumEncryptionEnabled, [release(values)])).toEqual({ messages: [], advice: [], unknown: false });
  });

  test("what one rule finds is told, and then that something is unknown", async () => {
    const misspelt = release({ encryption: { ipsec: { interface: UNKNOWN }, nodeEncyption: true } });
    expect(await ask(ciliumSettingIgnored, [misspelt])).toMatchObject({
      messages: [expect.stringContaining("nodeEncyption")],
      unknown: true,
    });
    const conflict = release({
      encryption: { enabled: true, type: "ipsec" },
      dnsProxy: { enableTransparentMode: UNKNOWN },
      hostFirewall: { enabled: true },
    });
    expect(await ask(ciliumAgentWouldNotStart, [conflict])).toMatchObject({
      messages: [expect.stringContaining("host firewall")],
      unknown: true,
    });
    const key = release({ a: UNKNOWN, ipsec: { psk: KEY } });
    expect(await ask(ipsecKeyInPlain, [key])).toMatchObject({
      messages: [expect.stringContaining("values.ipsec.psk")],
      unknown: true,
    });
  });

  test("an unknown key makes the rules of keys undecided, and no other", async () => {
    const secret = {
      type: "kubernetes:core/v1:Secret",
      props: { metadata: { name: "cilium-ipsec-keys" }, stringData: { keys: UNKNOWN } },
    };
    expect(await undecidedBy([secret])).toEqual(["ipsec-key-format"]);
    expect(await undecidedBy([{ ...secret, props: { ...secret.props, metadata: { name: "other" } } }])).toEqual([
      "ipsec-key-format",
    ]);
  });

  test("an unknown address of the API server leaves only the search for keys undecided", async () => {
    expect(
      await undecidedBy([release({ encryption: WIREGUARD, rollOutCiliumPods: true, k8sServiceHost: UNKNOWN })]),
    ).toEqual(["ipsec-key-in-plain"]);
  });

  test("an unknown value of another chart is nobody's business", async () => {
    const other = (values: object) => [{ props: { chart: "nginx", name: "nginx", values } }];
    expect(await undecidedBy(other({ host: UNKNOWN, controller: { image: UNKNOWN } }))).toEqual([]);
    // A chart of charts, whose Cilium is unknown.
    expect(await undecidedBy(other({ cilium: UNKNOWN }))).toContain("cilium-encryption-enabled");
  });

  test("of all clusters together, the known faults are told first", async () => {
    const provider = (name: string) => ({ type: "pulumi:providers:kubernetes", name, props: { kubeconfig: UNKNOWN } });
    const open = { ...release({ encryption: { enabled: UNKNOWN } }), provider: "one" };
    const eks = { type: "aws:eks/cluster:Cluster", name: "eks" };
    expect(await ask(clusterEncrypted, [provider("one"), open, eks])).toMatchObject({
      messages: [expect.stringContaining("EKS cluster eks")],
      unknown: true,
    });
  });

  test("a cluster whose kubeconfig is unknown is known by what it is made from", async () => {
    const provider = {
      type: "pulumi:providers:kubernetes",
      name: "k8s",
      props: { kubeconfig: UNKNOWN },
      dependencies: ["eks"],
    };
    const eks = { type: "aws:eks/cluster:Cluster", name: "eks" };
    const cilium = { ...release({ encryption: WIREGUARD, k8sServiceHost: UNKNOWN }), provider: "k8s" };
    expect(await ask(clusterEncrypted, [eks, provider, cilium])).toEqual({ messages: [], advice: [], unknown: false });
    expect(await ask(clusterEncrypted, [eks, provider])).toMatchObject({
      messages: [expect.stringContaining("EKS cluster eks")],
    });
  });

  test("a record that is not written yet leaves the key's age undecided", async () => {
    const resources = [
      {
        type: "kubernetes:core/v1:Secret",
        props: { metadata: { name: "cilium-ipsec-keys" }, stringData: { keys: `3+ rfc4106(gcm(aes)) ${KEY} 128` } },
      },
      {
        type: "kubernetes:core/v1:ConfigMap",
        props: { metadata: { name: "wirecloak-record" }, data: { "record.json": UNKNOWN } },
      },
    ];
    expect((await ask(ipsecKeyAge, resources, { config: { maxAgeDays: 30 } })).unknown).toBe(true);
    expect((await ask(ipsecKeyAge, resources)).unknown).toBe(false);
  });
});

test("what the engine hands out without any inputs, as the cluster is not there yet, is undecided", async () => {
  const provider = { type: "pulumi:providers:kubernetes", name: "prod", urn: "prod" };
  const { messages, advice } = await ask(clusterEncrypted, [provider, { provider: "prod", props: {} }]);
  expect(messages).toEqual([]);
  expect(advice).toEqual([expect.stringContaining("is not known before its cluster is")]);
  expect((await ask(clusterEncrypted, [provider])).messages).toHaveLength(1);
});

describe("files of values that are not merged yet", () => {
  const WITH = "encryption: { enabled: true, type: wireguard }";
  const withFiles = (...valueYamlFiles: unknown[]) => [release({ rollOutCiliumPods: true }, { valueYamlFiles })];

  test("a text is read", async () => {
    expect(await ask(ciliumEncryptionEnabled, withFiles(new pulumi.asset.StringAsset(WITH)))).toEqual({
      messages: [],
      advice: [],
      unknown: false,
    });
    const { messages } = await ask(ciliumEncryptionEnabled, withFiles(new pulumi.asset.StringAsset("hubble: {}")));
    expect(messages).toHaveLength(1);
  });

  test("a file is read from where the program runs", async () => {
    const folder = mkdtempSync(join(tmpdir(), "values-"));
    writeFileSync(join(folder, "values.yaml"), WITH);
    const resources = withFiles(new pulumi.asset.FileAsset("values.yaml"));
    expect(await ask(ciliumEncryptionEnabled, resources, { folder })).toMatchObject({ messages: [], advice: [] });
    // Where that is not known, it is not guessed.
    const { messages, advice } = await ask(ciliumEncryptionEnabled, resources);
    expect([messages, advice]).toEqual([[], [expect.stringContaining("Undecided: the values in values.yaml")]]);
    expect(
      (await ask(ciliumEncryptionEnabled, withFiles(new pulumi.asset.FileAsset(join(folder, "values.yaml"))))).advice,
    ).toEqual([]);
  });

  test.each<[string, unknown]>([
    ["from an address", new pulumi.asset.RemoteAsset("https://example/values.yaml")],
    ["that is not there", new pulumi.asset.FileAsset("/nowhere/values.yaml")],
    ["that is no YAML", new pulumi.asset.StringAsset("a: [")],
    ["that is unknown", UNKNOWN],
  ])("a file %s leaves what it might decide undecided", async (_, file) => {
    const { messages, advice } = await ask(ciliumEncryptionEnabled, withFiles(file));
    expect(messages).toEqual([]);
    expect(advice).toEqual([expect.stringContaining("Undecided")]);
  });

  test("an unknown value beside a file is still unknown", async () => {
    const file = new pulumi.asset.StringAsset(WITH);
    const resources = [release({ encryption: { enabled: UNKNOWN } }, { valueYamlFiles: [file] })];
    expect((await ask(ciliumEncryptionEnabled, resources)).unknown).toBe(true);
  });
});
