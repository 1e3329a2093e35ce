import * as pulumi from "@pulumi/pulumi";
import { createCluster } from "../../components/cluster/cluster.ts";
import { clusterProvider } from "../../components/cluster/provider.ts";
import { Admission } from "../../components/encryption/admission/admission.ts";
import { settingsOf } from "./components/config.ts";
import { outputValue, startMocks } from "./outputs.ts";

const COMMAND = "command:local:Command";
const report = {
  incarnation: "incarnation-1",
  server: { host: "h", port: 6443 },
  kubeconfigPath: "/state/kubeconfig",
  kubeconfig: "the kubeconfig",
};
const mocks = { [COMMAND]: () => ({ stdout: JSON.stringify(report) }) };

class Step extends pulumi.ComponentResource {
  constructor(name: string) {
    super("test:Step", name);
    this.registerOutputs({});
  }
}

/** Admission's part of index.ts. */
async function installed(config: Record<string, unknown> = {}, repair = "", missing: string[] = []) {
  const recorded = await startMocks(mocks);
  const settings = settingsOf({ cluster: { provider: "kind", name: "dev" }, ...config });
  const cluster = await createCluster("dev", settings, recorded.recording);
  const provider = clusterProvider("dev", cluster, recorded.recording);
  const admission = new Admission("admission", { settings, cluster, provider, repair, missing }, recorded.recording);
  admission.enforced(new Step("cilium"));
  admission.proven(new Step("proof"));
  await outputValue(cluster.incarnation);
  await pulumi.runtime.disconnect();
  const waitsFor = async (name: string) => {
    const { dependsOn = [] } = recorded.options.get(name) as { dependsOn?: pulumi.Resource[] };
    return (await Promise.all(dependsOn.map((resource) => outputValue(resource.urn)))).map((urn) =>
      urn.split("::").at(-1),
    );
  };
  const of = (type: string) => recorded.resources.filter((resource) => resource.type.endsWith(type));
  const commands = of(COMMAND).filter(({ name }) => name.startsWith("admission-"));
  const order = () => JSON.parse(String(commands[0]?.inputs.stdin));
  return { ...recorded, admission, commands, order, waitsFor, of };
}

describe("Admission", () => {
  test("allows both states before Cilium, and the new one after the proof; the policies come after Cilium, and so go before it", async () => {
    const { admission, commands, of, waitsFor } = await installed();
    expect(commands.map(({ name }) => name)).toEqual(["admission-widen", "admission-narrow"]);
    expect(admission.widened).toHaveLength(1);
    expect(await waitsFor("admission-narrow")).toEqual(["proof"]);
    expect(of(":ValidatingAdmissionPolicy")).toHaveLength(6);
    expect(await waitsFor("wirecloak-cilium-config-policy")).toEqual(["cilium", "admission-widen"]);
    expect(await waitsFor("wirecloak-cilium-config-binding")).toEqual(["wirecloak-cilium-config-policy"]);
  });

  test("tells its program what the settings have and where the cluster is", async () => {
    const { order } = await installed({ encryption: "ipsec" });
    expect(order()).toEqual({
      kubeconfig: "/state/kubeconfig",
      generation: "incarnation-1",
      namespace: "kube-system",
      wanted: "ipsec ipsec-key-file=/etc/ipsec/keys",
      config: expect.objectContaining({ "enable-ipsec": "true", "enable-wireguard": null }),
      withoutKeys: false,
    });
    expect((await installed()).order()).toMatchObject({ wanted: "wireguard", withoutKeys: true });
  });

  test("is set again for a repair", async () => {
    expect((await installed({}, "r1")).order()).toMatchObject({ repair: "r1" });
  });

  test("puts its policies back for a repair, and makes anew those that are gone", async () => {
    const { options, of } = await installed({}, "r1", ["ValidatingAdmissionPolicyBinding wirecloak-ipsec-keys"]);
    const objects = [...of(":ValidatingAdmissionPolicy"), ...of(":ValidatingAdmissionPolicyBinding")];
    const annotations = { "wirecloak.io/repair": "r1", "pulumi.com/patchForce": "true" };
    for (const { inputs } of objects) expect(inputs.metadata).toMatchObject({ annotations });
    const anew = objects.filter(({ name }) => Object(options.get(name)).replaceOnChanges);
    expect(anew.map(({ name }) => name)).toEqual(["wirecloak-ipsec-keys-binding"]);
    expect(options.get("wirecloak-ipsec-keys-binding")).toMatchObject({ deleteBeforeReplace: true });
    const [first] = (await installed()).of(":ValidatingAdmissionPolicy");
    expect(first?.inputs.metadata).not.toHaveProperty("annotations");
  });

  test("narrows after each widening, and takes the parameter away once", async () => {
    const { commands } = await installed();
    expect(commands[1]?.inputs.environment).toMatchObject({ AFTER: JSON.stringify(report) });
    expect(commands.map(({ inputs }) => inputs.delete)).toEqual(['node "$PROGRAM" remove', undefined]);
  });

  test("goes with its cluster", async () => {
    const { commands, options, of } = await installed();
    const names = [...commands, ...of(":ValidatingAdmissionPolicy"), ...of(":ValidatingAdmissionPolicyBinding")].map(
      ({ name }) => name,
    );
    expect(names).toHaveLength(14);
    for (const name of names) expect(options.get(name)).toHaveProperty("deletedWith");
  });

  test("makes nothing where the settings want none", async () => {
    const { admission, commands, of } = await installed({ admission: false });
    expect([...commands, ...of(":ValidatingAdmissionPolicy"), ...admission.widened, ...admission.steps]).toEqual([]);
  });
});
