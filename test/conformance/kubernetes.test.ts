import { createServer } from "node:net";
import {
  hasSecret,
  hasUnknown,
  type PropertyMap,
  revealMap,
  Secret,
  unknown,
} from "../../rehearsal/plugins/plugin/values.ts";
import { describeUnless } from "../skip.ts";
import { initFailureOf } from "./initFailure.ts";
import { official, Plugin, type State, type Target } from "./plugin.ts";
import { at, created, diffTo, kubeconfigOf, readable, refreshed, updated } from "./resourceLife.ts";
import { SmallCluster, withoutSmallCluster } from "./smallCluster.ts";

jest.setTimeout(120_000);

const secret = { type: "kubernetes:core/v1:Secret", name: "secret" };
const configMap = { type: "kubernetes:core/v1:ConfigMap", name: "map" };
const deployment = { type: "kubernetes:apps/v1:Deployment", name: "deployment" };
const providerTarget = { type: "pulumi:providers:kubernetes", name: "cluster" };

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

describeUnless(withoutSmallCluster(), "in a cluster", () => {
  let cluster: SmallCluster;
  let plugin: Plugin;
  /** The same with `enableSecretMutable` and `enableConfigMapMutable`. */
  let mutable: Plugin;
  beforeAll(async () => {
    cluster = await SmallCluster.start();
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

    test("refuses what is not there any more; to make it anew is a replacement", async () => {
      const state = await created(mutable, configMap, mapInputs("vanished"));
      cluster.kubectl("delete", "configmap", "vanished");
      await expect(updated(mutable, configMap, state, mapInputs("vanished", { a: "2" }))).rejects.toThrow(/not found/);
      expect(cluster.get("configmap", "vanished")).toBeUndefined();
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
});
