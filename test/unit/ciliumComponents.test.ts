import * as pulumi from "@pulumi/pulumi";
import { createCluster } from "../../components/cluster/cluster.ts";
import { clusterProvider } from "../../components/cluster/provider.ts";
import { Cilium } from "../../components/encryption/cilium.ts";
import { Proof } from "../../components/proof/proof.ts";
import { settingsOf } from "./components/config.ts";
import { outputValue, type Recorded, startMocks } from "./outputs.ts";

const RELEASE = "kubernetes:helm.sh/v3:Release";
const SECRET = "kubernetes:core/v1:Secret";
const PSK = "random:index/randomPassword:RandomPassword";
const COMMAND = "command:local:Command";
const COUNTS = { nodes: 3, pairs: 6, readable: 0, encrypted: 40 };
/** How a secret looks to a mock. */
const SECRET_MARK = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
const hex = "0123456789abcdef".repeat(5);

const report = {
  incarnation: "incarnation-1",
  server: { host: "dev-control-plane", port: 6443 },
  kubeconfigPath: "/state/kubeconfig",
  kubeconfig: "the kubeconfig",
};
const mocks = {
  [COMMAND]: ({ create }: Record<string, unknown>) => ({
    stdout: JSON.stringify(
      String(create).includes("verify")
        ? { verdict: "not proven", reasons: ["a reason"], evidence: "/state/evidence.json", counts: COUNTS }
        : report,
    ),
  }),
  [PSK]: ({ length }: Record<string, unknown>) => ({ result: hex.slice(0, Number(length)) }),
  [RELEASE]: () => ({ status: { revision: 7 } }),
};

interface Stack extends Recorded {
  cilium: Cilium;
  proof: Proof;
}

/** The whole stack but its outputs, as index.ts puts it together. */
async function stack(config: Record<string, unknown> = {}, preview = false): Promise<Stack> {
  const recorded = await startMocks(mocks, preview);
  const settings = settingsOf({ encryption: "wireguard", cluster: { name: "dev", workers: 2 }, ...config });
  const cluster = await createCluster("dev", settings, recorded.recording);
  const provider = clusterProvider("dev", cluster, recorded.recording);
  const cilium = new Cilium("cilium", { settings, cluster, provider }, recorded.recording);
  const proof = new Proof("proof", { settings, cluster, revision: cilium.revision }, recorded.recording);
  await Promise.all([outputValue(cilium.revision), outputValue(proof.verdict)]);
  // A component tells its outputs last; the next test's mocks would not know it.
  await pulumi.runtime.disconnect();
  return { ...recorded, cilium, proof };
}

function only(recorded: Recorded, type: string) {
  const [found, ...more] = recorded.resources.filter((resource) => resource.type === type);
  if (!found || more.length > 0) throw new Error(`${type}: ${found ? "more than one" : "none"}`);
  return found;
}

const customOptions = ({ options }: Recorded, name: string) => options.get(name) as pulumi.CustomResourceOptions;

describe("Cilium in IPsec mode", () => {
  const ipsec = { encryption: "ipsec" };

  test("has its Secret before its release, so that no agent waits for it", async () => {
    const made = await stack(ipsec);
    const [secret, ...others] = customOptions(made, "cilium-release").dependsOn as pulumi.Resource[];
    expect(others).toEqual([]);
    expect(await outputValue((secret as pulumi.Resource).urn)).toContain("cilium-ipsec-keys");
  });

  test("keeps the key secret, in the one Secret that the agents mount", async () => {
    const { name, inputs } = only(await stack(ipsec), SECRET);
    expect(name).toBe("cilium-ipsec-keys");
    expect(inputs.metadata).toEqual({ name: "cilium-ipsec-keys", namespace: "kube-system" });
    expect(inputs.stringData).toMatchObject(SECRET_MARK);
    expect(inputs.stringData).toMatchObject({ value: { keys: `3+ rfc4106(gcm(aes)) ${hex.slice(0, 40)} 128` } });
  });

  test("draws 20 bytes for AES-128 and 36 for AES-256, in hex", async () => {
    expect(only(await stack(ipsec), PSK).inputs).toMatchObject({ length: 40, overrideSpecial: "abcdef", upper: false });
    expect(only(await stack({ ...ipsec, ipsec: { keyBits: 256 } }), PSK).inputs).toMatchObject({ length: 72 });
  });

  test("draws a new key for each id, and patches the one Secret", async () => {
    const [three, four] = [await stack(ipsec), await stack({ ...ipsec, ipsec: { keyId: 4 } })];
    expect([only(three, PSK).name, only(four, PSK).name]).toEqual(["cilium-psk-3-128", "cilium-psk-4-128"]);
    expect(only(four, SECRET).name).toBe(only(three, SECRET).name);
  });

  test("shows policies its values: nothing in them is secret or unknown but what the cluster tells", async () => {
    const { inputs } = only(await stack(ipsec, true), RELEASE);
    expect(inputs.values).toMatchObject({ encryption: { enabled: true, type: "ipsec", nodeEncryption: false } });
    expect(JSON.stringify(inputs)).not.toContain(SECRET_MARK["4dabf18193072939515e22adb298388d"]);
  });
});

describe("Cilium", () => {
  test.each(["wireguard", "none"])("in mode %s has neither key nor Secret", async (encryption) => {
    const allowPlaintext = { reason: "a test", until: "2099-01-01" };
    const { resources } = await stack({ encryption, ...(encryption === "none" && { allowPlaintext }) });
    expect(resources.filter(({ type }) => type === SECRET || type === PSK)).toEqual([]);
  });

  test("is one release of a fixed name, chart and version, in the agents' namespace", async () => {
    expect(only(await stack(), RELEASE).inputs).toMatchObject({
      name: "cilium",
      namespace: "kube-system",
      chart: "cilium",
      version: "1.20.2",
      repositoryOpts: { repo: "https://helm.cilium.io" },
    });
  });

  test("goes and comes with its cluster", async () => {
    const made = await stack({ encryption: "ipsec" });
    for (const name of ["cilium-release", "cilium-ipsec-keys", "proof-read-back"]) {
      const { deletedWith, replaceWith } = customOptions(made, name);
      expect(await outputValue((deletedWith as pulumi.Resource).urn)).toContain("dev-inside");
      expect(await outputValue(replaceWith?.[0]?.urn as pulumi.Output<string>)).toContain("dev-cluster");
    }
  });

  test("and all its parts have a parent, and talk to the cluster's own provider only", async () => {
    const made = await stack({ encryption: "ipsec" });
    for (const { name, type } of made.resources.filter(({ type }) => !/^(pulumi|wirecloak):/.test(type)))
      expect({ type, parent: made.options.get(name)?.parent !== undefined }).toEqual({ type, parent: true });
    for (const name of ["cilium-release", "cilium-ipsec-keys"])
      expect(customOptions(made, name).provider).toBeDefined();
  });
});

describe("the proof", () => {
  test("runs anew for a new revision, other settings and another cluster", async () => {
    const { inputs } = readBack(await stack());
    expect(inputs.triggers).toEqual([7, inputs.stdin, "incarnation-1"]);
    expect(JSON.parse(String(inputs.stdin))).toMatchObject({ encryption: "wireguard", keyId: null, nodes: 3 });
  });

  test("is told where the kubeconfig lies, never what it holds", async () => {
    const { inputs } = readBack(await stack());
    expect(inputs.environment).toMatchObject({ KUBECONFIG_FILE: "/state/kubeconfig" });
    expect(JSON.stringify(inputs)).not.toContain(report.kubeconfig);
    expect(String(inputs.create)).toContain('--kubeconfig "$KUBECONFIG_FILE" --wait');
  });

  test("fails the update on a failed verdict, unless proof.enforce is off", async () => {
    expect(String(readBack(await stack()).inputs.create)).not.toContain("||");
    expect(String(readBack(await stack({ proof: { enforce: false } })).inputs.create)).toContain(" || [ $? = 1 ] && ");
  });

  test("gives verdict and reasons as they were found", async () => {
    const { proof } = await stack();
    expect(await outputValue(proof.verdict)).toBe("not proven");
    expect(await outputValue(proof.reasons)).toEqual(["a reason"]);
    expect(await outputValue(proof.evidence)).toBe("/state/evidence.json");
    expect(await outputValue(proof.counts)).toEqual(COUNTS);
  });

  /** The command that proves, among those that make the cluster. */
  function readBack({ resources }: Recorded) {
    const found = resources.find(({ name }) => name === "proof-read-back");
    if (!found) throw new Error("nothing proves");
    return found;
  }
});
