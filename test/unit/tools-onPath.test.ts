import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { findOnPath } from "../../tools/findOnPath.ts";
import { type Candidate, chooseOnPath, lookOnPath, parseVersion } from "../../tools/onPath.ts";
import { program, scratchFolder, tool } from "./tools-fixtures.ts";

describe("a program's version is the first full version in what it prints", () => {
  test.each([
    ["pulumi", "v3.259.0\n", "3.259.0"],
    ["kubectl", "Client Version: v1.32.4-dispatcher\nKustomize Version: v5.5.0\n", "1.32.4-dispatcher"],
    ["helm, without its build metadata", "v4.1.4+g05fa379\n", "4.1.4"],
    ["kind", "kind version 0.33.0\n", "0.33.0"],
    ["etcd", "etcd Version: 3.7.3\nGo Version: go1.26.8\n", "3.7.3"],
    ["kube-apiserver", "Kubernetes v1.35.4\n", "1.35.4"],
    ["kwok", "kwok version v0.8.0 go1.26.8 (linux/amd64)\n", "0.8.0"],
    ["a program that prints half a version", "v4.1\n", undefined],
    ["a program that prints nothing", "", undefined],
  ])("%s", (_name, output, version) => {
    expect(parseVersion(output)).toBe(version);
  });

  test("any version is found wherever it stands in a line", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), fc.constantFrom("", "v", "version: ", "Tool v"), (a, b, c, before) => {
        expect(parseVersion(`${before}${a}.${b}.${c} (linux)`)).toBe(`${a}.${b}.${c}`);
      }),
    );
  });
});

describe("the first candidate on PATH that will do is taken", () => {
  const ranged = tool("helm", { onPath: { versionArgs: [], range: ">=4.1.4 <5.0.0" } });
  const exact = tool("etcd", { onPath: { versionArgs: [], range: "3.7.3" } });
  const paired = tool("pulumi", {
    onPath: { versionArgs: [], range: ">=3.259.0 <4.0.0" },
    companion: { name: "pulumi-language-nodejs", version: "3.68.0", build: ranged.build },
  });
  const at = (path: string, version?: string, companion?: string): Candidate => ({
    path,
    ...(version && { version }),
    ...(companion && { companion }),
  });

  test.each([
    ["the lower end of a range will do", ranged, [at("/a/helm", "4.1.4")], "/a/helm"],
    ["newer within the range will do", ranged, [at("/a/helm", "4.9.0")], "/a/helm"],
    ["the upper end will not", ranged, [at("/a/helm", "5.0.0")], undefined],
    ["an older one hides no good one behind it", ranged, [at("/a/helm", "3.18.0"), at("/b/helm", "4.2.0")], "/b/helm"],
    ["of two good ones PATH's order decides", ranged, [at("/a/helm", "4.2.0"), at("/b/helm", "4.3.0")], "/a/helm"],
    ["one without a version will not do", ranged, [at("/a/helm")], undefined],
    ["a server part must match exactly", exact, [at("/a/etcd", "3.7.4")], undefined],
    ["and then it will do", exact, [at("/a/etcd", "3.7.3")], "/a/etcd"],
    ["a pre-release of the exact version will not", exact, [at("/a/etcd", "3.7.3-rc.1")], undefined],
    ["a vendor's build within the range will do", ranged, [at("/a/helm", "4.2.0-gke.1")], "/a/helm"],
    ["without its companion it will not do", paired, [at("/a/pulumi", "3.260.0")], undefined],
    ["with it, it will", paired, [at("/a/pulumi", "3.260.0", "/a/pulumi-language-nodejs")], "/a/pulumi"],
    [
      "our own program is never taken from PATH",
      tool("wirecloak-agent"),
      [at("/a/wirecloak-agent", "1.2.3")],
      undefined,
    ],
  ])("%s", (_rule, wanted, candidates, path) => {
    const choice = chooseOnPath(wanted, candidates);
    expect("path" in choice ? choice.path : undefined).toBe(path);
  });

  test.each([
    ["none there", ranged, [], "not on PATH"],
    ["outside the range", ranged, [at("/a/helm", "3.18.0")], "helm 3.18.0 on PATH is not in >=4.1.4 <5.0.0"],
    ["not the exact one", exact, [at("/a/etcd", "3.6.0")], "etcd 3.6.0 on PATH is not exactly 3.7.3"],
    ["no version", exact, [at("/a/etcd")], "/a/etcd does not tell its version"],
    [
      "no companion",
      paired,
      [at("/a/pulumi", "3.260.0")],
      "pulumi 3.260.0 on PATH has no pulumi-language-nodejs beside it",
    ],
  ])("the reason against is told: %s", (_case, wanted, candidates, why) => {
    expect(chooseOnPath(wanted, candidates).why).toBe(why);
  });
});

describe("looking on PATH", () => {
  const folder = scratchFolder();
  const cache = join(folder, "cache");
  const helm = tool("helm", { onPath: { versionArgs: ["version", "--short"], range: ">=4.1.4 <5.0.0" } });
  const look = async (path: string) =>
    (await lookOnPath([helm], { env: { PATH: `${path}:/usr/bin:/bin` }, cache })).get("helm");

  test("relative folders and files that cannot be run do not count", () => {
    writeFileSync(join(folder, "helm"), "no program");
    expect(findOnPath("helm", `.:bin:${folder}`)).toEqual([]);
  });

  test("the version is asked for with the tool's own arguments", async () => {
    const path = program(join(folder, "asked/helm"), '[ "$*" = "version --short" ] && echo v4.2.0');
    await expect(look(join(folder, "asked"))).resolves.toMatchObject({ path, version: "4.2.0" });
  });

  test("what our own cache holds is no tool of the user's", async () => {
    program(join(cache, "bin/x/helm"), "echo v4.2.0");
    await expect(look(join(cache, "bin/x"))).resolves.toEqual({ why: "not on PATH" });
  });

  test("a program that fails is passed over", async () => {
    program(join(folder, "broken/helm"), "exit 3");
    program(join(folder, "good/helm"), "echo v4.3.0");
    await expect(look(`${join(folder, "broken")}:${join(folder, "good")}`)).resolves.toMatchObject({
      version: "4.3.0",
    });
  });

  // Big enough to count as a binary: scripts may be a version manager's, and answer differently tomorrow.
  const padded = (count: string, version: string) =>
    `echo x >> ${count}; echo ${version}; exit\n${"#".repeat(1 << 20)}`;

  test("a binary is asked once, until it changes", async () => {
    const at = join(folder, "binary");
    const count = join(folder, "count");
    program(join(at, "helm"), padded(count, "v4.2.0"));
    await look(at);
    await expect(look(at)).resolves.toMatchObject({ version: "4.2.0" });
    expect(linesOf(count)).toBe(1);
    program(join(at, "helm"), padded(count, "v4.10.1"));
    await expect(look(at)).resolves.toMatchObject({ version: "4.10.1" });
    expect(linesOf(count)).toBe(2);
  });

  test("a script is asked each time", async () => {
    const at = join(folder, "script");
    const count = join(folder, "script-count");
    program(join(at, "helm"), `echo x >> ${count}; echo v4.2.0`);
    await look(at);
    await look(at);
    expect(linesOf(count)).toBe(2);
  });
});

function linesOf(file: string): number {
  return readFileSync(file, "utf8").trim().split("\n").length;
}
