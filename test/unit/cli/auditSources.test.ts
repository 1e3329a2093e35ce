import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type AuditApi, readCluster } from "../../../cli/audit/cluster.ts";
import { keyShape, withoutKeys } from "../../../cli/audit/keyShape.ts";
import { readFiles } from "../../../cli/audit/manifests.ts";
import { isState, readState } from "../../../cli/audit/state.ts";
import { keyFaults } from "../../../policies/cilium/keyLine.ts";
import { at, type Resource, textAt, UnreadError } from "../../../policies/resource.ts";
import { RefusedError } from "../../../prover/clusterApi.ts";

const KEY = "4f9a3c0e7b1d2286a5c4e3f20918b7d6c5e4f302";
const LINE = `3+ rfc4106(gcm(aes)) ${KEY} 128`;
const SHAPE = `3+ rfc4106(gcm(aes)) ${"0".repeat(40)} 128`;

/** What Pulumi writes for a secret (sdk/go/common/resource/sig). */
const secret = (of: object) => ({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ...of });

const urnOf = (type: string, name: string) => `urn:pulumi:prod::wirecloak::${type}::${name}`;

function stateOf(...resources: object[]): { deployment: Record<string, unknown> } {
  return { deployment: { manifest: {}, resources } };
}

function inState(type: string, name: string, rest: object): object {
  return { urn: urnOf(type, name), type, ...rest };
}

const only = (resources: readonly Resource[]): Resource => {
  expect(resources).toHaveLength(1);
  return resources[0] as Resource;
};

describe("the shape of a key line", () => {
  test.each([
    [LINE, SHAPE],
    ["3 hmac(sha256) 0011 cbc(aes) aabbccddeeff", "3 hmac(sha256) 0011 cbc(aes) 000000000000"],
    [`3+ rfc4106(gcm(aes)) 0x${KEY} 128`, `3+ rfc4106(gcm(aes)) 0x${"0".repeat(40)} 128`],
    // What no rule can take for a key still says so, and still says nothing else.
    [`3 rfc4106(gcm(aes))${KEY}`, `3 x000000xx0xx00xxx${"0".repeat(40)}`],
    ["3+ rfc4106(gcm(aes)) not-hex-at-all 128", "3+ rfc4106(gcm(aes)) xxxxx0xx0xx0xx 128"],
    [`${KEY}\n`, `${"0".repeat(40)}\n`],
  ])("%s", (line, shape) => {
    expect(keyShape(line)).toBe(shape);
  });

  test("holds no key, wherever in the line it is", () => {
    const word = fc.oneof(fc.stringMatching(/^[0-9a-f]{8,72}$/), fc.constantFrom("3+", "rfc4106(gcm(aes))", "128"));
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const shape = keyShape(words.join(" "));
        const keys = words.filter((each) => /^[0-9a-f]{8,}$/.test(each) && /[^0]/.test(each));
        return keys.every((key) => !shape.includes(key)) && shape.length === words.join(" ").length;
      }),
    );
  });

  test.each([
    LINE,
    LINE.replace("+", ""),
    LINE.replace("3+", "16+"),
    LINE.replace(KEY, KEY.slice(2)),
    LINE.replace(KEY, `${KEY}${KEY.slice(0, 32)}`),
    LINE.replace("128", "96"),
    LINE.replace(KEY, "not hex at all"),
    LINE.replace("rfc4106(gcm(aes))", "seqiv(rfc4106(gcm(aes)))"),
    `3+ hmac(sha256) ${KEY}${KEY.slice(0, 24)} cbc(aes) ${KEY.slice(0, 32)}`,
    `3+ hmac(md5) ${KEY.slice(0, 32)} ecb(cipher_null) ${KEY}`,
    `${LINE}\n${LINE.replace("3+", "4+")}\n`,
    "",
  ])("has the faults that the line has: %s", (line) => {
    expect(keyFaults(keyShape(line))).toEqual(keyFaults(line));
  });

  test("is all that is left of a Secret, annotations of kubectl's included", () => {
    const props = {
      metadata: {
        name: "cilium-ipsec-keys",
        annotations: { "kubectl.kubernetes.io/last-applied-configuration": LINE, made: "2026-11-21" },
      },
      data: { keys: Buffer.from(LINE).toString("base64"), other: KEY },
    };
    const left = withoutKeys({ type: "kubernetes:core/v1:Secret", urn: "u", name: "n", props });
    expect(left.props).toEqual({
      metadata: { name: "cilium-ipsec-keys", annotations: { made: "2026-11-21" } },
      stringData: { keys: SHAPE },
    });
  });
});

describe("an exported state", () => {
  test("is known by its form", () => {
    expect(isState(stateOf())).toBe(true);
    for (const other of [undefined, [], {}, { deployment: {} }, { kind: "Deployment", deployment: "x" }])
      expect(isState(other)).toBe(false);
  });

  test("gives each resource as the pack would see it", () => {
    const provider = urnOf("pulumi:providers:kubernetes", "dev");
    const { resources, unread, source } = readState(
      stateOf(
        inState("kubernetes:helm.sh/v3:Release", "cilium", {
          parent: "urn:parent",
          provider: `${provider}::c0ffee-id`,
          dependencies: ["urn:waited-for", "urn:network"],
          propertyDependencies: { values: ["urn:network"], chart: null },
          inputs: { chart: "cilium", values: { encryption: { enabled: true } } },
          outputs: { chart: "other", status: { revision: 3 } },
        }),
        inState("kubernetes:core/v1:ConfigMap", "gone", { delete: true }),
      ),
      "prod",
    );
    expect(source).toEqual({ kind: "state", of: "prod" });
    expect(unread).toEqual([]);
    expect(only(resources)).toEqual({
      type: "kubernetes:helm.sh/v3:Release",
      urn: urnOf("kubernetes:helm.sh/v3:Release", "cilium"),
      name: "cilium",
      props: { chart: "cilium", values: { encryption: { enabled: true } }, status: { revision: 3 } },
      provider,
      parent: "urn:parent",
      dependencies: ["urn:network"],
      waitsFor: ["urn:waited-for", "urn:network"],
    });
  });

  test.each([
    ["encrypted", secret({ ciphertext: "v1:abc" })],
    ["hidden", "[secret]"],
  ])("throws where a value is read that is %s, and nowhere else", (_, value) => {
    const values = { rollOutCiliumPods: true, extraConfig: value, extraArgs: ["--a", value] };
    const release = inState("kubernetes:helm.sh/v3:Release", "cilium", { inputs: { chart: "cilium", values } });
    const { props } = only(readState(stateOf(release), "prod").resources);
    expect(at(props, "values", "rollOutCiliumPods")).toBe(true);
    expect(Object.keys(Object(at(props, "values")))).toContain("extraConfig");
    expect(() => at(props, "values", "extraConfig", "enable-ipsec")).toThrow(UnreadError);
    expect(() => JSON.stringify(at(props, "values", "extraArgs"))).toThrow("a secret that the state holds encrypted");
  });

  test("of a decrypted key only the shape stays", () => {
    const data = secret({ plaintext: JSON.stringify({ keys: Buffer.from(LINE).toString("base64") }) });
    const keys = inState("kubernetes:core/v1:Secret", "key", {
      inputs: { metadata: { name: "cilium-ipsec-keys" }, data },
      outputs: { stringData: secret({ plaintext: JSON.stringify({ keys: LINE }) }) },
    });
    const { props } = only(readState(stateOf(keys), "prod").resources);
    expect(textAt(props, "stringData", "keys")).toBe(SHAPE);
    expect(JSON.stringify(props)).not.toContain(KEY);
  });

  test("may hold a Secret of which nothing can be read, which ends nothing", () => {
    const hidden = inState("kubernetes:core/v1:Secret", "token", {
      inputs: { metadata: { name: "[secret]", annotations: "[secret]" }, data: "[secret]" },
    });
    const wholly = inState("kubernetes:core/v1:Secret", "other", { inputs: { metadata: "[secret]" } });
    const { resources } = readState(stateOf(hidden, wholly), "prod");
    expect(resources.map(({ name }) => name)).toEqual(["token", "other"]);
    for (const { props } of resources) expect(() => at(props, "metadata", "name")).toThrow(UnreadError);
  });

  test("with an operation that was cut short says that it is not known what came of it", () => {
    const state = stateOf();
    state.deployment.pending_operations = [{ type: "creating" }];
    expect(readState(state, "prod").unread).toEqual([expect.stringContaining("1 operations were cut short")]);
  });
});

describe("files", () => {
  const folder = mkdtempSync(join(tmpdir(), "audit-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const rendered = `# Source: cilium/templates/cilium-configmap.yaml
apiVersion: v1
kind: ConfigMap
metadata: { name: cilium-config }
data: { enable-wireguard: "false", enable-wireguard: "true" }
---
---
apiVersion: v1
kind: Secret
metadata: { name: cilium-ipsec-keys }
stringData: { keys: "${LINE}" }
`;

  test("of manifests: every document of each, the last of two equal keys, no key", () => {
    const list = { apiVersion: "v1", kind: "List", items: [{ apiVersion: "v1", kind: "ConfigMap", data: {} }] };
    const reading = readFiles([file("a.yaml", rendered), file("b.json", JSON.stringify(list))]);
    expect(reading.resources.map(({ type }) => type.split(":").at(-1))).toEqual(["ConfigMap", "Secret", "ConfigMap"]);
    expect(at(reading.resources[0]?.props, "data", "enable-wireguard")).toBe("true");
    expect(JSON.stringify(reading)).not.toContain(KEY);
  });

  test("that hold a state are read as one", () => {
    const state = file("state.json", JSON.stringify({ version: 3, ...stateOf() }));
    expect(readFiles([state]).source).toEqual({ kind: "state", of: state });
    expect(() => readFiles([state, file("a.yaml", rendered)])).toThrow("there are other files beside it");
  });

  test.each([
    ["no YAML", "a: [1"],
    ["half a template", "data:\n{{ if .Values.x }}\n  a: b\n"],
  ])("that cannot be read, being %s, are the user's to mend", (_, text) => {
    expect(() => readFiles([file("broken.yaml", text)])).toThrow("This is not YAML that can be read");
    expect(() => readFiles([join(folder, "none.yaml")])).toThrow("It cannot be read: ENOENT");
  });
});

describe("a live cluster", () => {
  const wireguard: AuditApi = {
    configMap: async (name) =>
      name === "cilium-config" ? { metadata: { name }, data: { "enable-wireguard": "true" } } : null,
    daemonSets: async () => [daemonSet("cilium", []), daemonSet("calico-node", [])],
    ciliumNodeConfigs: async () => [{ metadata: { name: "some-nodes" }, spec: { defaults: { mtu: "1400" } } }],
    secret: async () => {
      throw new Error("nobody may ask for it");
    },
  };
  const ipsec: AuditApi = {
    ...wireguard,
    configMap: async (name) =>
      name === "cilium-config" ? { metadata: { name }, data: { "enable-ipsec": "true" } } : null,
    daemonSets: async () => [
      daemonSet("cilium", [{ name: "cilium-ipsec-secrets", secret: { secretName: "my-keys" } }]),
    ],
    secret: async (name) => ({
      metadata: { name, creationTimestamp: new Date("2026-11-01T00:00:00Z") },
      data: { keys: Buffer.from(LINE).toString("base64") },
    }),
  };

  test("is read with its other CNIs; the Secret is left alone where agents mount none", async () => {
    const { resources, unread } = await readCluster(wireguard, "of k");
    expect(resources.map(({ urn }) => urn)).toEqual([
      "ConfigMap cilium-config",
      "DaemonSet kube-system/cilium",
      "DaemonSet kube-system/calico-node",
      "CiliumNodeConfig some-nodes",
    ]);
    expect(unread).toEqual([]);
  });

  test("of the Secret that agents mount only the shape is kept", async () => {
    const { resources } = await readCluster(ipsec, "of k");
    const keys = resources.find(({ urn }) => urn === "Secret my-keys");
    expect(keys?.props.stringData).toEqual({ keys: SHAPE });
    expect(textAt(keys?.props, "metadata", "creationTimestamp")).toBe("2026-11-01T00:00:00.000Z");
    expect(JSON.stringify(resources)).not.toContain(Buffer.from(KEY).toString("base64").slice(0, 20));
  });

  test("that may not be read in parts: rules of keys are undecided, and the rest is told", async () => {
    const refused = async () => {
      throw new RefusedError(403, "cannot do this: 403: forbidden");
    };
    const { resources, unread } = await readCluster({ ...ipsec, daemonSets: refused, secret: refused }, "of k");
    expect(unread).toEqual(["cannot do this: 403: forbidden"]);
    const keys = resources.find(({ urn }) => urn === "Secret cilium-ipsec-keys");
    expect(() => textAt(keys?.props, "stringData", "keys")).toThrow("403: forbidden");
  });

  function daemonSet(name: string, volumes: { name: string; secret?: { secretName: string } }[]) {
    const spec = { selector: {}, template: { spec: { containers: [], volumes } } };
    return { metadata: { name, namespace: "kube-system" }, spec };
  }
});
