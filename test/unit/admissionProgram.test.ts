import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AdmissionOrder } from "../../components/encryption/admission/main.ts";

const PROGRAM = join(__dirname, "../../components/encryption/admission/main.ts");
const ORDER: AdmissionOrder = {
  ...{ kubeconfig: "/state/kubeconfig", namespace: "kube-system", generation: "1", wanted: "wireguard" },
  ...{ config: { "enable-wireguard": "true", "enable-ipsec": null }, withoutKeys: true },
};

// What it does to a real API server: test/engine/admission.
describe("the program of admission", () => {
  const folder = mkdtempSync(join(tmpdir(), "wirecloak-admission-program-"));
  const [calls, refusals, says] = ["calls", "refusals", "says"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  // A kubectl whose dry runs are refused as often as the file says.
  writeFileSync(
    join(folder, "kubectl"),
    `#!/bin/sh
echo "$*" >>"${calls}"
case "$*" in
*--dry-run=server*)
  left=$(cat "${refusals}")
  [ "$left" -gt 0 ] || exit 0
  echo $((left - 1)) >"${refusals}"
  cat "${says}" >&2
  exit 1 ;;
esac
`,
  );
  chmodSync(join(folder, "kubectl"), 0o700);

  function run(step: string, refused: number, words: string, order: Partial<AdmissionOrder> = {}) {
    writeFileSync(calls, "");
    writeFileSync(refusals, String(refused));
    writeFileSync(says, words);
    const { status, stderr } = spawnSync("node", [PROGRAM, step], {
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
      input: JSON.stringify({ ...ORDER, ...order }),
      encoding: "utf8",
    });
    const tries = readFileSync(calls, "utf8")
      .split("\n")
      .filter((line) => line.includes("--dry-run=server"));
    return { status, stderr, tries };
  }

  const OURS =
    "ValidatingAdmissionPolicy 'wirecloak-cilium-config' with binding 'wirecloak-cilium-config' denied request";

  test("waits as long as the API server refuses what comes next by what it knew before", () => {
    const { status, tries } = run("widen", 3, OURS);
    expect({ status, tries: tries.length }).toEqual({ status: 0, tries: 4 });
    expect(tries[0]).toContain(
      'patch configmap cilium-config --type=merge --patch={"data":{"enable-wireguard":"true","enable-ipsec":null}}',
    );
  });

  test("does not wait for what others refuse, or what is not there", () => {
    for (const words of ['configmaps "cilium-config" not found', "admission webhook denied the request"]) {
      expect(run("widen", 3, words)).toMatchObject({ status: 0, tries: [expect.anything()] });
    }
  });

  test("narrowed, waits until the Secret may go too, where the mode has no use for it", () => {
    expect(run("narrow", 0, "").tries.map((line) => / (patch|delete) (\S+ \S+)/.exec(line)?.[0].trim())).toEqual([
      "patch configmap cilium-config",
      "delete secret cilium-ipsec-keys",
    ]);
    expect(run("narrow", 0, "", { withoutKeys: false }).tries).toHaveLength(1);
  });

  test("goes by the kubeconfig and its context, and names what kubectl said where it fails", () => {
    const { tries } = run("widen", 0, "", { context: "mine" });
    expect(tries[0]).toMatch(/^--kubeconfig=\/state\/kubeconfig --namespace=kube-system .*--context=mine/);
    const without = spawnSync("node", [PROGRAM, "widen"], {
      env: { ...process.env, PATH: `${join(process.execPath, "..")}` },
      input: JSON.stringify(ORDER),
      encoding: "utf8",
    });
    expect(without.status).toBe(1);
    expect(without.stderr).toMatch(/wirecloak:admission.*\n.*cannot be set: .*kubectl/);
  });
});
