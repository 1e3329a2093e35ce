import { spawn } from "node:child_process";
import { once } from "node:events";
import fc from "fast-check";
import { isAwaited, notReady } from "../../rehearsal/plugins/kubernetes/awaiting.ts";
import { drifted } from "../../rehearsal/plugins/kubernetes/drift.ts";
import { helmError } from "../../rehearsal/plugins/kubernetes/helm.ts";
import { otherCluster } from "../../rehearsal/plugins/kubernetes/kubeconfig.ts";
import { isNamespacedBuiltIn, named, normalised } from "../../rehearsal/plugins/kubernetes/objectInputs.ts";
import { readSettings } from "../../rehearsal/plugins/kubernetes/providerSettings.ts";
import {
  chartArguments,
  type ReleaseInputs,
  releaseArguments,
  releaseFailures,
} from "../../rehearsal/plugins/kubernetes/releaseInputs.ts";
import { ownerLabel, ownerOf } from "../../rehearsal/plugins/kubernetes/releaseOwner.ts";
import { resourceNames } from "../../rehearsal/plugins/kubernetes/releaseRecord.ts";
import { diffObjects } from "../../rehearsal/plugins/kubernetes/replacement.ts";
import { markedLike } from "../../rehearsal/plugins/kubernetes/secrecy.ts";
import type { PropertyMap } from "../../rehearsal/plugins/plugin/values.ts";
import { hasSecret, Secret, unknown } from "../../rehearsal/plugins/plugin/values.ts";

const fixed = { enableSecretMutable: false, enableConfigMapMutable: false };
const mutable = { enableSecretMutable: true, enableConfigMapMutable: true };

const json = fc.letrec<{ value: PropertyMap[string]; map: PropertyMap }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<PropertyMap[string]>(true, false, 0, 1, "a", "1000m"),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("map"),
  ),
  map: fc.dictionary(fc.constantFrom("name", "spec", "x", "y"), tie("value"), { noNullPrototype: true }),
})).map;

describe("drift", () => {
  test("an object as the last apply left it is no drift, whatever the server made of it", () => {
    fc.assert(fc.property(json, json, (said, applied) => expect(drifted(said, applied, applied)).toEqual(said)));
  });

  test.each<[string, PropertyMap, PropertyMap, PropertyMap, PropertyMap]>([
    ["a changed value", { a: 1 }, { a: 1 }, { a: 2 }, { a: 2 }],
    ["a changed value in another spelling", { cpu: "1000m" }, { cpu: "1" }, { cpu: "2" }, { cpu: "2" }],
    ["a removed value", { a: 1, b: 1 }, { a: 1, b: 1 }, { b: 1 }, { b: 1 }],
    ["a value of others", { a: 1 }, { a: 1 }, { a: 1, theirs: 1 }, { a: 1 }],
    ["an empty value that the server drops", { a: {} }, {}, {}, { a: {} }],
    [
      "a named item, among those of others",
      { list: [{ name: "ours", image: "1" }] },
      { list: [{ name: "ours", image: "1", pull: "Always" }] },
      { list: [{ name: "theirs" }, { name: "ours", image: "2", pull: "Always" }] },
      { list: [{ name: "ours", image: "2" }] },
    ],
    ["a list of plain values, as one", { args: ["a"] }, { args: ["a"] }, { args: ["a", "b"] }, { args: ["a", "b"] }],
  ])("%s", (_, said, applied, live, expected) => {
    expect(drifted(said, applied, live)).toEqual(expected);
  });
});

describe("replacement", () => {
  const base = (kind: string, apiVersion: string, rest: PropertyMap): PropertyMap => ({
    apiVersion,
    kind,
    metadata: { name: "x", namespace: "y" },
    ...rest,
  });

  test.each<[string, PropertyMap, PropertyMap, boolean]>([
    ["the contents of a Secret", base("Secret", "v1", { data: { a: "1" } }), { data: { a: "2" } }, true],
    ["the first contents of a Secret", base("Secret", "v1", {}), { data: { a: "2" } }, true],
    ["a label", base("Secret", "v1", {}), { metadata: { name: "x", namespace: "y", labels: { a: "b" } } }, false],
    [
      "a selector",
      base("DaemonSet", "apps/v1", { spec: { selector: { matchLabels: { a: "b" } } } }),
      { spec: {} },
      true,
    ],
    [
      "a whole spec with a selector in it",
      base("Deployment", "apps/v1", {}),
      { spec: { selector: {}, replicas: 1 } },
      true,
    ],
    ["a whole spec without", base("Deployment", "apps/v1", {}), { spec: { replicas: 1 } }, false],
    [
      "a Pod's image",
      base("Pod", "v1", { spec: { containers: [{ image: "a" }] } }),
      { spec: { containers: [{ image: "b" }] } },
      true,
    ],
    ["a Pod's deadline", base("Pod", "v1", { spec: {} }), { spec: { activeDeadlineSeconds: 1 } }, false],
    [
      "a role",
      base("RoleBinding", "rbac.authorization.k8s.io/v1", { roleRef: { name: "a" } }),
      { roleRef: { name: "b" } },
      true,
    ],
    [
      "a field called like one of another kind",
      base("Gadget", "example.com/v1", { data: { a: 1 } }),
      { data: { a: 2 } },
      false,
    ],
  ])("%s", (_, olds, change, replaces) => {
    const { detailed, deleteBeforeReplace } = diffObjects(olds, { ...olds, ...change }, fixed);
    expect(Object.values(detailed).some((kind) => kind.endsWith("-replace"))).toBe(replaces);
    expect(deleteBeforeReplace).toBe(replaces);
  });

  test("no object that does not change is replaced", () => {
    fc.assert(
      fc.property(json, (map) => {
        for (const settings of [fixed, mutable]) {
          expect(diffObjects(map, map, settings)).toEqual({ detailed: {}, deleteBeforeReplace: false });
        }
      }),
    );
  });
});

describe("inputs", () => {
  test("a Secret's text becomes data, and wins over it", () => {
    const made = normalised({
      apiVersion: "v1",
      kind: "Secret",
      data: { a: "MQ==", b: "MQ==" },
      stringData: { a: "2" },
    });
    expect(made).toEqual({ apiVersion: "v1", kind: "Secret", data: new Secret({ a: "Mg==", b: "MQ==" }) });
  });

  test("normalising twice is normalising once", () => {
    fc.assert(fc.property(json, (map) => expect(normalised(normalised(map))).toEqual(normalised(map))));
  });

  test("text that is not known yet stays so", () => {
    const made = normalised({ apiVersion: "v1", kind: "Secret", stringData: { a: unknown } });
    expect(made.data).toEqual(new Secret({ a: unknown }));
  });

  test("generateName is refused, not ignored", () => {
    const { failures } = named({ metadata: { generateName: "x-" } }, {}, "x", new Uint8Array());
    expect(failures).toMatchObject([{ property: "metadata.generateName" }]);
  });

  test.each<[string, string, boolean | undefined]>([
    ["v1", "Secret", true],
    ["v1", "Namespace", false],
    ["rbac.authorization.k8s.io/v1", "ClusterRole", false],
    ["apps/v1", "DaemonSet", true],
    ["cilium.io/v2", "CiliumNode", undefined],
  ])("%s %s is namespaced: %s", (apiVersion, kind, namespaced) => {
    expect(isNamespacedBuiltIn(apiVersion, kind)).toBe(namespaced);
  });

  test("secret marks go to the same places, and nowhere else", () => {
    const marked = markedLike({ a: { b: 1, c: 2 }, list: [1, 2] }, { a: { b: new Secret(0) }, list: [new Secret(0)] });
    expect(marked).toEqual({ a: { b: new Secret(1), c: 2 }, list: new Secret([1, 2]) });
    expect(hasSecret(marked.a ?? null)).toBe(true);
  });
});

describe("readiness", () => {
  const daemonSet = (status: PropertyMap): PropertyMap => ({
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { generation: 2 },
    status: {
      desiredNumberScheduled: 4,
      updatedNumberScheduled: 4,
      numberAvailable: 4,
      observedGeneration: 2,
      ...status,
    },
  });

  test.each<[string, PropertyMap, RegExp | undefined]>([
    ["all pods up to date", daemonSet({}), undefined],
    ["an old generation", daemonSet({ observedGeneration: 1 }), /not looked at/],
    ["pods of an old template", daemonSet({ updatedNumberScheduled: 1 }), /1 of 4/],
    ["pods that are not available", daemonSet({ numberAvailable: 3 }), /3 of 4/],
    [
      "a stuck rollout",
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        status: { conditions: [{ type: "Progressing", status: "False", message: "deadline" }] },
      },
      /stuck: deadline/,
    ],
    [
      "a failed job",
      {
        apiVersion: "batch/v1",
        kind: "Job",
        status: { conditions: [{ type: "Failed", status: "True", message: "3 times" }] },
      },
      /failed: 3 times/,
    ],
    [
      "a load balancer without address",
      { apiVersion: "v1", kind: "Service", spec: { type: "LoadBalancer" } },
      /no address/,
    ],
    ["a kind with nothing to wait for", { apiVersion: "v1", kind: "ConfigMap" }, undefined],
  ])("%s", (_, object, expected) => {
    const missing = notReady(object);
    if (expected === undefined) {
      expect(missing).toBeUndefined();
    } else {
      expect(missing).toMatch(expected);
    }
  });

  test("is not waited for where an annotation says so", () => {
    expect(isAwaited({ ...daemonSet({}), metadata: { annotations: { "pulumi.com/skipAwait": "true" } } })).toBe(false);
    expect(isAwaited(daemonSet({}))).toBe(true);
  });
});

describe("settings of the provider", () => {
  test.each<[string, PropertyMap, NodeJS.ProcessEnv, boolean]>([
    ["the program", { enableSecretMutable: "true" }, {}, true],
    ["the environment", {}, { PULUMI_K8S_ENABLE_SECRET_MUTABLE: "true" }, true],
    [
      "the program against the environment",
      { enableSecretMutable: "false" },
      { PULUMI_K8S_ENABLE_SECRET_MUTABLE: "true" },
      false,
    ],
    ["nobody", {}, {}, false],
  ])("a flag is set by %s", (_, inputs, environment, expected) => {
    const settings = readSettings({ kubeconfig: new Secret("{}"), ...inputs }, environment);
    expect(settings.enableSecretMutable).toBe(expected);
    expect(settings.kubeconfig).toBe("{}");
  });

  test("a context alone is enough, neither kubeconfig nor context is not", () => {
    expect(readSettings({ context: "here" }, {}).context).toBe("here");
    expect(() => readSettings({ kubeconfig: "" }, {})).toThrow(/neither kubeconfig nor context/);
  });

  test("text that is no kubeconfig names no cluster, so it is no other one", () => {
    expect(otherCluster({ kubeconfig: "{nonsense" }, { kubeconfig: "\n- a list" })).toBe(false);
  });
});

describe("a release", () => {
  const release: ReleaseInputs = { name: "cilium", namespace: "kube-system", chart: "cilium", version: "1.20.2" };

  test("is installed with exactly these arguments", () => {
    const full = {
      ...release,
      repositoryOpts: { repo: "https://helm.example.com" },
      timeout: 900,
      createNamespace: true,
    };
    expect(releaseArguments("install", full, "owner=x").join(" ")).toBe(
      "install cilium cilium --repo https://helm.example.com --version 1.20.2 --namespace kube-system --values - --output json " +
        "--server-side=false --wait=legacy --timeout 900s --labels owner=x --create-namespace",
    );
  });

  test("is upgraded with exactly these arguments", () => {
    const full = {
      ...release,
      skipAwait: true,
      waitForJobs: true,
      maxHistory: 3,
      resetValues: true,
      reuseValues: true,
    };
    expect(releaseArguments("upgrade", full, "owner=x").join(" ")).toBe(
      "upgrade cilium cilium --version 1.20.2 --namespace kube-system --values - --output json " +
        "--server-side=false --timeout 300s --history-max 3 --labels owner=x --reset-values",
    );
  });

  test("its values, secret or not, are in no argument", () => {
    const values = { deep: { psk: "hunter2" } };
    for (const action of ["install", "upgrade"] as const) {
      expect(releaseArguments(action, { ...release, values }, "owner=x").join()).not.toContain("hunter2");
    }
  });

  test("a local chart keeps its own version, an OCI one takes ours", () => {
    expect(chartArguments({ chart: __dirname, version: "1.20.2" })).toEqual([__dirname]);
    const oci = "oci://example.com/charts/cilium";
    expect(chartArguments({ chart: oci, version: "1.20.2" })).toEqual([oci, "--version", "1.20.2"]);
  });

  test.each<[PropertyMap, string[]]>([
    [{ chart: "c" }, []],
    [{}, ["chart"]],
    [{ chart: "c", timeout: -1, values: "a: 1", atomic: "yes", name: 1 }, ["timeout", "values", "atomic", "name"]],
    [{ chart: "c", postrender: "", verify: false, compat: "true", resourceNames: {} }, []],
    [{ chart: "c", timeout: unknown, values: { a: unknown } }, []],
    [{ chart: "c", repositoryOpts: { repo: "r", username: "u" } }, ["repositoryOpts.username"]],
  ])("of the inputs %j it refuses %j", (inputs, refused) => {
    expect(releaseFailures(inputs).map(({ property }) => property)).toEqual(refused);
  });

  test("its resources are told by kind, each once", () => {
    const manifest = [
      "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: { name: b, namespace: n }",
      "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: { name: a, namespace: n }",
      "# nothing",
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }",
    ].join("\n---\n");
    expect(resourceNames(manifest)).toEqual({ "DaemonSet.apps/apps/v1": ["n/a", "n/b"], "ConfigMap/v1": ["c"] });
  });

  test("helm's error is told without its log, in all its lines", () => {
    const stderr =
      "level=WARN msg=x\nI1121 14:46:10 x\nError: values don't meet the schema:\ncilium:\n- a: wrong type\n";
    expect(helmError({ code: 1, stdout: "", stderr })).toBe("values don't meet the schema:\ncilium:\n- a: wrong type");
    expect(helmError({ code: 7, stdout: "", stderr: "" })).toBe("helm ended with 7");
  });

  test("its owner is known by machine, boot, process group and resource", async () => {
    const [name = "", value = ""] = ownerLabel("urn:one").split("=");
    expect(value).toMatch(/^[\w.]{1,63}$/); // what a label may hold
    const owner = (changed: string) => ownerOf({ [name]: changed }, "urn:one");
    expect(owner(value)).toEqual({ sameResource: true, alive: false }); // this very process: its earlier call
    expect(ownerOf({ [name]: value }, "urn:other")?.sameResource).toBe(false);
    const [machine, boot, , resource] = value.split(".");
    const other = spawn("sleep", ["60"], { detached: true, stdio: "ignore" }); // leads a group of its own
    try {
      expect(owner([machine, boot, other.pid, resource].join("."))?.alive).toBe(true);
      expect(owner([machine, "earlier", other.pid, resource].join("."))?.alive).toBe(false);
      expect(owner(["elsewhere", boot, other.pid, resource].join("."))?.alive).toBeUndefined();
    } finally {
      other.kill("SIGKILL");
    }
    await once(other, "exit");
    expect(owner([machine, boot, other.pid, resource].join("."))?.alive).toBe(false);
    expect(ownerOf({}, "urn:one")).toBeUndefined();
  });
});
