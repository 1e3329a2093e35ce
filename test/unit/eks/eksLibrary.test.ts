import * as pulumi from "@pulumi/pulumi";
import { EncryptedCluster } from "../../../components/encryptedCluster.ts";
import type { EncryptedClusterArgs } from "../../../components/encryptedClusterArgs.ts";
import { lookNow } from "../../../components/look/look.ts";
import { run } from "../encryptedCluster/program.ts";
import { outputValue } from "../outputs.ts";
import { ENDPOINT, mocksOf, TYPES } from "./stack.ts";

// It would look at this machine.
jest.mock("../../../components/look/look.ts");
beforeEach(() => jest.mocked(lookNow).mockReturnValue({ findings: [], problems: [] }));

jest.setTimeout(120_000);

const args: EncryptedClusterArgs = {
  encryption: "ipsec",
  cluster: { provider: "eks", endpoint: { allowedCidrs: ["203.0.113.0/24"] } },
};
const eks = (preview = false) =>
  run((recording) => new EncryptedCluster("prod", args, recording), { preview, outputs: mocksOf("") });

describe("an EncryptedCluster on EKS", () => {
  test("has its nodes after Cilium, and agents and proof after its nodes", async () => {
    const { resources, waitsFor } = await eks();
    const groups = resources.filter(({ type }) => type === TYPES.nodeGroup);
    expect(groups).not.toEqual([]);
    for (const { name } of groups) expect((await waitsFor(name)).join()).toContain("::prod-cilium");
    for (const { name } of groups) expect((await waitsFor("prod-agents-wait")).join()).toContain(`::${name}`);
    expect((await waitsFor("prod-proof-read-back")).join()).toContain("::prod-agents");
    expect((await waitsFor("prod-workloads-kubernetes")).join()).toContain("::prod-record");
  });

  test("has the guard's rules before Cilium", async () => {
    const { resources, waitsFor } = await eks();
    const rules = resources.filter(({ type }) => type === TYPES.egress || type === TYPES.ingress);
    expect(rules).not.toEqual([]);
    expect((await waitsFor("prod-cilium-release")).filter((urn) => urn.includes("securityGroup"))).not.toEqual([]);
  });

  test("holds all that it makes, by the cluster's name, with a kubeconfig that is secret", async () => {
    const { urns, made } = await eks();
    const own = urns.filter((urn) => !urn.includes("$"));
    expect(own).toEqual(["wirecloak:cluster:EncryptedCluster::prod"]);
    for (const urn of urns) expect(urn.split("::").at(-1)).toMatch(/^prod\b/);
    expect(await pulumi.isSecret(made.kubeconfig)).toBe(true);
    expect(await outputValue(made.kubeconfig)).toContain(ENDPOINT);
    expect(made).toMatchObject({ clusterName: "prod", nodes: null, keyId: 3 });
  });

  test("can be had twice in a program", async () => {
    const { urns, resources } = await run(() => ["prod", "test"].map((name) => new EncryptedCluster(name, args)), {
      outputs: mocksOf(""),
    });
    expect(urns).toHaveLength(resources.length);
  });

  test("survives a preview in which nothing of it is known yet", async () => {
    const { urns } = await eks(true);
    expect(urns.join()).toContain("prod-record");
  });
});
