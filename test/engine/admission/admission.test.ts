import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AdmissionOrder } from "../../../components/encryption/admission/main.ts";
import {
  allowedBy,
  alternatives,
  PARAMETER,
  parameterManifest,
} from "../../../components/encryption/admission/params.ts";
import { admissionPolicies } from "../../../components/encryption/admission/policies.ts";
import { ipsecKeyLine } from "../../../components/encryption/ipsecKey.ts";
import { expectedConfig } from "../../../components/encryption/values.ts";
import type { Settings } from "../../../components/settings.ts";
import { projectRoot } from "../../../tools/paths.ts";
import { SmallCluster, withoutSmallCluster } from "../../conformance/smallCluster.ts";
import { describeUnless } from "../../skip.ts";
import { settingsOf } from "../../unit/components/config.ts";
import { WIREGUARD_AGENT_ROWS } from "./agentRows.ts";
import { breakGlass, config, create, daemonSet, day, nodeConfigDefinition, patch, remove } from "./changes.ts";
import { type Change, KubectlProxy } from "./kubectlProxy.ts";
import {
  IPSEC_ROWS,
  KEY,
  NONE_ROWS,
  type Row,
  STRICT_ROWS,
  SWITCH_ROWS,
  WIREGUARD_NODE_ROWS,
  WIREGUARD_ROWS,
} from "./rows.ts";

jest.setTimeout(60_000);

const [WIREGUARD, IPSEC] = [settingsOf(), settingsOf({ encryption: "ipsec" })];
const STRICT = settingsOf({ strict: true, wireguard: { nodeEncryption: true } });
const VERSIONS = ["1.16.19", "1.17.18", "1.18.12", "1.19.6", "1.20.2"];

describeUnless(withoutSmallCluster(), "the admission policies on a real API server", () => {
  const folder = mkdtempSync(join(tmpdir(), "wirecloak-admission-"));
  let cluster: SmallCluster;
  let api: KubectlProxy;

  beforeAll(async () => {
    const audit = join(folder, "audit.yaml");
    writeFileSync(audit, "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: Metadata }]\n");
    cluster = await SmallCluster.start("--kube-audit-policy", audit);
    api = await KubectlProxy.start(cluster.kubeconfigFile);
    apply(nodeConfigDefinition);
    cluster.kubectl("wait", "--for=condition=Established", "crd/ciliumnodeconfigs.cilium.io");
    const keys = Buffer.from(ipsecKeyLine(3, KEY)).toString("base64");
    apply(
      inCilium("v1", "Secret", "cilium-ipsec-keys", { data: { keys } }),
      inCilium("cilium.io/v2", "CiliumNodeConfig", "there", { spec: { defaults: { "enable-wireguard": "true" } } }),
      inCilium("apps/v1", "DaemonSet", "cilium", { spec: daemonSet().spec }),
      ...admissionPolicies("kube-system").flatMap(({ name, policy, binding }) => [
        ofCluster("ValidatingAdmissionPolicy", name, policy),
        ofCluster("ValidatingAdmissionPolicyBinding", name, binding),
      ]),
    );
  });
  afterAll(() => {
    api?.stop();
    cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function inCilium(apiVersion: string, kind: string, name: string, content: object): object {
    return { apiVersion, kind, metadata: { name, namespace: "kube-system" }, ...content };
  }

  function ofCluster(kind: string, name: string, spec: object): object {
    return { apiVersion: "admissionregistration.k8s.io/v1", kind, metadata: { name }, spec };
  }

  function apply(...items: object[]): void {
    const path = join(folder, "manifests.json");
    writeFileSync(path, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", path);
  }

  /** Waits until the API server judges by this parameter: a change to both modes is refused with what is allowed, if anything is. */
  async function inForce(allowed: string): Promise<void> {
    const words = ` ${alternatives(allowed).join(", or ")} (ConfigMap`;
    const both = config({ "enable-wireguard": "true", "enable-ipsec": "true" });
    for (let tries = 0; tries < 200; tries++) {
      const { code, message } = await api.dryRun(both);
      if (allowed.includes("none") ? code === 200 || code === 404 : message.includes(words)) return;
      await sleep(50);
    }
    throw new Error(`not in force: ${allowed}`);
  }

  async function allow(allowed: string): Promise<void> {
    const { code } = await api.send(patch("configmaps", PARAMETER, { data: { allowed } }));
    if (code === 404) apply(parameterManifest("kube-system", allowed));
    await inForce(allowed);
  }

  /** A cluster with the options that these settings make. */
  async function configured(settings: Settings): Promise<void> {
    await allow("none\n");
    const options = Object.entries(expectedConfig(settings)).filter(([, value]) => value !== null);
    const data = Object.fromEntries([...options, ["debug", "false"]]);
    expect([200, 404]).toContain((await api.send(remove("configmaps", "cilium-config"))).code);
    const made = await api.send(create("configmaps", { metadata: { name: "cilium-config" }, data }));
    expect(made).toMatchObject({ code: 201 });
  }

  async function judge(change: Change, refused?: RegExp): Promise<void> {
    const { code, message } = await api.dryRun(change);
    if (refused === undefined) {
      expect({ code, message }).toEqual({ code: change.method === "POST" ? 201 : 200, message: "" });
      return;
    }
    expect(message).toMatch(/^\S+( "\S+")? is forbidden: ValidatingAdmissionPolicy 'wirecloak-/);
    expect(message).toMatch(refused);
    // The way that is allowed.
    expect(message).toMatch(/pulumi|wirecloak\.io\/plaintext-until|by name/);
    expect(message).not.toContain(KEY.slice(0, 12));
    expect(message).not.toContain(Buffer.from(KEY).toString("base64").slice(0, 12));
    expect(code).toBe(403);
  }

  test("are taken without a warning about their types", async () => {
    await allow("none\n");
    const names = admissionPolicies("kube-system").map(({ name }) => name);
    for (const name of names) {
      cluster.kubectl("wait", "--for=jsonpath={.status.observedGeneration}=1", `validatingadmissionpolicy/${name}`);
    }
    const warned = "jsonpath={.items[*].status.typeChecking.expressionWarnings}";
    expect(cluster.kubectl("get", "validatingadmissionpolicies", "-o", warned).trim()).toBe("");
  });

  const SCENARIOS: [string, Settings, string, Row[]][] = [
    ["in WireGuard mode, of the ConfigMap", WIREGUARD, allowedBy(WIREGUARD), WIREGUARD_ROWS],
    ["in WireGuard mode, of CiliumNodeConfigs", WIREGUARD, allowedBy(WIREGUARD), WIREGUARD_NODE_ROWS],
    ["in WireGuard mode, of the agents", WIREGUARD, allowedBy(WIREGUARD), WIREGUARD_AGENT_ROWS],
    ["in IPsec mode", IPSEC, allowedBy(IPSEC), IPSEC_ROWS],
    ["with strict mode and node encryption", STRICT, allowedBy(STRICT), STRICT_ROWS],
    ["during a switch", WIREGUARD, `${allowedBy(WIREGUARD)}\n${allowedBy(IPSEC)}\n`, SWITCH_ROWS],
    ["where plaintext is allowed", WIREGUARD, "none\n", NONE_ROWS],
  ];

  describe.each(SCENARIOS)("%s", (_, settings, allowed, rows) => {
    beforeAll(async () => {
      await configured(settings);
      await allow(allowed);
    });
    const cases = rows.map(([what, ...row]) => [row[1] ? "refuse" : "let through", what, row] as const);
    test.each(cases)("%s: %s", (_verdict, _what, row) => judge(...row));
  });

  describe("let through what Wirecloak itself installs", () => {
    const modes = [{}, { wireguard: { nodeEncryption: true } }, { encryption: "ipsec" }];
    const native = { routing: "native", nativeCidr: "10.244.0.0/16" };
    const all = VERSIONS.flatMap((version) =>
      modes.flatMap((mode) =>
        [{}, native].flatMap((routing) =>
          [false, true].map((strict) => ({ ...mode, strict, cilium: { version, ...routing } })),
        ),
      ),
    ).filter(({ strict, cilium, ...mode }) => !(strict && "encryption" in mode && /^1\.1[678]/.test(cilium.version)));
    // Those of one parameter differ in nothing that the policies look at.
    const distinct = [...new Map(all.map((each) => [allowedBy(settingsOf(each)), each])).entries()];

    test("in every mode and version", async () => {
      expect(distinct.length).toBeGreaterThan(10);
      await configured(WIREGUARD);
      for (const [allowed, each] of distinct) {
        await allow(`${allowed}\n`);
        await judge(config(expectedConfig(settingsOf(each))));
      }
    });
  });

  describe("of their parameter", () => {
    const DEPLOYER = ["--as=deployer", "--namespace=kube-system"];
    const asDeployer = (...args: string[]) =>
      spawnSync("kubectl", ["--kubeconfig", cluster.kubeconfigFile, ...DEPLOYER, ...args, "--dry-run=server"], {
        encoding: "utf8",
      });
    const parameter = (allowed: string | null) => patch("configmaps", "wirecloak-admission", { data: { allowed } });

    beforeAll(async () => {
      await configured(WIREGUARD);
      await allow("wireguard\n");
      const rules = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["*"] }];
      const subjects = [{ kind: "User", name: "deployer", apiGroup: "rbac.authorization.k8s.io" }];
      const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "deployer" };
      apply(
        inCilium("rbac.authorization.k8s.io/v1", "Role", "deployer", { rules }),
        inCilium("rbac.authorization.k8s.io/v1", "RoleBinding", "deployer", { subjects, roleRef }),
      );
    });

    test("who may change ConfigMaps but not the policies cannot loosen it, take it away, or turn encryption off", () => {
      const patched = (name: string, data: object) =>
        asDeployer("patch", "configmap", name, "-p", JSON.stringify({ data }));
      expect(patched("cilium-config", { debug: "true" }).stderr).toBe("");
      expect(patched("cilium-config", { "enable-wireguard": "false" }).stderr).toContain("it says none");
      expect(patched("wirecloak-admission", { allowed: "none" }).stderr).toContain("takes the right to update");
      expect(asDeployer("delete", "configmap", "wirecloak-admission").stderr).toContain("takes the right to update");
    });

    test.each<Row>([
      ["its administrator loosens it", parameter("none\n")],
      ["its administrator narrows it", parameter("ipsec ipsec-key-file=/etc/ipsec/keys")],
      ["its administrator takes it away", remove("configmaps", "wirecloak-admission")],
      ["a mode that nobody knows", parameter("wiregard\n"), /begins with wireguard, ipsec, none/],
      ["a known and an unknown mode", parameter("wireguard\nopen\n"), /begins with/],
      ["nothing", parameter(""), /begins with/],
      ["no text", parameter(null), /needs the key allowed/],
    ])("%s", async (_, ...row) => {
      const [change, refused] = row;
      if (refused === undefined) return judge(change);
      const { code, message } = await api.dryRun(change);
      expect({ code, message }).toEqual({ code: 403, message: expect.stringMatching(refused) });
    });

    test("without it nothing that it is asked about changes, and all else does", async () => {
      cluster.kubectl("delete", "configmap", "wirecloak-admission", "--namespace=kube-system");
      const debug = config({ debug: "true" });
      for (let tries = 0; (await api.dryRun(debug)).code === 200 && tries < 200; tries++) await sleep(50);
      expect((await api.dryRun(debug)).message).toMatch(/no params found/);
      expect((await api.dryRun(remove("configmaps", "cilium-config"))).message).toMatch(/no params found/);
      await judge(create("configmaps", { metadata: { name: "other" } }));
      await judge(remove("configmaps", "kube-root-ca.crt"));
      await allow("wireguard\n");
    });
  });

  describe("and their program", () => {
    const program = join(projectRoot, "components/encryption/admission/main.ts");
    const run = (step: string, settings: Settings) =>
      spawnSync("node", [program, step], {
        input: JSON.stringify({
          ...{ kubeconfig: cluster.kubeconfigFile, namespace: "kube-system", generation: "1" },
          ...{ wanted: allowedBy(settings), config: expectedConfig(settings) },
          withoutKeys: settings.encryption !== "ipsec",
        } satisfies AdmissionOrder),
        encoding: "utf8",
      });
    const says = () => cluster.get("configmap", "wirecloak-admission", "kube-system")?.data?.allowed;

    test("take a switch in two steps; when each ends, the API server lets through what comes next, and no longer what is over", async () => {
      await configured(WIREGUARD);
      expect(run("narrow", WIREGUARD)).toMatchObject({ status: 0, stderr: "" });
      expect(says()).toBe("wireguard\n");
      const [toIpsec, back] = [config(expectedConfig(IPSEC)), config(expectedConfig(WIREGUARD))];
      await judge(toIpsec, /it says ipsec/);

      expect(run("widen", IPSEC)).toMatchObject({ status: 0, stderr: "" });
      expect(says()).toBe(`wireguard\n${allowedBy(IPSEC)}\n`);
      expect((await api.send(toIpsec)).code).toBe(200);
      expect(run("narrow", IPSEC)).toMatchObject({ status: 0, stderr: "" });
      await inForce(allowedBy(IPSEC));
      await judge(back, /it says wireguard/);

      // Back, to the mode that has no use for the Secret.
      expect(run("widen", WIREGUARD).status).toBe(0);
      expect((await api.send(back)).code).toBe(200);
      expect(run("narrow", WIREGUARD).status).toBe(0);
      await judge(remove("secrets", "cilium-ipsec-keys"));
    });

    test("make the parameter where there is none, take it away, and fail in words", () => {
      expect(run("remove", WIREGUARD)).toMatchObject({ status: 0, stderr: "" });
      expect(says()).toBeUndefined();
      expect(run("remove", WIREGUARD).status).toBe(0);
      expect(run("widen", WIREGUARD).status).toBe(0);
      expect(says()).toBe("wireguard\n");
      const { status, stderr } = run("open", WIREGUARD);
      expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/widen, narrow, remove/) });
    });
  });

  test("write into the audit log who was let through, until when and why, and what was refused", async () => {
    await configured(WIREGUARD);
    await allow("wireguard\n");
    const off = { "enable-wireguard": "false" };
    expect((await api.send(config(off))).code).toBe(403);
    expect((await api.send(config(off, breakGlass(day(1), "a broken kernel")))).code).toBe(200);
    // What only takes away has no time of its own, so the exemption above does not hold for it.
    await judge(config({ "enable-wireguard": null }), /rather than only takes it away/);
    // Encryption comes back without a word about the annotations that are still there.
    await judge(config({ "enable-wireguard": "true" }));
    const logged = () => readFileSync(cluster.auditLog, "utf8");
    const words = `"wirecloak-cilium-config/break-glass":"until ${day(1)}: a broken kernel"`;
    for (let tries = 0; !logged().includes(words) && tries < 100; tries++) await sleep(50);
    expect(logged()).toContain(words);
    expect(logged()).toContain("validation.policy.admission.k8s.io/validation_failure");
  });
});
