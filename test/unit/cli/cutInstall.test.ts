import { gunzipSync, gzipSync } from "node:zlib";
import { cutInstalls, takeUpOf } from "../../../cli/cutInstall.ts";
import { type HelmSecret, latestRevision, readHelmRecord, withStatus } from "../../../cli/helmRecord.ts";

const urnOf = (type: string, name: string) => `urn:pulumi:dev::wirecloak::${type}::${name}`;
const RELEASE = "kubernetes:helm.sh/v3:Release";
const urn = urnOf(`wirecloak:encryption:Cilium$${RELEASE}`, "cilium-release");
const parent = urnOf("wirecloak:encryption:Cilium", "cilium");
const provider = urnOf("pulumi:providers:kubernetes", "dev-kubernetes");

const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:..." };
const values = {
  cluster: { name: "dev" },
  encryption: { enabled: true, type: "wireguard" },
  k8sServicePort: 6443,
  list: ["10.244.0.0/16"],
};
const inputs = { chart: "cilium", name: "cilium", namespace: "kube-system", values };

/** An exported state with this operation cut short. */
function cut(operation: object = {}, resource: object = {}, resources: object[] = []): unknown {
  const begun = { urn, parent, type: RELEASE, provider: `${provider}::some-id`, inputs, ...resource };
  return { deployment: { resources, pending_operations: [{ resource: begun, type: "creating", ...operation }] } };
}

describe("an install that a killed run had begun", () => {
  test("is one that the state holds as begun and not as done", () => {
    expect(cutInstalls(cut())).toEqual([
      { urn, parent, provider, release: "cilium", namespace: "kube-system", values },
    ]);
  });

  test.each([
    ["no state at all", undefined],
    ["a state with nothing cut short", { deployment: { resources: [] } }],
    ["an upgrade that was cut short, whose release the state holds", cut({ type: "updating" }, {}, [{ urn }])],
    ["one that was taken up before", cut({}, {}, [{ urn }])],
    ["another resource", cut({}, { type: "kubernetes:core/v1:Secret" })],
    ["one without a provider, which could be in any cluster", cut({}, { provider: undefined })],
    ["one whose values are a secret as a whole", cut({}, { inputs: { ...inputs, values: secret } })],
  ])("is not: %s", (_, state) => {
    expect(cutInstalls(state).filter(({ values: { cluster } }) => cluster !== undefined)).toEqual([]);
  });
});

/** As helm keeps a revision. */
function kept(revision: number, status: string, config: object | null): HelmSecret {
  const release = { name: "cilium", version: revision, info: { status, description: "d" }, config, manifest: "---\n" };
  return {
    metadata: { name: `sh.helm.release.v1.cilium.v${revision}`, labels: { owner: "helm", status } },
    data: { release: Buffer.from(gzipSync(JSON.stringify(release)).toString("base64")).toString("base64") },
  };
}

describe("what is done about it", () => {
  const begun = (given: object = values) => ({
    ...inputs,
    urn,
    parent,
    provider,
    release: "cilium",
    values: { ...given },
  });

  test.each<[string, ReturnType<typeof takeUpOf>, HelmSecret, object?]>([
    ["helm had ended", "import", kept(1, "deployed", values)],
    ["helm had ended badly", "import", kept(1, "failed", values)],
    ["helm was cut short too", "import and unlock", kept(1, "pending-install", values)],
    ["helm forgets nulls", "import", kept(1, "deployed", values), { ...values, debug: null, a: { b: null } }],
    [
      "a secret cannot be compared",
      "import",
      kept(1, "deployed", { ...values, host: "h" }),
      { ...values, host: secret },
    ],
    ["another cluster's name", "not ours", kept(1, "deployed", { ...values, cluster: { name: "theirs" } })],
    ["another value", "not ours", kept(1, "deployed", { ...values, k8sServicePort: 443 })],
    ["another list", "not ours", kept(1, "deployed", { ...values, list: [] })],
    ["a value more", "not ours", kept(1, "deployed", { ...values, debug: { enabled: true } })],
    ["a value less", "not ours", kept(1, "deployed", { cluster: values.cluster })],
    ["no values at all", "not ours", kept(1, "pending-install", null)],
    ["values that name no cluster", "not ours", kept(1, "deployed", {}), {}],
  ])("%s: %s", (_, how, latest, ...[given]) => {
    expect(takeUpOf(begun(given), latest)).toBe(how);
  });

  test("goes by the latest revision, by its number", () => {
    const all = [kept(9, "superseded", {}), kept(10, "failed", {}), kept(2, "deployed", {})];
    expect(latestRevision(all)).toBe(all[1]);
    expect(latestRevision([])).toBeUndefined();
  });

  test("a revision gets another status, in its label and in what it holds; all else stays", () => {
    const pending = kept(1, "pending-install", values);
    const failed = withStatus(pending, "failed", "killed");
    expect(readHelmRecord(failed)).toEqual({ revision: 1, status: "failed", values });
    expect(failed.metadata).toEqual({ name: pending.metadata.name, labels: { owner: "helm", status: "failed" } });
    const inner = Buffer.from(Buffer.from(failed.data.release, "base64").toString(), "base64");
    expect(JSON.parse(gunzipSync(inner).toString())).toMatchObject({
      name: "cilium",
      manifest: "---\n",
      config: values,
    });
  });
});
