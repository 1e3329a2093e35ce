import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { type Server, createServer as serveHttp } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import {
  Asset,
  hasSecret,
  hasUnknown,
  isMap,
  type PropertyMap,
  reveal,
  revealMap,
  Secret,
  unknown,
  type Value,
} from "../../rehearsal/plugins/plugin/values.ts";
import { describeUnless } from "../skip.ts";
import { initFailureOf } from "./initFailure.ts";
import { official, Plugin, type State, type Target } from "./plugin.ts";
import { SmallCluster, withoutSmallCluster } from "./smallCluster.ts";

jest.setTimeout(120_000);

const secret = { type: "kubernetes:core/v1:Secret", name: "secret" };
const configMap = { type: "kubernetes:core/v1:ConfigMap", name: "map" };
const deployment = { type: "kubernetes:apps/v1:Deployment", name: "deployment" };
const release = { type: "kubernetes:helm.sh/v3:Release", name: "release" };
const providerTarget = { type: "pulumi:providers:kubernetes", name: "cluster" };
const chart = path.join(__dirname, "chart");

/** What the engine does for a new resource. */
async function created(plugin: Plugin, target: Target, news: PropertyMap): Promise<State> {
  const { inputs, failures } = await plugin.check(target, news);
  expect(failures).toEqual([]);
  return plugin.create(target, inputs);
}

/** What the engine asks for a resource whose program has these arguments now. */
async function diffTo(plugin: Plugin, target: Target, state: State, news: PropertyMap) {
  const { inputs } = await plugin.check(target, news, state.inputs);
  return plugin.diff(target, state, inputs);
}

async function updated(plugin: Plugin, target: Target, state: State, news: PropertyMap): Promise<State> {
  const { inputs } = await plugin.check(target, news, state.inputs);
  return plugin.update(target, state, inputs);
}

/** What `pulumi refresh` makes of a state. */
async function refreshed(plugin: Plugin, target: Target, state: State): Promise<State> {
  const read = await plugin.read(target, state);
  if (read === undefined) {
    throw new Error(`${target.name} is gone`);
  }
  return read;
}

function at(map: PropertyMap, ...keys: string[]): Value {
  return keys.reduce<Value>((value, key) => {
    const inner = reveal(value);
    return isMap(inner) ? (inner[key] ?? null) : null;
  }, map);
}

/** The values in a state that are not secret, as text: what anybody who reads the state sees. */
function readable(value: Value): string {
  if (value instanceof Secret) {
    return "";
  }
  if (Array.isArray(value)) {
    return value.map(readable).join("\n");
  }
  return isMap(value) ? Object.values(value).map(readable).join("\n") : String(value);
}

function kubeconfigOf(server: string, more: object = {}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    contexts: [
      { name: "here", context: { cluster: "here", user: "me" } },
      { name: "there", context: { cluster: "there", user: "me" } },
    ],
    clusters: [
      { name: "here", cluster: { server } },
      { name: "there", cluster: { server: "https://127.0.0.1:2" } },
    ],
    users: [{ name: "me", user: { token: "t", ...more } }],
  });
}

describe("the provider's own settings", () => {
  let plugin: Plugin;
  beforeAll(async () => {
    plugin = await Plugin.start("kubernetes", { kubeconfig: new Secret(kubeconfigOf("https://127.0.0.1:1")) });
  });
  afterAll(() => plugin.stop());

  async function diffConfig(olds: PropertyMap, news: PropertyMap) {
    return plugin.diffConfig(providerTarget, { id: "id", inputs: olds, outputs: olds }, news);
  }

  test("tells a version", async () => {
    expect(await plugin.version()).toMatch(/^v?4\.\d+\.\d+/);
  });

  test("are taken as they are, secrets as secrets, what is not known yet as such", async () => {
    const news = { kubeconfig: new Secret("kubeconfig"), clusterIdentifier: unknown, enableSecretMutable: "true" };
    const { inputs, failures } = await plugin.checkConfig(providerTarget, news);
    expect(failures).toEqual([]);
    expect(revealMap(inputs)).toMatchObject({ kubeconfig: "kubeconfig", enableSecretMutable: "true" });
    expect(hasUnknown(inputs.clusterIdentifier ?? null)).toBe(true);
  });

  const here = kubeconfigOf("https://127.0.0.1:1");
  const renewed = kubeconfigOf("https://127.0.0.1:1", { "client-certificate-data": "bmV3" });
  const moved = kubeconfigOf("https://127.0.0.1:3");
  const named = { kubeconfig: here, clusterIdentifier: "one" };

  test.each<[string, PropertyMap, PropertyMap]>([
    ["the same settings", named, named],
    ["no settings at all", {}, {}],
  ])("%s are no difference", async (_, olds, news) => {
    expect((await diffConfig(olds, news)).changes).toBe("none");
  });

  test.each<[string, PropertyMap, PropertyMap]>([
    ["other credentials", { kubeconfig: here }, { kubeconfig: renewed }],
    ["another server of the same identifier", named, { ...named, kubeconfig: moved }],
    ["another context of the same identifier", named, { ...named, context: "there" }],
    ["a flag", named, { ...named, enableSecretMutable: "true" }],
    ["an identifier where there was none", { kubeconfig: here }, named],
    ["no identifier any more", named, { kubeconfig: here }],
  ])("%s: an update in place", async (_, olds, news) => {
    const diff = await diffConfig(olds, news);
    expect(diff.changes).toBe("some");
    expect(diff.replaces).toEqual([]);
  });

  test.each<[string, PropertyMap, PropertyMap]>([
    ["another identifier", named, { ...named, clusterIdentifier: "two" }],
    ["another server, without identifier", { kubeconfig: here }, { kubeconfig: moved }],
    ["a context of another cluster, without identifier", { kubeconfig: here }, { kubeconfig: here, context: "there" }],
    ["a kubeconfig that is not known yet", { kubeconfig: here }, { kubeconfig: unknown }],
  ])("%s: a replacement", async (_, olds, news) => {
    expect((await diffConfig(olds, news)).replaces).not.toEqual([]);
  });

  test("refuses what it cannot do, by name", async () => {
    const chartV4 = { type: "kubernetes:helm.sh/v4:Nonsense", name: "x" };
    await expect(plugin.check(chartV4, {}).then(({ inputs }) => plugin.create(chartV4, inputs))).rejects.toThrow();
  });

  describeUnless(official ? "the stand-in's own promises" : undefined, "the stand-in", () => {
    test("never reaches for the user's own kubeconfig", async () => {
      await expect(Plugin.start("kubernetes", {})).rejects.toThrow(/neither kubeconfig nor context.*stand-in/s);
    });

    test.each<PropertyMap>([{ renderYamlToDirectory: "yaml" }, { enableServerSideApply: "false" }, { cluster: "x" }])(
      "refuses a setting that it would ignore: %j",
      async (settings) => {
        const { failures } = await plugin.checkConfig(providerTarget, { kubeconfig: here, ...settings });
        expect(failures).toMatchObject([
          { property: Object.keys(settings)[0], reason: expect.stringContaining("stand-in") },
        ]);
      },
    );

    test.each(["kubernetes:helm.sh/v4:Chart", "kubernetes:yaml/v2:ConfigGroup", "kubernetes:apps/v1:DaemonSetPatch"])(
      "names itself and what it knows, asked for %s",
      async (type) => {
        await expect(plugin.check({ type, name: "x" }, {})).rejects.toThrow(
          /stand-in.*plain kinds and helm\.v3\.Release.*official/,
        );
      },
    );
  });
});

describe("a cluster that does not answer", () => {
  const inputs = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "map", namespace: "default" },
    data: { a: "1" },
  };
  const state = { id: "default/map", inputs, outputs: { ...inputs, __inputs: inputs } };
  let kubeconfig: string;
  beforeAll(async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    kubeconfig = kubeconfigOf(`https://127.0.0.1:${(server.address() as { port: number }).port}`);
    await new Promise((resolve) => server.close(resolve));
  });

  async function withPlugin(settings: PropertyMap, work: (plugin: Plugin) => Promise<void>): Promise<void> {
    const plugin = await Plugin.start("kubernetes", { kubeconfig, ...settings });
    try {
      await work(plugin);
    } finally {
      await plugin.stop();
    }
  }

  test("previews all the same", async () => {
    await withPlugin({}, async (plugin) => {
      const { inputs: checked, failures } = await plugin.check(configMap, inputs);
      expect(failures).toEqual([]);
      const { outputs } = await plugin.create(configMap, checked, { preview: true });
      expect(at(outputs, "data", "a")).toBe("1");
      expect((await plugin.diff(configMap, state, checked)).changes).toBe("none");
    });
  });

  test("refuses to create, read and delete, and says why", async () => {
    await withPlugin({}, async (plugin) => {
      await expect(plugin.create(configMap, inputs)).rejects.toThrow(/unreachable/);
      await expect(plugin.read(configMap, state)).rejects.toThrow(/unreachable.*PULUMI_K8S_DELETE_UNREACHABLE/s);
      await expect(plugin.delete(configMap, state)).rejects.toThrow(/unreachable.*PULUMI_K8S_DELETE_UNREACHABLE/s);
    });
  });

  test("with deleteUnreachable, its objects are gone", async () => {
    await withPlugin({ deleteUnreachable: "true" }, async (plugin) => {
      await expect(plugin.read(configMap, state)).resolves.toBeUndefined();
      await expect(plugin.delete(configMap, state)).resolves.toBeUndefined();
    });
  });

  test("with skipUpdateUnreachable, its objects stay as the state has them", async () => {
    await withPlugin({ skipUpdateUnreachable: "true" }, async (plugin) => {
      expect((await plugin.read(configMap, state))?.inputs).toEqual(inputs);
    });
  });
});

describeUnless(withoutSmallCluster(), "releases in a cluster that does not answer", () => {
  const inputs = { chart, name: "lost", namespace: "default", values: {}, version: "0.1.0", timeout: 5 };
  const state = { id: "default/lost", inputs, outputs: { ...inputs, __inputs: new Secret(inputs) } };

  test.each<[string, PropertyMap, (plugin: Plugin) => Promise<void>]>([
    [
      "cannot be made or read",
      {},
      async (plugin) => {
        await expect(plugin.create(release, inputs)).rejects.toThrow(/unreachable/);
        await expect(plugin.read(release, state)).rejects.toThrow(/unreachable/);
      },
    ],
    [
      "are gone with deleteUnreachable, but for their delete",
      { deleteUnreachable: "true" },
      async (plugin) => {
        await expect(plugin.read(release, state)).resolves.toBeUndefined();
        await expect(plugin.delete(release, state)).rejects.toThrow(/unreachable/); // pulumi-kubernetes#2675
      },
    ],
  ])("%s", async (_, settings, work) => {
    const plugin = await Plugin.start("kubernetes", { kubeconfig: kubeconfigOf("https://127.0.0.1:1"), ...settings });
    try {
      await work(plugin);
    } finally {
      await plugin.stop();
    }
  });
});

describeUnless(withoutSmallCluster(), "in a cluster", () => {
  let cluster: SmallCluster;
  let plugin: Plugin;
  /** The same with `enableSecretMutable` and `enableConfigMapMutable`. */
  let mutable: Plugin;
  beforeAll(async () => {
    cluster = SmallCluster.start();
    const kubeconfig = new Secret(cluster.kubeconfig);
    plugin = await Plugin.start("kubernetes", { kubeconfig });
    mutable = await Plugin.start("kubernetes", {
      kubeconfig: cluster.kubeconfigFile,
      enableSecretMutable: "true",
      enableConfigMapMutable: "true",
    });
  });
  afterAll(async () => {
    await Promise.all([plugin?.stop(), mutable?.stop()]);
    cluster?.stop();
  });

  const make = (target: Target, news: PropertyMap) => created(plugin, target, news);

  function mapInputs(name: string, data: PropertyMap = { a: "1" }, metadata: PropertyMap = {}): PropertyMap {
    return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default", ...metadata }, data };
  }

  function secretInputs(name: string, text: string, more: PropertyMap = {}): PropertyMap {
    const metadata = { name, namespace: "default" };
    return { apiVersion: "v1", kind: "Secret", metadata, stringData: { keys: new Secret(text) }, ...more };
  }

  function deploymentInputs(name: string, spec: PropertyMap = {}, metadata: PropertyMap = {}): PropertyMap {
    return {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace: "default", ...metadata },
      spec: {
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          // cpu in a spelling that the API server changes
          spec: { containers: [{ name: "main", image: "tiny", resources: { requests: { cpu: "1000m" } } }] },
        },
        ...spec,
      },
    };
  }

  describe("check", () => {
    test("makes up a name where there is none, and keeps it", async () => {
      const news = { apiVersion: "v1", kind: "ConfigMap", data: { a: "1" } };
      const { inputs } = await plugin.check(configMap, news);
      expect(at(inputs, "metadata", "name")).toMatch(/^map-[0-9a-f]{8}$/);
      const again = await plugin.check(configMap, { ...news, data: { a: "2" } }, inputs);
      expect(at(again.inputs, "metadata", "name")).toBe(at(inputs, "metadata", "name"));
    });

    test("keeps a name that is given, or not known yet", async () => {
      expect(at((await plugin.check(configMap, mapInputs("given"))).inputs, "metadata", "name")).toBe("given");
      const news = { ...mapInputs("x"), metadata: { name: unknown, namespace: "default" } };
      expect(hasUnknown(at((await plugin.check(configMap, news)).inputs, "metadata", "name"))).toBe(true);
    });

    test("puts a namespaced object into the namespace of the context, and only such", async () => {
      const news = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } };
      expect(at((await plugin.check(configMap, news)).inputs, "metadata", "namespace")).toBe("default");
      const namespace = { type: "kubernetes:core/v1:Namespace", name: "ns" };
      const { inputs } = await plugin.check(namespace, {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: "x" },
      });
      expect(at(inputs, "metadata", "namespace")).toBeNull();
    });

    test("keeps the contents of a Secret secret, marked or not", async () => {
      const { inputs } = await plugin.check(secret, { ...secretInputs("x", "-"), stringData: { keys: "hunter2" } });
      expect(readable(inputs)).not.toMatch(/hunter2|aHVudGVyMg/);
      expect(hasSecret(inputs)).toBe(true);
    });
  });

  describe("preview", () => {
    test("creates nothing and keeps what is not known", async () => {
      const { inputs } = await plugin.check(configMap, mapInputs("previewed", { a: unknown }));
      const { outputs } = await plugin.create(configMap, inputs, { preview: true });
      expect(hasUnknown(at(outputs, "data", "a"))).toBe(true);
      const { inputs: known } = await plugin.check(configMap, mapInputs("previewed"));
      expect(at((await plugin.create(configMap, known, { preview: true })).outputs, "data", "a")).toBe("1");
      expect(cluster.get("configmap", "previewed")).toBeUndefined();
    });

    test("updates nothing", async () => {
      const state = await created(mutable, configMap, mapInputs("preview-update"));
      const { inputs } = await mutable.check(configMap, mapInputs("preview-update", { a: "2" }), state.inputs);
      const { outputs } = await mutable.update(configMap, state, inputs, { preview: true });
      expect(at(outputs, "data", "a")).toBe("2");
      expect(cluster.get("configmap", "preview-update")?.data).toEqual({ a: "1" });
    });

    test("works for a namespace and a kind that are still to be made", async () => {
      const news = { ...mapInputs("x"), metadata: { name: "x", namespace: "not-yet" } };
      expect((await plugin.create(configMap, (await plugin.check(configMap, news)).inputs, { preview: true })).id).toBe(
        "",
      );
      const custom = { type: "kubernetes:example.com/v1:Thing", name: "thing" };
      const thing = { apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "x" }, spec: { a: 1 } };
      const { inputs } = await plugin.check(custom, thing);
      expect(at((await plugin.create(custom, inputs, { preview: true })).outputs, "spec", "a")).toBe(1);
    });
  });

  describe("create", () => {
    test("applies server-side as Pulumi, and answers with the live object", async () => {
      const { id, outputs } = await make(configMap, mapInputs("made"));
      expect(id).toBe("default/made");
      const live = cluster.get("configmap", "made");
      expect(live?.data).toEqual({ a: "1" });
      expect(at(outputs, "metadata", "uid")).toBe(live?.metadata.uid);
      expect(live?.metadata.managedFields).toMatchObject([
        { manager: expect.stringMatching(/^pulumi-kubernetes/), operation: "Apply" },
      ]);
    });

    test("refuses to take over what is there", async () => {
      cluster.kubectl("create", "configmap", "mine", "--from-literal=a=mine");
      await expect(make(configMap, mapInputs("mine"))).rejects.toThrow(/already exists/);
      expect(cluster.get("configmap", "mine")?.data).toEqual({ a: "mine" });
    });

    test("takes it over where the provider is told to", async () => {
      cluster.kubectl("create", "configmap", "adopted", "--from-literal=a=1");
      const upserting = await Plugin.start("kubernetes", {
        kubeconfig: cluster.kubeconfigFile,
        upsertExistingObjects: "true",
      });
      const { id } = await created(upserting, configMap, mapInputs("adopted", { a: "1" }, { labels: { ours: "1" } }));
      await upserting.stop();
      expect(id).toBe("default/adopted");
      expect(cluster.get("configmap", "adopted")?.metadata.labels).toEqual({ ours: "1" });
    });

    test("keeps the contents of a Secret out of the readable state", async () => {
      const { outputs, inputs } = await make(secret, secretInputs("kept", "hunter2"));
      const base64 = Buffer.from("hunter2").toString("base64");
      expect(cluster.get("secret", "kept")?.data).toEqual({ keys: base64 });
      expect(at(outputs, "data", "keys")).toBe(base64);
      for (const map of [outputs, inputs]) {
        expect(readable(map)).not.toMatch(/hunter2|aHVudGVyMg/);
      }
    });

    test("keeps other secrets secret, at their place only", async () => {
      const { outputs } = await make(configMap, mapInputs("marked", { a: new Secret("hunter2"), b: "plain" }));
      expect(readable(outputs)).not.toContain("hunter2");
      expect(readable(outputs)).toContain("plain");
    });

    test("waits until a Deployment is ready", async () => {
      const { outputs } = await make(deployment, deploymentInputs("awaited"));
      expect(at(outputs, "status", "availableReplicas")).toBe(1);
    });

    test("does not wait where told not to", async () => {
      const spec = {
        replicas: 1,
        template: { metadata: { labels: { app: "unawaited" } }, spec: nowhere("unawaited") },
      };
      const skip = { annotations: { "pulumi.com/skipAwait": "true" } };
      const { id } = await make(deployment, deploymentInputs("unawaited", spec, skip));
      expect(id).toBe("default/unawaited");
    });

    test("keeps what is there but not ready, so that the next update mends it", async () => {
      const stuck = { template: { metadata: { labels: { app: "stuck" } }, spec: nowhere("stuck") } };
      const timeout = { annotations: { "pulumi.com/timeoutSeconds": "2" } };
      const { inputs } = await plugin.check(deployment, deploymentInputs("stuck", stuck, timeout));
      const failed = await initFailureOf(plugin.create(deployment, inputs));
      expect(failed.id).toBe("default/stuck");
      expect(failed.reasons.join()).not.toBe("");
      const state = { ...failed, inputs };
      const mended = await updated(plugin, deployment, state, deploymentInputs("stuck"));
      expect(at(mended.outputs, "status", "availableReplicas")).toBe(1);
    });

    test("shows what the API server refuses", async () => {
      const bad = deploymentInputs("bad", { selector: { matchLabels: { app: "other" } } });
      const { inputs } = await plugin.check(deployment, bad);
      await expect(plugin.create(deployment, inputs)).rejects.toThrow(/selector.*does not match template/s);
    });

    test("knows a custom kind as soon as its definition is there, cluster-wide ones too", async () => {
      const crd = { type: "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", name: "crd" };
      const schema = {
        type: "object",
        properties: {
          spec: {
            type: "object",
            properties: { a: { type: "integer", default: 7 } },
            x_kubernetes_preserve_unknown_fields: true,
          },
        },
      };
      await make(crd, {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: "gadgets.example.com" },
        spec: {
          group: "example.com",
          scope: "Cluster",
          names: { kind: "Gadget", plural: "gadgets" },
          versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
        },
      });
      const gadget = { type: "kubernetes:example.com/v1:Gadget", name: "gadget" };
      const news = {
        apiVersion: "example.com/v1",
        kind: "Gadget",
        metadata: { name: "one", annotations: { "pulumi.com/deletionPropagationPolicy": "background" } },
        spec: { other: "kept" },
      };
      const state = await make(gadget, news);
      expect(at(state.outputs, "spec", "a")).toBe(7);
      expect(at(state.outputs, "spec", "other")).toBe("kept");
      expect((await diffTo(plugin, gadget, await refreshed(plugin, gadget, state), news)).changes).toBe("none");
      await plugin.delete(gadget, state);
      await expect(plugin.read(gadget, state)).resolves.toBeUndefined();
    });
  });

  function nowhere(name: string): PropertyMap {
    return { nodeSelector: { nowhere: "true" }, containers: [{ name, image: "tiny" }] };
  }

  describe("diff", () => {
    let map: State;
    let keys: State;
    let workload: State;
    beforeAll(async () => {
      map = await make(configMap, mapInputs("diffed"));
      keys = await make(secret, secretInputs("diffed", "one"));
      workload = await make(deployment, deploymentInputs("diffed"));
    });

    test("unchanged arguments are no difference", async () => {
      expect((await diffTo(plugin, configMap, map, mapInputs("diffed"))).changes).toBe("none");
      expect((await diffTo(plugin, secret, keys, secretInputs("diffed", "one"))).changes).toBe("none");
      expect((await diffTo(plugin, deployment, workload, deploymentInputs("diffed"))).changes).toBe("none");
    });

    test("the same contents of a Secret in base64 are no difference", async () => {
      const { stringData: _, ...rest } = secretInputs("diffed", "-");
      const news = { ...rest, data: { keys: Buffer.from("one").toString("base64") } };
      expect((await diffTo(plugin, secret, keys, news)).changes).toBe("none");
    });

    test.each<[string, () => [Target, State, PropertyMap]]>([
      ["a label", () => [configMap, map, mapInputs("diffed", { a: "1" }, { labels: { a: "b" } })]],
      ["more replicas", () => [deployment, workload, deploymentInputs("diffed", { replicas: 2 })]],
    ])("%s: an update in place", async (_, change) => {
      const diff = await diffTo(plugin, ...change());
      expect(diff.changes).toBe("some");
      expect(diff.replaces).toEqual([]);
      expect(diff.deleteBeforeReplace).toBe(false);
    });

    test.each<[string, () => [Target, State, PropertyMap]]>([
      ["the contents of a Secret", () => [secret, keys, secretInputs("diffed", "two")]],
      ["the type of a Secret", () => [secret, keys, secretInputs("diffed", "one", { type: "example.com/other" })]],
      ["the data of a ConfigMap", () => [configMap, map, mapInputs("diffed", { a: "2" })]],
      ["a further key of a ConfigMap", () => [configMap, map, mapInputs("diffed", { a: "1", b: "1" })]],
      [
        "the selector of a Deployment",
        () => [deployment, workload, deploymentInputs("diffed", { selector: { matchLabels: { app: "other" } } })],
      ],
    ])("%s: a replacement, deleted first as the name is fixed", async (_, change) => {
      const diff = await diffTo(plugin, ...change());
      expect(diff.replaces).not.toEqual([]);
      expect(diff.deleteBeforeReplace).toBe(true);
    });

    test.each<[string, PropertyMap]>([
      ["name", mapInputs("renamed")],
      ["namespace", { ...mapInputs("diffed"), metadata: { name: "diffed", namespace: "kube-system" } }],
    ])("another %s: a replacement, made first", async (_, news) => {
      const diff = await diffTo(plugin, configMap, map, news);
      expect(diff.replaces).toContain("metadata");
      expect(diff.deleteBeforeReplace).toBe(false);
    });

    test("a made-up name: a replacement, made first under a new name", async () => {
      const news = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "default" }, data: { a: "1" } };
      const state = await make(configMap, news);
      const diff = await diffTo(plugin, configMap, state, { ...news, data: { a: "2" } });
      expect(diff.replaces).toContain("data");
      expect(diff.deleteBeforeReplace).toBe(false);
    });

    test("with mutable contents: an update in place", async () => {
      for (const change of [
        await diffTo(mutable, secret, keys, secretInputs("diffed", "two")),
        await diffTo(mutable, configMap, map, mapInputs("diffed", { a: "2" })),
      ]) {
        expect(change.changes).toBe("some");
        expect(change.replaces).toEqual([]);
      }
    });

    test("with mutable contents: a replacement still, when the object is immutable", async () => {
      const news = secretInputs("frozen", "one", { immutable: true });
      const diff = await diffTo(mutable, secret, await make(secret, news), { ...news, stringData: { keys: "two" } });
      expect(diff.replaces).not.toEqual([]);
    });

    test("contents that are not known yet: a change", async () => {
      const news = { ...secretInputs("diffed", "-"), stringData: { keys: unknown } };
      expect((await diffTo(mutable, secret, keys, news)).changes).toBe("some");
    });
  });

  describe("update", () => {
    test("patches a Secret in place: the same object, new contents", async () => {
      const state = await created(mutable, secret, secretInputs("rotated", "3+ one"));
      const uid = cluster.get("secret", "rotated")?.metadata.uid;
      const { outputs } = await updated(mutable, secret, state, secretInputs("rotated", "4+ two"));
      const live = cluster.get("secret", "rotated");
      expect(live?.metadata.uid).toBe(uid);
      expect(live?.data).toEqual({ keys: Buffer.from("4+ two").toString("base64") });
      expect(readable(outputs)).not.toContain(Buffer.from("4+ two").toString("base64"));
    });

    test("removes what the program has no more, and leaves alone what others added", async () => {
      const labels = { ours: "1", gone: "1" };
      const state = await created(mutable, configMap, mapInputs("shared", { a: "1", b: "1" }, { labels }));
      cluster.kubectl("label", "configmap", "shared", "theirs=1");
      await updated(mutable, configMap, state, mapInputs("shared", { a: "2" }, { labels: { ours: "1" } }));
      const live = cluster.get("configmap", "shared");
      expect(live?.data).toEqual({ a: "2" });
      expect(live?.metadata.labels).toEqual({ ours: "1", theirs: "1" });
    });

    test("does not fight over a field that another has taken, unless told to", async () => {
      const state = await created(mutable, configMap, mapInputs("contested"));
      cluster.kubectl("patch", "configmap", "contested", "--field-manager=other", "--patch", '{"data":{"a":"theirs"}}');
      await expect(updated(mutable, configMap, state, mapInputs("contested", { a: "2" }))).rejects.toThrow(
        /conflict.*\.data\.a/s,
      );
      const force = { annotations: { "pulumi.com/patchForce": "true" } };
      await updated(mutable, configMap, state, mapInputs("contested", { a: "2" }, force));
      expect(cluster.get("configmap", "contested")?.data).toEqual({ a: "2" });
    });
  });

  describe("refresh", () => {
    test.each<[string, () => [Target, PropertyMap]]>([
      ["a ConfigMap", () => [configMap, mapInputs("calm", { a: "1" }, { labels: { a: "b" } })]],
      ["a Secret", () => [secret, secretInputs("calm", "one")]],
      ["a Deployment with defaults and changed spellings", () => [deployment, deploymentInputs("calm")]],
    ])("finds no drift in %s, and keeps secrets secret", async (_, resource) => {
      const [target, news] = resource();
      const state = await make(target, news);
      const read = await refreshed(plugin, target, state);
      expect(read.id).toBe(state.id);
      expect((await diffTo(plugin, target, read, news)).changes).toBe("none");
      expect(readable(read.outputs) + readable(read.inputs)).not.toContain(Buffer.from("one").toString("base64"));
    });

    test("finds a change of what is ours, and only that", async () => {
      const news = mapInputs("changed");
      const state = await make(configMap, news);
      cluster.kubectl("label", "configmap", "changed", "theirs=1");
      cluster.kubectl("patch", "configmap", "changed", "--patch", '{"data":{"b":"theirs"}}');
      const calm = await refreshed(plugin, configMap, state);
      expect((await diffTo(plugin, configMap, calm, news)).changes).toBe("none");
      cluster.kubectl("patch", "configmap", "changed", "--patch", '{"data":{"a":"theirs"}}');
      const read = await refreshed(plugin, configMap, calm);
      expect(at(read.inputs, "data", "a")).toBe("theirs");
      expect((await diffTo(plugin, configMap, read, news)).changes).toBe("some");
    });

    test("finds that an object is gone", async () => {
      const state = await make(configMap, mapInputs("vanishing"));
      cluster.kubectl("delete", "configmap", "vanishing");
      await expect(plugin.read(configMap, state)).resolves.toBeUndefined();
    });

    test("imports an object by namespace and name", async () => {
      cluster.kubectl("create", "configmap", "imported", "--from-literal=a=1");
      const read = await refreshed(plugin, configMap, { id: "default/imported", inputs: {}, outputs: {} });
      expect(revealMap(read.inputs)).toMatchObject({
        kind: "ConfigMap",
        metadata: { name: "imported" },
        data: { a: "1" },
      });
      expect(at(read.inputs, "metadata", "uid")).toBeNull();
      expect((await diffTo(plugin, configMap, read, mapInputs("imported"))).changes).toBe("none");
    });
  });

  describe("delete", () => {
    test("deletes, and waits until the object is gone", async () => {
      const namespace = { type: "kubernetes:core/v1:Namespace", name: "ns" };
      const state = await make(namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: "leaving" } });
      await plugin.delete(namespace, state);
      expect(cluster.get("namespace", "leaving")).toBeUndefined();
    });

    test("tolerates that the object is gone", async () => {
      const state = await make(configMap, mapInputs("gone"));
      cluster.kubectl("delete", "configmap", "gone");
      await expect(plugin.delete(configMap, state)).resolves.toBeUndefined();
    });
  });

  test("killed, it leaves a state that the next process understands", async () => {
    const first = await Plugin.start("kubernetes", { kubeconfig: cluster.kubeconfigFile });
    const state = await created(first, configMap, mapInputs("survivor"));
    await first.kill();
    expect((await diffTo(plugin, configMap, state, mapInputs("survivor"))).changes).toBe("none");
    await plugin.delete(configMap, state);
  });

  test("shows the contents of Secrets and kubeconfigs nowhere", async () => {
    await make(secret, secretInputs("unseen", "hunter2-unseen"));
    const shown = JSON.stringify(plugin.logs) + plugin.written;
    expect(shown).not.toContain("hunter2-unseen");
    expect(shown).not.toContain("client-key-data");
  });

  describe("helm.v3.Release", () => {
    const releaseInputs = (name: string, values: PropertyMap = {}, more: PropertyMap = {}): PropertyMap => ({
      chart,
      name,
      namespace: "default",
      values,
      timeout: 60,
      ...more,
    });

    test("check pins the version of the chart", async () => {
      const { inputs, failures } = await plugin.check(release, releaseInputs("checked"));
      expect(failures).toEqual([]);
      expect(inputs.version).toBe("0.1.0");
    });

    test("check waits with that while something is not known yet", async () => {
      const { inputs, failures } = await plugin.check(release, releaseInputs("checked", { greeting: unknown }));
      expect(failures).toEqual([]);
      expect(inputs.version ?? null).toBeNull();
      const { outputs } = await plugin.create(release, inputs, { preview: true });
      expect(hasUnknown(at(outputs, "values", "greeting"))).toBe(true);
    });

    test("check refuses a chart that is not there, by name", async () => {
      const { failures } = await plugin.check(release, releaseInputs("checked", {}, { chart: "./no-such-chart" }));
      expect(failures).toMatchObject([{ property: "chart", reason: expect.stringContaining("no-such-chart") }]);
    });

    describe("from a repository", () => {
      let server: Server;
      let repo: string;
      beforeAll(async () => {
        const folder = path.join(cluster.folder, "charts");
        for (const version of ["0.1.0", "0.2.0"]) {
          execFileSync("helm", ["package", chart, "--version", version, "--destination", folder], { stdio: "ignore" });
        }
        execFileSync("helm", ["repo", "index", folder], { stdio: "ignore" });
        server = serveHttp(({ url = "" }, response) => {
          const file = path.join(folder, path.basename(url));
          response.statusCode = existsSync(file) ? 200 : 404;
          response.end(existsSync(file) ? readFileSync(file) : undefined);
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        repo = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      });
      afterAll(() => server?.close());

      const fromRepo = (more: PropertyMap) => releaseInputs("fetched", {}, { chart: "tiny", ...more });

      test.each<[string, PropertyMap, string]>([
        ["the newest version when none is asked for", {}, "0.2.0"],
        ["the version asked for", { version: "0.1.0" }, "0.1.0"],
      ])("check pins %s", async (_, more, version) => {
        const { inputs, failures } = await plugin.check(release, fromRepo({ repositoryOpts: { repo }, ...more }));
        expect(failures).toEqual([]);
        expect(inputs.version).toBe(version);
      });

      test("check refuses a version that is not there", async () => {
        const news = fromRepo({ repositoryOpts: { repo }, version: "9.9.9" });
        expect((await plugin.check(release, news)).failures).toMatchObject([{ property: "chart" }]);
      });

      test("installs the pinned version, whatever is newer by then", async () => {
        const state = await make(release, fromRepo({ repositoryOpts: { repo }, version: "0.1.0" }));
        expect(at(state.outputs, "status", "version")).toBe("0.1.0");
        await plugin.delete(release, state);
      });
    });

    test("check merges files of values below the values", async () => {
      const text = "greeting: from the file\ndeep: { file: 1, both: 1 }\n";
      const news = releaseInputs("merged", { deep: { both: 2 } }, { valueYamlFiles: [textAsset(text)] });
      const { inputs, failures } = await plugin.check(release, news);
      expect(failures).toEqual([]);
      expect(inputs.values).toEqual({ greeting: "from the file", deep: { file: 1, both: 2 } });
    });

    test("check makes up a name where there is none, and keeps it", async () => {
      const { name: _, ...news } = releaseInputs("x");
      const { inputs } = await plugin.check(release, news);
      expect(inputs.name).toMatch(/^release-[0-9a-f]{8}$/);
      expect((await plugin.check(release, news, inputs)).inputs.name).toBe(inputs.name);
    });

    test("installs, upgrades, finds no drift, and uninstalls", async () => {
      const news = releaseInputs("life", { greeting: "one" });
      const state = await make(release, news);
      expect(state.id).toBe("default/life");
      expect(revealMap(state.outputs)).toMatchObject({
        name: "life",
        version: "0.1.0",
        values: { greeting: "one" },
        status: {
          name: "life",
          namespace: "default",
          revision: 1,
          status: "deployed",
          chart: "tiny",
          version: "0.1.0",
          appVersion: "1.0",
        },
        resourceNames: { "ConfigMap/v1": ["default/life-greeting"], "Deployment.apps/apps/v1": ["default/life"] },
      });
      expect(cluster.get("configmap", "life-greeting")?.data).toEqual({ greeting: "one" });
      expect((await diffTo(plugin, release, state, news)).changes).toBe("none");
      expect((await diffTo(plugin, release, await refreshed(plugin, release, state), news)).changes).toBe("none");

      const upgraded = await updated(plugin, release, state, releaseInputs("life", { greeting: "two" }));
      expect(at(upgraded.outputs, "status", "revision")).toBe(2);
      expect(cluster.get("configmap", "life-greeting")?.data).toEqual({ greeting: "two" });

      await plugin.delete(release, upgraded);
      expect(cluster.get("configmap", "life-greeting")).toBeUndefined();
      await expect(plugin.read(release, upgraded)).resolves.toBeUndefined();
    });

    test.each<[string, PropertyMap, string[], boolean]>([
      ["values", { values: { greeting: "two" } }, [], true],
      ["no values any more", { values: {} }, [], true],
      ["a longer timeout", { timeout: 90 }, [], true],
      ["a name", { name: "other" }, ["name"], true],
      ["a namespace", { namespace: "kube-system" }, ["namespace"], true],
      ["nothing", {}, [], false],
    ])("diff: %s", async (_, change, replaces, changes) => {
      const news = releaseInputs("diffed", { greeting: "one" });
      const { inputs } = await plugin.check(release, news);
      const state = { id: "default/diffed", inputs, outputs: { ...inputs, __inputs: new Secret(inputs) } };
      const diff = await diffTo(plugin, release, state, { ...news, ...change });
      expect(diff.changes).toBe(changes ? "some" : "none");
      expect([...diff.replaces].sort()).toEqual(replaces);
      expect(diff.deleteBeforeReplace).toBe(false);
    });

    test("keeps a secret value secret, at its place only, and takes values with secrets to the chart", async () => {
      const news = releaseInputs("hidden", { greeting: new Secret("hunter2"), other: "plain" });
      const state = await make(release, news);
      expect(cluster.get("configmap", "hidden-greeting")?.data).toEqual({ greeting: "hunter2" });
      const read = await refreshed(plugin, release, state);
      for (const map of [state.outputs, read.outputs, read.inputs]) {
        expect(readable(map)).not.toContain("hunter2");
      }
      expect(at(state.outputs, "values", "other")).toBe("plain");
      expect((await diffTo(plugin, release, read, news)).changes).toBe("none");
      await plugin.delete(release, state);
    });

    test("refresh finds other values", async () => {
      const news = releaseInputs("drifting", { greeting: "one" });
      const state = await make(release, news);
      cluster.helm("upgrade", "drifting", chart, "--set", "greeting=theirs");
      const read = await refreshed(plugin, release, state);
      expect(at(read.outputs, "status", "revision")).toBe(2);
      expect(at(read.outputs, "values", "greeting")).toBe("theirs");
      await plugin.delete(release, state);
    });

    test("keeps a failed install, which the next update mends", async () => {
      const news = releaseInputs("failing", { nowhere: true }, { timeout: 3 });
      const { inputs } = await plugin.check(release, news);
      const failed = await initFailureOf(plugin.create(release, inputs));
      expect(failed.id).toBe("default/failing");
      expect(at(failed.outputs, "status", "status")).toBe("failed");
      const state = { ...failed, inputs };
      const mended = await updated(plugin, release, state, releaseInputs("failing", { nowhere: false }));
      expect(at(mended.outputs, "status", "status")).toBe("deployed");
      await plugin.delete(release, mended);
    });

    test("keeps nothing of a chart that cannot be rendered", async () => {
      const { inputs } = await plugin.check(release, releaseInputs("unrendered", {}, { namespace: "nowhere-at-all" }));
      await expect(plugin.create(release, inputs)).rejects.toThrow(/nowhere-at-all/);
    });

    test("creates the namespace if asked to", async () => {
      const news = releaseInputs("homed", {}, { namespace: "new-home", createNamespace: true });
      const state = await make(release, news);
      expect(cluster.get("configmap", "homed-greeting", "new-home")?.data).toEqual({ greeting: "hello" });
      await plugin.delete(release, state);
    });

    test("does not take over a release of somebody else's", async () => {
      cluster.helm("install", "theirs", chart);
      await expect(make(release, releaseInputs("theirs"))).rejects.toThrow(
        /cannot re-?use a name that is still in use/,
      );
    });

    // With the official plugin: "release: not found" (pulumi-kubernetes#2817).
    (official ? test.skip : test)("tolerates that a release is gone at its delete", async () => {
      const state = await make(release, releaseInputs("leaving"));
      cluster.helm("uninstall", "leaving");
      await expect(plugin.delete(release, state)).resolves.toBeUndefined();
    });

    test("imports a release by namespace and name", async () => {
      cluster.helm("install", "foreign", chart, "--set", "greeting=foreign");
      const read = await refreshed(plugin, release, { id: "default/foreign", inputs: {}, outputs: {} });
      expect(revealMap(read.inputs)).toMatchObject({
        name: "foreign",
        namespace: "default",
        values: { greeting: "foreign" },
      });
    });

    test("values are in no process's arguments, and a kubeconfig's contents in no file that stays", async () => {
      const seen = watchArguments();
      const state = await make(release, releaseInputs("argued", { greeting: new Secret("hunter2-argued") }));
      const { all, helm } = seen.stop();
      expect(all).not.toContain("hunter2-argued");
      // nobody else's helm: the watch must have seen what it is to judge
      expect(helm).toBe(!official);
      await plugin.delete(release, state);
    });

    describeUnless(official ? "the stand-in's own promises" : undefined, "the stand-in", () => {
      test.each<PropertyMap>([
        { postrender: "cat" },
        { verify: true },
        { dependencyUpdate: true },
        { repositoryOpts: { repo: "https://example.com", password: new Secret("hunter2") } },
        { nonsense: 1 },
      ])("refuses an option that it would ignore: %j", async (more) => {
        const { failures } = await plugin.check(release, releaseInputs("x", {}, more));
        expect(failures).toMatchObject([{ reason: expect.stringMatching(/stand-in.*official/) }]);
        expect(JSON.stringify(failures)).not.toContain("hunter2");
      });

      test("names what is not ready", async () => {
        const { inputs } = await plugin.check(release, releaseInputs("told", { nowhere: true }, { timeout: 2 }));
        const failed = await initFailureOf(plugin.create(release, inputs));
        expect(failed.reasons.join()).toMatch(/default\/told.*Deployment told: 0 of 1 pods.*pod told-\S+ on no node/s);
        await plugin.delete(release, { ...failed, inputs });
      });

      test("takes up an install that a kill left pending", async () => {
        const { inputs } = await plugin.check(release, releaseInputs("killed", { nowhere: true }, { timeout: 60 }));
        await killDuring(release, inputs, (first) => first.create(release, inputs));
        expect(statusOf("killed")).toBe("pending-install");
        const state = await make(release, releaseInputs("killed", { nowhere: false }));
        expect(at(state.outputs, "status", "status")).toBe("deployed");
        await plugin.delete(release, state);
      });

      test("takes up an upgrade that a kill left pending", async () => {
        const state = await make(release, releaseInputs("cut"));
        const { inputs } = await plugin.check(release, releaseInputs("cut", { nowhere: true }), state.inputs);
        await killDuring(release, inputs, (first) => first.update(release, state, inputs));
        expect(statusOf("cut")).toBe("pending-upgrade");
        const next = await updated(plugin, release, state, releaseInputs("cut", { greeting: "again" }));
        expect(at(next.outputs, "status", "status")).toBe("deployed");
        await plugin.delete(release, next);
      });

      test("leaves alone what another run is at work on", async () => {
        const state = await make(release, releaseInputs("busy"));
        const { inputs } = await plugin.check(
          release,
          releaseInputs("busy", { nowhere: true }, { timeout: 8 }),
          state.inputs,
        );
        const other = await Plugin.start("kubernetes", { kubeconfig: cluster.kubeconfigFile });
        const working = initFailureOf(other.update(release, state, inputs));
        await until(() => statusOf("busy") === "pending-upgrade");
        await expect(updated(plugin, release, state, releaseInputs("busy", { greeting: "mine" }))).rejects.toThrow(
          /in progress/,
        );
        await working;
        await other.stop();
        await plugin.delete(release, state);
      });

      test("cancelled, it interrupts helm and tells what it left", async () => {
        const own = await Plugin.start("kubernetes", { kubeconfig: cluster.kubeconfigFile });
        const { inputs } = await own.check(release, releaseInputs("cancelled", { nowhere: true }));
        const failing = initFailureOf(own.create(release, inputs));
        await until(() => statusOf("cancelled") === "pending-install");
        await own.cancel();
        expect((await failing).id).toBe("default/cancelled");
        await own.stop();
        cluster.helm("uninstall", "cancelled");
      });
    });

    /** The status of the last revision of a release; `undefined` before there is one. */
    function statusOf(name: string): string | undefined {
      const list = cluster.kubectl("get", "secret", "--selector", `owner=helm,name=${name}`, "--output", "json");
      const { items } = JSON.parse(list) as { items: { metadata: { labels: { status: string; version: string } } }[] };
      const labels = items.map(({ metadata }) => metadata.labels);
      return labels.sort((one, other) => Number(one.version) - Number(other.version)).at(-1)?.status;
    }

    /** Kills a plugin and its helm, as by `kill -9` of their group, while they wait for a release. */
    async function killDuring(
      _: Target,
      inputs: PropertyMap,
      work: (plugin: Plugin) => Promise<unknown>,
    ): Promise<void> {
      const first = await Plugin.start("kubernetes", { kubeconfig: cluster.kubeconfigFile });
      const failing = expect(work(first)).rejects.toThrow();
      await until(() => statusOf(String(inputs.name))?.startsWith("pending-") ?? false);
      process.kill(-first.pid, "SIGKILL");
      await failing;
      await first.kill();
    }
  });
});

/** A string asset, as the engine sends it. */
function textAsset(text: string): Asset {
  const hash = createHash("sha256").update(text).digest("hex");
  return new Asset({ "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", hash, text });
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 300) {
      throw new Error(`never came true: ${holds}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Reads the arguments of all processes again and again. */
function watchArguments(): { stop(): { all: string; helm: boolean } } {
  const seen = new Set<string>();
  const look = () => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
      } catch {
        // gone meanwhile
      }
    }
  };
  const timer = setInterval(look, 10);
  return {
    stop() {
      clearInterval(timer);
      const all = [...seen];
      return { all: all.join("\n"), helm: all.some((line) => /^(\S*\/)?helm\0.*\0argued\0/.test(line)) };
    },
  };
}
