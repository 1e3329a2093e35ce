import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import * as pulumi from "@pulumi/pulumi";
import { EncryptedCluster } from "../../../components/encryptedCluster.ts";
import type { EncryptedClusterArgs } from "../../../components/encryptedClusterArgs.ts";
import { type Looked, lookNow } from "../../../components/look/look.ts";
import { liveCluster } from "../components/live/liveCluster.ts";
import { outputValue } from "../outputs.ts";
import { KUBECONFIG, run, SUMMARY } from "./program.ts";

// It would look at this machine.
jest.mock("../../../components/look/look.ts");
const nothing: Looked = { findings: [], problems: [] };
beforeEach(() => jest.mocked(lookNow).mockReset().mockReturnValue(nothing));

jest.setTimeout(60_000);

const rehearsal: EncryptedClusterArgs = { encryption: "ipsec", cluster: { provider: "rehearsal", workers: 1 } };

describe("an EncryptedCluster", () => {
  test("holds all that our own program makes, and a provider for workloads", async () => {
    const { urns, resources } = await run(() => new EncryptedCluster("prod", rehearsal));
    const [own, ...parts] = urns.toSorted((a, b) => a.length - b.length);
    expect(own).toBe("wirecloak:cluster:EncryptedCluster::prod");
    // Mocks know of the nearest parent only; without one there is no dollar.
    for (const urn of parts) expect(urn).toContain("$");
    expect(urns).toHaveLength(resources.length);
    expect(parts).toHaveLength(38);
  });

  test("has everything named after it, so that a program can have two", async () => {
    const { urns, resources } = await run(() => [
      new EncryptedCluster("prod", rehearsal),
      new EncryptedCluster("test", rehearsal),
    ]);
    // Two resources of one identity are one URN, which the engine refuses.
    expect(new Set(urns).size).toBe(resources.length);
    for (const { name } of resources) expect(name).toMatch(/^(prod|test)\b/);
  });

  test("of a name that another has in the same program is refused by Pulumi: they would share their files", async () => {
    const { urns, resources } = await run(() => [
      new EncryptedCluster("prod", rehearsal),
      new EncryptedCluster("test", { cluster: { provider: "rehearsal", name: "prod" } }),
    ]);
    const cluster = "wirecloak:cluster:Rehearsal";
    expect(resources.filter(({ type }) => type === cluster)).toHaveLength(2);
    // One URN for the two, at the first resource that would make anything.
    expect(urns.filter((urn) => urn.includes(`$${cluster}::`))).toHaveLength(1);
  });

  test("tells what our own program exports, its kubeconfig as a secret", async () => {
    const { made } = await run(() => new EncryptedCluster("prod", rehearsal));
    expect(await pulumi.isSecret(made.kubeconfig)).toBe(true);
    expect(await outputValue(made.kubeconfig)).toBe(KUBECONFIG);
    expect(await outputValue(made.kubeconfigPath)).toBe("/state/kubeconfig");
    expect(await outputValue(made.verdict)).toBe("proven");
    for (const part of ["verdict", "statement", "reasons", "counts", "evidence"] as const)
      expect(await outputValue<unknown>(made[part])).toEqual(SUMMARY[part]);
    expect(made).toMatchObject({ clusterName: "prod", nodes: 2, context: null, keyId: 3, nextKeyId: 4 });
    expect(JSON.parse(made.intent)).toMatchObject({ cluster: "prod", encryption: "ipsec", provider: "rehearsal" });
  });

  test("survives a preview in which nothing of it is known yet", async () => {
    const { urns } = await run(() => new EncryptedCluster("prod", rehearsal), { preview: true });
    expect(urns.join()).toContain("prod-record");
  });
});

describe("workloads", () => {
  const names = ({ resources }: { resources: { name: string }[] }) => resources.map(({ name }) => name);

  test("through its provider come after the proof and after the record of the update", async () => {
    const ran = await run((recording) => {
      const { provider, lifetime } = new EncryptedCluster("prod", rehearsal, recording);
      return new Namespace("shop", {}, { provider, ...lifetime });
    });
    expect(await ran.waitsFor("prod-workloads-kubernetes")).toContainEqual(expect.stringMatching(/::prod-record$/));
    const order = names(ran);
    expect(order.indexOf("prod-proof-read-back")).toBeGreaterThan(0);
    expect(order.indexOf("shop")).toBeGreaterThan(order.indexOf("prod-record-look"));
    expect(order.indexOf("shop")).toBeGreaterThan(order.indexOf("prod-proof-read-back"));
  });

  test("that depend on the cluster come after the proof", async () => {
    const ran = await run(() => {
      const cluster = new EncryptedCluster("prod", rehearsal);
      return new pulumi.ComponentResource("test:index:Shop", "shop", {}, { dependsOn: cluster });
    });
    const order = names(ran);
    expect(order.indexOf("shop")).toBeGreaterThan(order.indexOf("prod-record-configmap"));
  });
});

describe("what is wrong", () => {
  /** What the constructor says where it refuses; fails where it does not, or where it has made anything. */
  async function refusal(args: EncryptedClusterArgs): Promise<string> {
    const errors: unknown[] = [];
    const { resources } = await run(() => {
      try {
        new EncryptedCluster("prod", args);
      } catch (error) {
        errors.push(error);
      }
    });
    expect(resources).toEqual([]);
    expect(errors).toHaveLength(1);
    const [error] = errors;
    if (!pulumi.RunError.isInstance(error)) throw error;
    return error.message;
  }

  test("with the arguments is one error about all of them, in a program's words, before there is any resource", async () => {
    const message = await refusal({
      encryption: "none",
      ipsec: { keyId: 16 },
      cluster: { provider: "rehearsal", workers: -1 },
      // @ts-expect-error: a misspelt name
      stict: true,
    });
    expect(message).toMatch(/^EncryptedCluster prod:\n/);
    for (const part of ["encryption = ", "ipsec.keyId = 16", "cluster.workers = -1", "Did you mean strict?"])
      expect(message).toContain(part);
    expect(message).toContain("fix:     set ipsec.keyId to 3");
    expect(message).not.toMatch(/wirecloak:|pulumi config/);
    expect(lookNow).not.toHaveBeenCalled();
  });

  test("with this machine is one too", async () => {
    jest.mocked(lookNow).mockReturnValue({
      ...nothing,
      findings: [{ level: "error", what: "Docker", evidence: "It does not answer.", fix: "make up STACK=rehearsal" }],
    });
    expect(await refusal(rehearsal)).toMatch(
      /^EncryptedCluster prod:\n\nDocker\n +It does not answer\.\n +fix: +set cluster\.provider to rehearsal$/,
    );
  });

  test("with a live cluster is one too", async () => {
    jest.mocked(lookNow).mockReturnValue({ ...nothing, live: liveCluster("ipsec") });
    expect(await refusal({ ...rehearsal, ipsec: { keyId: 7 } })).toMatch(
      /^EncryptedCluster prod:\n\nipsec\.keyId = 7\n[^\n]*steps by exactly one.*fix: +set ipsec\.keyId to 4$/s,
    );
  });

  test("but not wrong enough to stop is told, in a program's words", async () => {
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
    jest.mocked(lookNow).mockReturnValue({
      ...nothing,
      findings: [{ level: "warning", what: "kernel", evidence: "It is old.", fix: "make up STACK=rehearsal" }],
    });
    await run(() => new EncryptedCluster("prod", { cluster: { provider: "rehearsal", workers: 0 } }));
    const texts = warn.mock.calls.map(([text]) => text);
    warn.mockRestore();
    expect(texts).toEqual([
      expect.stringMatching(/^EncryptedCluster prod: cluster\.workers = 0\n.*fix: +set cluster\.workers to 3$/s),
      expect.stringMatching(/^EncryptedCluster prod: kernel\n.*fix: +set cluster\.provider to rehearsal$/s),
    ]);
  });
});
