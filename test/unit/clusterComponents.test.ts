import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Cluster } from "../../components/cluster/cluster.ts";
import { createCluster } from "../../components/cluster/cluster.ts";
import { clusterProvider } from "../../components/cluster/provider.ts";
import type { ClusterSettings } from "../../components/settings.ts";
import { loadSettings } from "../../components/settings.ts";
import { clusterFiles, stateDir } from "../../tools/paths.ts";
import { outputValue, type Recorded, startMocks } from "./outputs.ts";

const COMMAND = "command:local:Command";
const PROVIDER = "pulumi:providers:kubernetes";
/** How a secret looks to a mock. */
const SECRET = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

const report = {
  incarnation: "incarnation-1",
  server: { host: "dev-control-plane", port: 6443 },
  kubeconfigPath: "/state/clusters/dev/kubeconfig",
  kubeconfig: "the kubeconfig",
};
const mocks = { [COMMAND]: () => ({ stdout: JSON.stringify(report) }) };

function settingsOf(cluster: object, cilium: object = {}) {
  const config = {
    "wirecloak:encryption": "wireguard",
    "wirecloak:cluster": JSON.stringify(cluster),
    "wirecloak:cilium": JSON.stringify(cilium),
  };
  return loadSettings(config, { projectRoot: "/project", today: "2026-11-21" }).settings;
}

const kind = { provider: "kind", name: "dev", workers: 2 };
const rehearsal = { provider: "rehearsal", name: "dev", workers: 2 };

/** Makes the cluster and its provider under mocks, and waits until both are registered. */
async function make(
  cluster: object,
  how: { cilium?: object; preview?: boolean } = {},
): Promise<Recorded & { made: Cluster }> {
  const recorded = await startMocks(mocks, how.preview);
  const made = await createCluster("dev", settingsOf(cluster, how.cilium), recorded.recording);
  const provider = clusterProvider("dev", made, recorded.recording);
  await Promise.all([outputValue(made.kubeconfigPath), outputValue(made.incarnation), outputValue(provider.urn)]);
  return { ...recorded, made };
}

function named(recorded: Recorded, name: string): Record<string, unknown> {
  const found = recorded.resources.find((resource) => resource.name === name);
  if (!found) throw new Error(`no ${name} among ${recorded.resources.map((resource) => resource.name).join(", ")}`);
  return found.inputs;
}

describe.each([
  ["kind", kind, "wirecloak:cluster:Kind"],
  ["rehearsal", rehearsal, "wirecloak:cluster:Rehearsal"],
])("a cluster made by %s", (provider, settings, type) => {
  test("is a component that holds all it makes", async () => {
    const { resources, options } = await make(settings);
    expect(resources.map((resource) => resource.type)).toContain(type);
    const children = resources.filter((resource) => resource.type === COMMAND).map(({ name }) => name);
    for (const child of children)
      expect((options.get(child)?.parent as pulumi.Resource)?.constructor.name).toMatch(/Cluster$/);
  });

  test("has a kubeconfig that is secret, and the rest of its report is not", async () => {
    const { made } = await make(settings);
    expect(await pulumi.isSecret(made.kubeconfig)).toBe(true);
    expect(await outputValue(made.kubeconfig)).toBe(report.kubeconfig);
    expect(await pulumi.isSecret(made.incarnation)).toBe(false);
    expect(await outputValue(made.incarnation)).toBe(report.incarnation);
    expect(await pulumi.isSecret(pulumi.output(made.apiServer.host))).toBe(false);
    expect(await outputValue(pulumi.output(made.apiServer))).toEqual(report.server);
    expect(await outputValue(made.kubeconfigPath)).toBe(report.kubeconfigPath);
  });

  test("is removed before a new one of its name is made", async () => {
    const { options } = await make(settings);
    expect((options.get("dev-cluster") as pulumi.CustomResourceOptions).deleteBeforeReplace).toBe(true);
  });

  test("never logs or hands on the output that carries the kubeconfig", async () => {
    const recorded = await make(settings);
    for (const { name, inputs } of recorded.resources.filter((resource) => resource.type === COMMAND)) {
      expect(inputs).toMatchObject({ addPreviousOutputInEnv: false, logging: "stderr" });
      expect((recorded.options.get(name) as pulumi.CustomResourceOptions).additionalSecretOutputs).toEqual(["stdout"]);
    }
  });

  test("is told what it is by stdin, and what is run has no part that a name could break", async () => {
    const inputs = named(await make(settings), "dev-cluster");
    expect(inputs.create).toBe('node "$PROGRAM" create --name "$NAME"');
    expect(inputs.delete).toBe('node "$PROGRAM" delete --name "$NAME"');
    expect(JSON.parse(inputs.stdin as string)).toMatchObject({ name: "dev", podCidr: "10.244.0.0/16" });
    expect(inputs.triggers).toEqual([inputs.stdin]);
  });

  test("ties what is inside it to the command that made it, and has it deleted with another one that goes then", async () => {
    const { made, options } = await make(settings);
    const { deletedWith, replaceWith = [] } = made.lifetime as pulumi.CustomResourceOptions;
    const urnOf = (resource?: pulumi.Resource) => resource && outputValue(resource.urn);
    expect(await urnOf(deletedWith)).toMatch(/::dev-inside$/);
    expect(await Promise.all(replaceWith.map(urnOf))).toEqual([expect.stringMatching(/::dev-cluster$/)]);
    const [command] = replaceWith;
    expect(options.get("dev-inside")).toMatchObject({ deletedWith: command, replaceWith: [command] });
    // The provider is replaced by its identifier alone (see provider.ts).
    const ofProvider = options.get("dev-kubernetes") as pulumi.CustomResourceOptions;
    expect(ofProvider).toMatchObject({ deletedWith, dependsOn: [deletedWith] });
    expect(ofProvider.replaceWith).toBeUndefined();
  });

  test("survives a preview in which nothing of it is known yet", async () => {
    const { resources } = await make(settings, { preview: true });
    expect(resources.map((resource) => resource.type)).toEqual(expect.arrayContaining([COMMAND, PROVIDER]));
  });

  test(`counts its control plane among its nodes, and says whether it is simulated (${provider})`, async () => {
    const { made } = await make(settings);
    expect(made.nodes).toBe(3);
    expect(made.simulated).toBe(provider === "rehearsal");
  });
});

describe("what a change of settings does to a cluster", () => {
  const identity = async (cluster: object, cilium: object = {}) =>
    named(await make(cluster, { cilium }), "dev-cluster");

  test.each([
    ["the number of workers (kind cannot add one)", { ...kind, workers: 3 }, {}],
    ["the pods' range", { ...kind, podCidr: "10.245.0.0/16" }, {}],
    ["the node image", { ...kind, image: "kindest/node:v1.35.8" }, {}],
    ["kube-proxy replacement", kind, { kubeProxyReplacement: false }],
  ])("%s replaces a kind cluster", async (_what, cluster, cilium) => {
    expect((await identity(cluster, cilium)).triggers).not.toEqual((await identity(kind)).triggers);
  });

  test.each([
    ["the Cilium version", { version: "1.19.6" }],
    ["the routing", { routing: "native", nativeCidr: "10.244.0.0/16" }],
  ])("%s does not touch a kind cluster", async (_what, cilium) => {
    expect(await identity(kind, cilium)).toEqual(await identity(kind));
  });

  test("the number of workers leaves the command that made a rehearsal cluster as it is, so a preview knows its outputs", async () => {
    expect(await identity({ ...rehearsal, workers: 5 })).toEqual(await identity(rehearsal));
  });

  test("the number of workers scales a rehearsal cluster in place", async () => {
    const recorded = await make({ ...rehearsal, workers: 5 });
    const workers = named(recorded, "dev-workers");
    expect(workers.create).toBe('node "$PROGRAM" scale --name "$NAME"');
    expect(workers).not.toHaveProperty("triggers");
    expect(JSON.parse(workers.stdin as string)).toMatchObject({ name: "dev", workers: 5 });
  });
});

describe("the place outside the nodes", () => {
  test("of kind is its Docker bridge, captured on by a container that may do nothing else", async () => {
    const { made } = await make(kind);
    const outside = made.outside?.("probe:1");
    expect(outside?.device).toMatch(/^wck-[0-9a-f]{8}$/);
    expect(outside?.command.join(" ")).toMatch(/--network host .*--cap-drop ALL --cap-add NET_RAW .* probe:1$/);
    expect(outside?.command).not.toContain("--privileged");
  });

  test("of a rehearsal is entered by the rehearsal's own program", async () => {
    const { made } = await make(rehearsal);
    const [shell, program = "", folder] = made.outside?.("probe:1").command ?? [];
    expect([shell, existsSync(program), folder]).toEqual(["sh", true, clusterFiles(stateDir(), "dev").folder]);
  });
});

describe("the Kubernetes provider", () => {
  test("has the kubeconfig as a secret, the incarnation as identifier, and patches Secrets in place", async () => {
    const inputs = named(await make(kind), "dev-kubernetes");
    expect(inputs.kubeconfig).toEqual({ ...SECRET, value: report.kubeconfig });
    expect(inputs).toMatchObject({ clusterIdentifier: report.incarnation, enableSecretMutable: "true" });
  });
});

describe("an existing cluster", () => {
  let folder: string;
  const path = process.env.PATH;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "wirecloak-"));
    writeFileSync(
      join(folder, "config"),
      [
        "current-context: there",
        "contexts: [{ name: there, context: { cluster: c, user: u } }]",
        "clusters: [{ name: c, cluster: { server: https://api.example:8443 } }]",
      ].join("\n"),
    );
    writeFileSync(join(folder, "kubectl"), "#!/bin/sh\nprintf uid-of-kube-system\n", { mode: 0o755 });
    process.env.PATH = `${folder}${delimiter}${path}`;
  });
  afterAll(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true });
  });
  const existing = (): Partial<ClusterSettings> => ({
    provider: "existing",
    name: "dev",
    kubeconfig: join(folder, "config"),
  });

  test("is told apart by its own identity, not by its address", async () => {
    const { made } = await make(existing());
    expect(await outputValue(made.incarnation)).toBe("uid-of-kube-system");
    expect(made).toMatchObject({ context: "there", apiServer: { host: "api.example", port: 8443 }, simulated: false });
    expect(made.nodes).toBeUndefined();
    // Nobody knows a place between the nodes of somebody else's cluster.
    expect(made).not.toHaveProperty("outside");
  });

  test("has a secret kubeconfig, and makes nothing", async () => {
    const recorded = await make(existing());
    expect(await pulumi.isSecret(recorded.made.kubeconfig)).toBe(true);
    expect(recorded.resources.map(({ type }) => type)).toEqual(["wirecloak:cluster:Existing", PROVIDER]);
    expect(named(recorded, "dev-kubernetes")).toMatchObject({ context: "there" });
  });

  test("is not what its contents are tied to, or a destroy would leave Cilium behind", async () => {
    const { made, options } = await make(existing());
    expect(made.lifetime).toEqual({});
    expect(options.get("dev-kubernetes")).not.toHaveProperty("deletedWith");
  });
});
