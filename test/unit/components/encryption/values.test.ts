import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import fc from "fast-check";
import { parse } from "yaml";
import { ciliumValues, expectedConfig } from "../../../../components/encryption/values.ts";
import type { Settings } from "../../../../components/settings.ts";
import { describeUnless, sharedCilium, withoutSharedCilium } from "../../../skip.ts";
import { problemsOf, settingsOf } from "../config.ts";

const VERSIONS = ["1.16.19", "1.17.18", "1.18.12", "1.19.6", "1.20.0"];
const FACTS = { apiServer: { host: "172.18.0.2", port: 6443 }, bootIdFile: "/var/run/cilium/boot_id" };

/** Every combination of the settings that shape the values and that `loadSettings` takes. */
const COMBINATIONS = VERSIONS.flatMap((version) =>
  ["wireguard", "ipsec", "none"].flatMap((encryption) =>
    ["tunnel", "native"].flatMap((routing) =>
      [false, true].flatMap((strict) =>
        [false, true].map((more) => ({
          encryption,
          strict: String(strict),
          wireguard: { nodeEncryption: more, userspaceFallback: more && version.startsWith("1.16") },
          ipsec: {
            ...(more && !version.startsWith("1.20") && { interface: "eth0" }),
            encryptedOverlay: more && routing === "tunnel" && /^1\.1[67]/.test(version),
          },
          allowPlaintext: { reason: "x", until: "2027-01-01" },
          cilium: {
            version,
            routing,
            ipam: more ? "cluster-pool" : "kubernetes",
            kubeProxyReplacement: !more,
            hubble: !more,
            ...(routing === "native" ? { nativeCidr: "10.244.0.0/16" } : { tunnel: more ? "geneve" : "vxlan" }),
          },
        })),
      ),
    ),
  ),
).filter((config) => problemsOf(config).length === 0);

const name = (config: (typeof COMBINATIONS)[number]) =>
  `${config.cilium.version} ${config.encryption} ${config.cilium.routing}${config.strict === "true" ? " strict" : ""}${config.wireguard.nodeEncryption ? " with everything else" : ""}`;
const NAMED = COMBINATIONS.map((config) => [name(config), config] as const);

interface Encryption {
  enabled: boolean;
  type?: string;
  nodeEncryption?: boolean;
}
const encryptionOf = (settings: Settings) => ciliumValues(settings, FACTS).encryption as Encryption;

/** Dotted paths of the leaves of a tree. */
function leafPaths(tree: unknown, path: string[] = []): string[][] {
  if (typeof tree !== "object" || tree === null || Array.isArray(tree)) return [path];
  return Object.entries(tree).flatMap(([key, value]) => leafPaths(value, [...path, key]));
}

/** Paths of what the settings decide: all of our values but the two that are only defaults. */
const decided = (settings: Settings) =>
  leafPaths(ciliumValues(settings, FACTS)).filter(
    (path) => !["image.pullPolicy", "operator.replicas"].includes(path.join(".")),
  );

test("agents take up a change all at once, or node by node", () => {
  const pace = (rollout: string) => ciliumValues(settingsOf({ cilium: { rollout } }), FACTS).updateStrategy;
  expect(pace("fast")).toMatchObject({ type: "RollingUpdate", rollingUpdate: { maxUnavailable: "100%" } });
  expect(pace("steady")).toMatchObject({ type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } });
});

describe("the values of each version and mode", () => {
  // Tunnel for all versions; the rest of the space is held by the checks below.
  test.each(NAMED.filter(([, { cilium }]) => cilium.routing === "tunnel"))("%s", (_, config) => {
    expect(ciliumValues(settingsOf(config), FACTS).encryption).toMatchSnapshot();
  });

  test.each(NAMED.filter(([, { cilium }]) => cilium.version === "1.20.0"))("%s, whole", (_, config) => {
    expect(ciliumValues(settingsOf(config), FACTS)).toMatchSnapshot();
  });

  test.each(NAMED)("%s: enabled only with a type, node encryption only with WireGuard", (_, config) => {
    const { enabled, type, nodeEncryption } = encryptionOf(settingsOf(config));
    expect(enabled).toBe(config.encryption !== "none");
    expect(type).toBe(enabled ? config.encryption : undefined);
    expect(nodeEncryption ?? false).toBe(config.encryption === "wireguard" && config.wireguard.nodeEncryption);
  });

  test("agents and operator restart with every change of configuration", () => {
    expect(ciliumValues(settingsOf())).toMatchObject({ rollOutCiliumPods: true, operator: { rollOutPods: true } });
  });

  test("the API server's address is given where Cilium replaces kube-proxy, and only there", () => {
    expect(ciliumValues(settingsOf(), FACTS)).toMatchObject({
      kubeProxyReplacement: true,
      k8sServiceHost: "172.18.0.2",
      k8sServicePort: 6443,
    });
    const without = ciliumValues(settingsOf({ cilium: { kubeProxyReplacement: false } }), FACTS);
    expect(without).toMatchObject({ kubeProxyReplacement: false });
    expect(without).not.toHaveProperty("k8sServiceHost");
  });

  test("what the cluster knows later passes as it is, so a Pulumi output stays a leaf", () => {
    class Later {}
    const host = new Later();
    expect(ciliumValues(settingsOf(), { apiServer: { host, port: host } }).k8sServiceHost).toBe(host);
  });

  test("IPsec brings the settings that it needs, and WireGuard does not", () => {
    const needs = {
      dnsProxy: { enableTransparentMode: true },
      bpf: { hostLegacyRouting: true },
      extraConfig: { "boot-id-file": FACTS.bootIdFile },
    };
    expect(ciliumValues(settingsOf({ encryption: "ipsec" }), FACTS)).toMatchObject(needs);
    for (const key of Object.keys(needs)) expect(ciliumValues(settingsOf(), FACTS)).not.toHaveProperty(key);
  });

  test("routes between nodes are set in native routing, but not in a cluster whose network we do not know", () => {
    const cilium = { routing: "native", nativeCidr: "10.244.0.0/16" };
    expect(ciliumValues(settingsOf({ cilium }))).toMatchObject({
      autoDirectNodeRoutes: true,
      ipv4NativeRoutingCIDR: "10.244.0.0/16",
    });
    const existing = settingsOf({ cilium, cluster: { provider: "existing", kubeconfig: "k" } });
    expect(ciliumValues(existing)).not.toHaveProperty("autoDirectNodeRoutes");
  });
});

describe("the user's own values", () => {
  const at = (tree: unknown, path: string[]) =>
    path.reduce<unknown>((inner, key) => Reflect.get(Object(inner), key), tree);
  const withValues = (values: Record<string, unknown>, encryption = "wireguard") =>
    settingsOf({ encryption, cilium: { values } });

  test("stand beside ours, and win over what is only our default", () => {
    const values = { prometheus: { enabled: true }, operator: { replicas: 2 }, extraConfig: { "log-opt": "x" } };
    expect(ciliumValues(withValues(values, "ipsec"), FACTS)).toMatchObject({
      ...values,
      operator: { replicas: 2, rollOutPods: true },
      extraConfig: { "log-opt": "x", "boot-id-file": FACTS.bootIdFile },
    });
  });

  test("never change what ours say, whatever they are", () => {
    // The keys that matter, so that the trees meet ours.
    const keys = fc.constantFrom(
      "encryption",
      "enabled",
      "type",
      "strictMode",
      "egress",
      "extraConfig",
      "boot-id-file",
      "ipam",
      "mode",
      "bpf",
      "hostLegacyRouting",
      "operator",
      "rollOutPods",
      "__proto__",
      "constructor",
      "x",
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.dictionary(
        keys,
        fc.oneof({ maxDepth: 4 }, fc.constantFrom<unknown>(null, false, true, "x", {}, []), tie("tree")),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.constantFrom("wireguard", "ipsec", "none"), (values, encryption) => {
        const base = settingsOf({ encryption, allowPlaintext: { reason: "x", until: "2027-01-01" } });
        const own = ciliumValues(base, FACTS);
        const both = ciliumValues(
          { ...base, cilium: { ...base.cilium, values: values as Record<string, unknown> } },
          FACTS,
        );
        expect(both.encryption).toEqual(own.encryption);
        for (const path of decided(base)) expect(at(both, path)).toEqual(at(own, path));
      }),
    );
  });

  test("are refused where they would change what ours say, each with the setting to use", () => {
    const configs = COMBINATIONS.filter(({ cilium }) => cilium.version === "1.20.0");
    for (const config of configs) {
      for (const path of decided(settingsOf(config))) {
        const values = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), "other");
        const keys = problemsOf({ ...config, cilium: { ...config.cilium, values } }).map((problem) => problem.key);
        expect([path, keys]).toEqual([path, [expect.stringMatching(/^wirecloak:cilium\.values\./)]]);
      }
    }
  });
});

describe("cilium-config as it must read back", () => {
  test("without encryption every key that could switch it on is absent", () => {
    const config = expectedConfig(
      settingsOf({ encryption: "none", allowPlaintext: { reason: "x", until: "2027-01-01" } }),
    );
    expect(new Set(Object.values(config))).toEqual(new Set([null]));
  });

  test("the keys are the same ones in every version and mode, so that none goes unread", () => {
    const keys = Object.keys(expectedConfig(settingsOf()));
    for (const config of COMBINATIONS) expect(Object.keys(expectedConfig(settingsOf(config)))).toEqual(keys);
  });
});

describeUnless(withoutSharedCilium, "against the official charts", () => {
  const read = (...path: string[]) => (withoutSharedCilium ? "{}" : readFileSync(join(sharedCilium, ...path), "utf8"));
  const rendered: Record<string, Record<string, Record<string, string>>> = JSON.parse(read("effective-config.json"));

  const CASES: Record<string, (version: string) => Record<string, unknown>> = {
    wireguard: () => ({ encryption: "wireguard" }),
    "wireguard+node": () => ({ encryption: "wireguard", wireguard: { nodeEncryption: true } }),
    ipsec: () => ({ encryption: "ipsec" }),
    "wg+strict-old": () => ({ encryption: "wireguard", strict: "true" }),
    "wg+strict-egress": () => ({ encryption: "wireguard", strict: "true", cilium: { routing: "native" } }),
    "wg+strict-ingress": () => ({ encryption: "wireguard", strict: "true" }),
    "ipsec+strict-egress": () => ({ encryption: "ipsec", strict: "true" }),
    "wg+userspace": () => ({ encryption: "wireguard", wireguard: { userspaceFallback: true } }),
    "ipsec+interface": () => ({ encryption: "ipsec", ipsec: { interface: "eth0" } }),
    "ipsec+encryptedOverlay": () => ({ encryption: "ipsec", ipsec: { encryptedOverlay: true } }),
  };
  /** Cases that we spell in another way in that version, or refuse there; every other case must agree. */
  const OURS_DIFFER: Record<string, RegExp> = {
    "wg+strict-old": /^1\.(19|20)/,
    "wg+strict-egress": /^1\.(16|17|18|20)/, // 1.20 has strict ingress in native routing too, so we set it
    "wg+strict-ingress": /^1\.1[678]/,
    "ipsec+strict-egress": /^1\.1[678]/,
    "wg+userspace": /^1\.(17|18|19|20)/,
    "ipsec+interface": /^1\.20/,
    "ipsec+encryptedOverlay": /^1\.(18|19|20)/,
  };

  const agreeing = VERSIONS.flatMap((version) =>
    Object.keys(CASES)
      .filter((name) => !OURS_DIFFER[name]?.test(version))
      .map((name) => [version, name] as const),
  );

  test.each(agreeing)("%s %s: the expected config is what helm renders", (version, name) => {
    const config = CASES[name]?.(version) ?? {};
    const native = (config.cilium as { routing?: string } | undefined)?.routing === "native";
    const pods = "10.0.0.0/8";
    const settings = settingsOf({
      ...config,
      cluster: { podCidr: pods, serviceCidr: "172.20.0.0/16" },
      cilium: { version, ...(native && { routing: "native", nativeCidr: pods }) },
    });
    const present = Object.entries(expectedConfig(settings)).filter(([, value]) => value !== null);
    // The cases were rendered with allowRemoteNodeIdentities off; in a tunnel ours is on.
    const asRendered = present.map(([key, value]) => [
      key,
      key.endsWith("allow-remote-node-identities") ? "false" : value,
    ]);
    expect(Object.fromEntries(asRendered)).toEqual(rendered[version]?.[name]);
  });

  test("a case that a version ignores is refused or spelled so that it is not", () => {
    for (const [name, versions] of Object.entries(OURS_DIFFER)) {
      for (const version of VERSIONS.filter((other) => versions.test(other))) {
        const config = CASES[name]?.(version) ?? {};
        if (/userspace|interface|Overlay|^ipsec\+strict/.test(name)) {
          expect([name, version, problemsOf({ ...config, cilium: { version } }).length]).toEqual([name, version, 1]);
        } else {
          const { cilium: _, ...rest } = config;
          const strict = Object.entries(expectedConfig(settingsOf({ ...rest, cilium: { version } }))).filter(
            ([key, value]) => value === "true" && key.startsWith("enable-encryption-strict"),
          );
          expect([name, version, strict.length > 0]).toEqual([name, version, true]);
        }
      }
    }
  });

  const validators = new Map(
    VERSIONS.map((version) => [
      version,
      new Ajv({ strict: false }).compile(JSON.parse(read(version, "values.schema.json"))),
    ]),
  );
  test.each(NAMED)("%s: valid by the chart's schema", (_, config) => {
    const validate = validators.get(config.cilium.version);
    validate?.(ciliumValues(settingsOf(config), FACTS));
    expect(validate?.errors).toBeNull();
  });

  // Keys that a chart knows, though its values.yaml has them in a comment or as free-form data only.
  const COMMENTED = ["dnsProxy.enableTransparentMode", "kubeProxyReplacement", "extraConfig.boot-id-file"];
  const documents = new Map(VERSIONS.map((version) => [version, read(version, "values.yaml")]));
  const known = new Map([...documents].map(([version, text]) => [version, new Set(branchPaths(parse(text)))]));

  test.each(VERSIONS)("%s: what its values.yaml has in a comment only is there", (version) => {
    expect(documents.get(version)).toMatch(/^ *#? *enableTransparentMode:/m);
    expect(documents.get(version)).toMatch(/^#?kubeProxyReplacement:/m);
  });

  test.each(NAMED)("%s: every key is in the chart's values.yaml", (_, config) => {
    const emitted = leafPaths(ciliumValues(settingsOf(config), FACTS)).map((path) => path.join("."));
    expect(emitted.filter((path) => !known.get(config.cilium.version)?.has(path) && !COMMENTED.includes(path))).toEqual(
      [],
    );
  });
});

/** Dotted paths of a tree, inner ones too. */
function branchPaths(tree: unknown): string[] {
  return leafPaths(tree).flatMap((path) => path.map((_, i) => path.slice(0, i + 1).join(".")));
}
