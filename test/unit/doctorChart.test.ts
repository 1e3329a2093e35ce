import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CiliumSettings, loadSettings } from "../../components/settings.ts";
import { checkChart, nearest } from "../../doctor/chart.ts";
import { judgeKubernetes, minorIn } from "../../doctor/kubernetes.ts";
import type { CommandResult } from "../../tools/command.ts";
import { machine } from "./doctorProbes.ts";

function ciliumOf(cilium: object): CiliumSettings {
  const config = {
    "wirecloak:encryption": "wireguard",
    "wirecloak:cluster": '{"provider":"kind","name":"dev"}',
    "wirecloak:cilium": JSON.stringify(cilium),
  };
  return loadSettings(config, { projectRoot: "/project", today: "2026-11-21" }).settings.cilium;
}

const check = (cilium: object, helm: Partial<CommandResult>, index?: string) =>
  checkChart(ciliumOf(cilium), machine([[/^helm show chart/, helm]], { fetchText: async () => index }));

describe("the chart in the version asked for", () => {
  test("is asked for where the release will take it from", async () => {
    const probes = machine([[/^helm/, { stdout: "name: cilium\nversion: 1.19.6\n" }]]);
    expect(await checkChart(ciliumOf({ version: "1.19.6" }), probes)).toMatchObject({ level: "ok" });
    expect(probes.ran).toEqual(["helm show chart cilium --repo https://helm.cilium.io --version 1.19.6"]);
  });

  test("does not exist: an error with the versions that do, those alike first", async () => {
    const index =
      "entries: { cilium: [{ version: 1.20.1 }, { version: 1.20.10 }, { version: 1.19.6 }, { version: 1.20.2 }] }";
    const helm = {
      code: 1,
      stderr: 'Error: chart "cilium" version "1.20.99" not found in https://helm.cilium.io repository\n',
    };
    const finding = await check({ version: "1.20.99" }, helm, index);
    expect(finding).toMatchObject({
      level: "error",
      evidence: "https://helm.cilium.io has no Cilium 1.20.99. Available: 1.20.10, 1.20.2, 1.20.1.",
      fix: "pulumi config set --path wirecloak:cilium.version 1.20.10",
    });
  });

  test.each<[string, Partial<CommandResult>, RegExp]>([
    [
      "the repository's name is unknown",
      {
        code: 1,
        stderr:
          'Error: looks like "https://helm.cilium.io" is not a valid chart repository or cannot be reached: dial tcp: no such host',
      },
      /cannot be reached or read: .*no such host/,
    ],
    ["nobody answers in time", { code: null, failure: "SIGTERM" }, /no answer in 20 s/],
  ])("cannot be told where %s: another error, with another fix", async (_why, helm, evidence) => {
    expect(await check({}, helm)).toMatchObject({
      level: "error",
      evidence: expect.stringMatching(evidence),
      fix: expect.stringContaining("cilium.chart"),
    });
  });

  test("is not looked for without helm, which is no fault of the chart", async () => {
    expect(await check({}, { code: null, failure: "ENOENT" })).toMatchObject({ level: "warning", fix: "make tools" });
  });

  test.each([
    ["another version", "name: cilium\nversion: 1.19.6\n", /holds cilium 1.19.6, and the settings say cilium 1.20.2/],
    ["another chart", "name: calico\nversion: 1.20.2\n", /holds calico/],
  ])("a local chart that is %s is an error", async (_what, stdout, evidence) => {
    expect(await check({ chart: "/charts/cilium.tgz" }, { stdout })).toMatchObject({
      level: "error",
      evidence: expect.stringMatching(evidence),
    });
  });

  test("a folder without that package names those it has", async () => {
    const folder = mkdtempSync(join(tmpdir(), "wirecloak-"));
    try {
      writeFileSync(join(folder, "cilium-1.20.2.tgz"), "");
      const finding = await check(
        { chart: folder, version: "1.20.1" },
        { code: 1, stderr: 'Error: path "x" not found' },
      );
      expect(finding).toMatchObject({ level: "error", evidence: expect.stringContaining("Available: 1.20.2.") });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("where no version is alike, the newest are named", () => {
    expect(nearest(["1.9.0", "1.10.0"], "1.20.2")).toEqual(["1.10.0", "1.9.0"]);
    expect(nearest([], "1.20.2")).toEqual([]);
  });
});

describe("the Kubernetes version", () => {
  const judge = (version: string, minor: string | undefined, provider = "kind") =>
    judgeKubernetes(
      { cilium: { ...ciliumOf({}), version }, cluster: { provider, name: "dev" } } as Parameters<
        typeof judgeKubernetes
      >[0],
      minor,
    );

  test.each([
    ["kindest/node:v1.35.8@sha256:aa", "1.35"],
    ["kindest/node:v1.36.0", "1.36"],
    ["v1.34.2+k3s1", "1.34"],
    ["registry:5000/mine", undefined],
    ["mine@sha256:1.2", undefined],
  ])("in %s is %s", (text, minor) => {
    expect(minorIn(text)).toBe(minor);
  });

  test.each([
    ["1.20.2", "1.33", "ok"],
    ["1.20.2", "1.36", "ok"],
    ["1.20.2", "1.37", "warning"],
    ["1.20.2", "1.32", "warning"],
    ["1.16.19", "1.9", "warning"],
    ["1.17.18", "1.31", "warning"],
    ["1.20.2", undefined, "warning"],
  ])("Cilium %s on Kubernetes %s: %s", (version, minor, level) => {
    expect(judge(version, minor).level).toBe(level);
  });

  test("outside of what is tested names the way out that the provider has", () => {
    expect(judge("1.20.2", "1.37").fix).toContain("cluster.image");
    expect(judge("1.20.2", "1.37", "existing").fix).toContain("cilium.version");
  });
});
