import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Provider } from "@pulumi/kubernetes/provider.js";
import type { Cluster } from "../../../components/cluster/cluster.ts";
import { ciliumNamespace } from "../../../components/encryption/namespace.ts";
import { wire } from "../../../components/wiring.ts";
import { settingsOf } from "../components/config.ts";
import { checked, run } from "./program.ts";

// Recorded from index.ts as it was before the library came. Each is the identity of a resource in stacks that people have: another one deletes it and makes
// a new one, the cluster and the key among them.
const urns = JSON.parse(readFileSync(join(__dirname, "urns.json"), "utf8")) as Record<"kind" | "rehearsal", string[]>;

jest.setTimeout(60_000);

describe("our own program", () => {
  test.each(["rehearsal", "kind"] as const)("has the resources it always had, by their identities: %s", (provider) => {
    const config = {
      "wirecloak:encryption": "ipsec",
      "wirecloak:cluster": JSON.stringify({ provider, name: "dev", workers: 1 }),
    };
    const { stdout, stderr } = spawnSync(process.execPath, [join(__dirname, "ourProgram.ts")], {
      env: { ...process.env, PULUMI_CONFIG: JSON.stringify(config) },
      encoding: "utf8",
    });
    if (stdout === "") throw new Error(stderr);
    expect(JSON.parse(stdout)).toEqual({ urns: urns[provider], resources: urns[provider].length });
  });

  test("has the guard before Cilium, Cilium before the proof, and the record last", async () => {
    const config = { encryption: "ipsec", cluster: { provider: "kind", name: "dev", workers: 1 } };
    const { waitsFor } = await run((recording) => wire(checked(config), { opts: recording }));
    expect((await waitsFor("cilium-release")).join()).toMatch(
      /guard-kind-dev-widen.*admission-widen.*cilium-ipsec-keys/,
    );
    expect((await waitsFor("proof-read-back")).join()).toContain("::agents");
    expect((await waitsFor("guard-kind-dev-narrow")).join()).toContain("::proof");
    expect((await waitsFor("watch-end")).join()).toMatch(/::proof.*::guard/);
    expect((await waitsFor("record-look")).join()).toMatch(/::proof.*::guard.*::admission.*watch-end/);
  });

  test("makes a namespace for Cilium before all that is in it, where the cluster is ours and has none of that name", async () => {
    const namespaces = async (cluster: object, namespace: string) => {
      const config = { encryption: "ipsec", cluster, cilium: { namespace } };
      const { resources, waitsFor } = await run((recording) => wire(checked(config), { opts: recording }));
      const made = resources.filter(({ type }) => type === "kubernetes:core/v1:Namespace");
      return { made: made.map(({ inputs }) => inputs.metadata), waitsFor };
    };
    const kind = { provider: "kind", name: "dev", workers: 1 };
    const { made, waitsFor } = await namespaces(kind, "cilium");
    expect(made).toMatchObject([{ name: "cilium" }]);
    for (const name of ["admission-widen", "cilium-ipsec-keys", "cilium-release"])
      expect((await waitsFor(name)).join()).toContain("::cilium-namespace");
    expect((await namespaces(kind, "kube-system")).made).toEqual([]);
  });

  test("makes none in a cluster of others', since what it makes it removes", () => {
    const existing = { provider: "existing", name: "dev", kubeconfig: "k" };
    const settings = settingsOf({ cluster: existing, cilium: { namespace: "cilium" } });
    expect(ciliumNamespace("cilium-namespace", settings, {} as Cluster, {} as Provider)).toEqual([]);
  });

  test("opens the guard for allowed plaintext before the proof, which could show nothing else", async () => {
    const allowPlaintext = { reason: "a test", until: "2099-01-01" };
    const config = { encryption: "none", allowPlaintext, cluster: { provider: "kind", name: "dev", workers: 1 } };
    const { waitsFor } = await run((recording) => wire(checked(config), { opts: recording }));
    expect((await waitsFor("guard-kind-dev-narrow")).join()).toContain("::agents");
    expect((await waitsFor("proof-read-back")).join()).toContain("guard-kind-dev-narrow");
  });
});
