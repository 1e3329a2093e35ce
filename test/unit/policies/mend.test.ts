import { type ResourceValidationPolicy, unknownCheckingProxy } from "@pulumi/policy";
import * as wire from "@pulumi/policy/deserialize.js";
import { policiesOf } from "../../../policies/pack.ts";
import type { Tree } from "../../../policies/resource.ts";
import type { Rule } from "../../../policies/rule.ts";
import { ciliumEncryptionEnabled } from "../../../policies/rules/ciliumEncryptionEnabled.ts";
import { ciliumRollout } from "../../../policies/rules/ciliumRollout.ts";
import { ipsecKeyFormat } from "../../../policies/rules/ipsecKeyFormat.ts";
import { UNKNOWN } from "./asked.ts";

/** What @pulumi/policy itself does with the engine's messages; its types do not tell of it. */
const { deserializeProperties, serializeProperties } = wire as unknown as {
  deserializeProperties: (message: { toJavaScript: () => object }, keepSecrets: boolean) => Tree;
  serializeProperties: (props: object) => Promise<unknown>;
};

const KEY = "000102030405060708090a0b0c0d0e0f10111213";
/** A secret as it goes over the wire. */
const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});

/** What the engine gets back for these properties, as it would go over the wire; undefined where nothing is mended. */
async function mended(rule: Rule, props: Tree, type = "kubernetes:helm.sh/v3:Release", config: Tree = {}) {
  const [policy] = policiesOf([rule], { where: () => ({ today: new Date("2026-11-21T12:00:00Z") }) });
  const given = deserializeProperties({ toJavaScript: () => structuredClone(props) }, true);
  const { remediateResource } = policy as ResourceValidationPolicy;
  const args = {
    type,
    urn: "urn:pulumi:prod::p::t::cilium",
    name: "cilium",
    opts: {},
    props: unknownCheckingProxy(given),
    getConfig: () => config,
  };
  const result = await remediateResource?.(args as never);
  return result ? await serializeProperties(result) : undefined;
}

const chart = { chart: "cilium", version: "1.20.2" };

test("only charts that Pulumi installs are mended: in a HelmRelease the values are elsewhere", async () => {
  const props = { metadata: { name: "cilium" }, spec: { chart: { spec: { chart: "cilium", version: "1.20.2" } } } };
  for (const rule of [ciliumEncryptionEnabled, ciliumRollout])
    expect(await mended(rule, props, "kubernetes:helm.toolkit.fluxcd.io/v2:HelmRelease")).toBeUndefined();
});

describe("turning encryption on", () => {
  test("adds WireGuard, and keeps secrets secret and unknowns unknown", async () => {
    const values = { rollOutCiliumPods: true, k8sServiceHost: UNKNOWN, hubble: { token: secret("t") } };
    expect(await mended(ciliumEncryptionEnabled, { ...chart, values })).toEqual({
      ...chart,
      values: { ...values, encryption: { enabled: true, type: "wireguard" } },
    });
  });

  test("keeps values secret that are one as a whole", async () => {
    expect(await mended(ciliumEncryptionEnabled, { ...chart, values: secret({ debug: {} }) })).toEqual({
      ...chart,
      values: secret({ debug: {}, encryption: { enabled: true, type: "wireguard" } }),
    });
  });

  test("where there are no values, or a block that decides nothing", async () => {
    expect(await mended(ciliumEncryptionEnabled, chart)).toMatchObject({ values: { encryption: { enabled: true } } });
    const values = { encryption: { nodeEncryption: true } };
    expect(await mended(ciliumEncryptionEnabled, { ...chart, values })).toMatchObject({
      values: { encryption: { enabled: true, type: "wireguard", nodeEncryption: true } },
    });
  });

  test.each<[string, Tree]>([
    ["it is off in words", { encryption: { enabled: false } }],
    ["there is a type", { encryption: { type: "ipsec" } }],
    ["there are values of IPsec", { encryption: { ipsec: { secretName: "mine" } } }],
    ["an extraConfig turns it off", { extraConfig: { "enable-wireguard": "false" } }],
    ["agents read another configuration", { daemon: { configSources: "config-map:mine" } }],
    ["it is on", { encryption: { enabled: true, type: "wireguard" } }],
  ])("not where %s", async (_, values) => {
    expect(await mended(ciliumEncryptionEnabled, { ...chart, values })).toBeUndefined();
  });

  test("not in a chart of charts, nor where an exemption holds", async () => {
    const inner = { chart: "./platform", values: { cilium: { rollOutCiliumPods: true } } };
    expect(await mended(ciliumEncryptionEnabled, inner)).toBeUndefined();
    const exemptions = [{ stack: "prod", reason: "r", until: "2026-12-31" }];
    expect(await mended(ciliumEncryptionEnabled, chart, undefined, { exemptions })).toBeUndefined();
  });
});

describe("rolling agents", () => {
  test("adds rollOutCiliumPods", async () => {
    const values = { k8sServiceHost: UNKNOWN, token: secret("t") };
    expect(await mended(ciliumRollout, { ...chart, values })).toEqual({
      ...chart,
      values: { ...values, rollOutCiliumPods: true },
    });
  });

  test.each<[string, Tree]>([
    ["it is off in words", { rollOutCiliumPods: false }],
    ["agents wait to be deleted", { updateStrategy: { type: "OnDelete" } }],
    ["it is on", { rollOutCiliumPods: true }],
  ])("not where %s", async (_, values) => {
    expect(await mended(ciliumRollout, { ...chart, values })).toBeUndefined();
  });
});

describe("the plus of a key", () => {
  const type = "kubernetes:core/v1:Secret";
  const metadata = { name: "cilium-ipsec-keys" };
  const line = (id: string, key = KEY) => `${id} rfc4106(gcm(aes)) ${key} 128`;
  const encoded = (text: string) => Buffer.from(text).toString("base64");

  test("is added, and the key stays a secret", async () => {
    expect(
      await mended(ipsecKeyFormat, { metadata, stringData: { keys: secret(line("3")), other: secret("x") } }, type),
    ).toEqual({
      metadata,
      stringData: { keys: secret(line("3+")), other: secret("x") },
    });
    expect(await mended(ipsecKeyFormat, { metadata, data: secret({ keys: encoded(line("3")) }) }, type)).toEqual({
      metadata,
      data: secret({ keys: encoded(line("3+")) }),
    });
  });

  test.each([
    ["more is wrong", line("3", KEY.slice(2))],
    ["it is there", line("3+")],
  ])("not where %s", async (_, keys) => {
    expect(await mended(ipsecKeyFormat, { metadata, stringData: { keys: secret(keys) } }, type)).toBeUndefined();
  });
});
