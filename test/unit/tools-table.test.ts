import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import semver from "semver";
import { projectRoot } from "../../tools/paths.ts";
import { platformOf } from "../../tools/platform.ts";
import { plugins } from "../../tools/plugins.ts";
import { goModules, type Tool, tools, toolsFor } from "../../tools/table.ts";

const platforms = ["linux", "darwin"].flatMap((os) => ["amd64", "arm64"].map((arch) => ({ os, arch })));
const goMod = (tool: { build: Tool["build"] }) =>
  readFileSync(join(projectRoot, goModules[tool.build.module].folder, "go.mod"), "utf8");
const named = (list: readonly Tool[]): [string, Tool][] => list.map((tool) => [tool.name, tool]);

describe("every tool", () => {
  test.each(named(tools))("%s has a Go build whose module and checksums are committed", (_name, tool) => {
    const folder = join(projectRoot, goModules[tool.build.module].folder);
    expect(["go.mod", "go.sum"].filter((file) => !existsSync(join(folder, file)))).toEqual([]);
  });

  const external = named(tools.filter(({ version }) => version !== "sources"));
  test.each(external)("%s is built in the version that the table names", (_name, tool) => {
    // The module is the longest prefix of the package's path that go.mod requires.
    const required = [...goMod(tool).matchAll(/^\s*(?:require )?(\S+) v(\d\S*)/gm)].map(([, path, version]) => ({
      path,
      version,
    }));
    const module = required
      .filter(({ path }) => tool.build.package === path || tool.build.package.startsWith(`${path}/`))
      .sort((a, b) => (b.path?.length ?? 0) - (a.path?.length ?? 0))[0];
    expect(module?.version).toBe(tool.version);
  });

  test.each(external)("%s is a tool of its go.mod, so that go mod tidy keeps it", (_name, tool) => {
    expect(goMod(tool)).toMatch(new RegExp(`^(tool|\\t) ?${tool.build.package.replaceAll(".", "\\.")}$`, "m"));
  });

  test.each(external)("%s accepts on PATH the version it would get otherwise", (_name, { onPath, version }) => {
    expect(semver.satisfies(version, onPath?.range ?? "")).toBe(true);
  });

  test.each(named(tools.filter(({ download }) => download)))(
    "%s is downloaded over https, with a checksum on Linux",
    (_name, { download }) => {
      for (const platform of platforms) expect(download?.url(platform)).toMatch(/^https:\/\/\S+$/);
      const linux = { os: "linux", arch: "amd64" };
      expect(download?.sha256?.["linux-amd64"] ?? download?.publishedSums?.(linux)).toMatch(
        /^[0-9a-f]{64}$|^https:\/\/\S+$/,
      );
    },
  );
});

test("the language host is built in the version that the table names", () => {
  const companion = tools.find(({ name }) => name === "pulumi")?.companion;
  expect(companion && goMod(companion)).toContain(`github.com/pulumi/pulumi/sdk/v3 v${companion?.version}`);
});

describe("only what a run needs is obtained", () => {
  test.each([
    ["kind", ["pulumi", "kubectl", "helm", "kind"]],
    ["existing", ["pulumi", "kubectl", "helm"]],
    ["eks", ["pulumi", "kubectl", "helm"]],
  ] as const)("%s", (purpose, names) => {
    expect(toolsFor(purpose).map(({ name }) => name)).toEqual(names);
  });
  test("the rehearsal's server parts match exactly", () => {
    const parts = toolsFor("rehearsal").filter(({ purposes }) => purposes.length === 1);
    expect(parts.map(({ onPath, version }) => onPath?.range ?? version)).toEqual(parts.map(({ version }) => version));
    expect(parts.map(({ name }) => name)).toContain("kube-apiserver");
  });
});

test("the plugins are those of the SDKs in package.json", () => {
  const { dependencies } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));
  expect(plugins.map(({ name, version }) => [`@pulumi/${name}`, version])).toEqual(
    plugins.map(({ name }) => [`@pulumi/${name}`, dependencies[`@pulumi/${name}`]]),
  );
});

test.each([
  ["x64", "amd64"],
  ["arm64", "arm64"],
])("Node's processor name %s is Go's %s", (node, go) => {
  expect(platformOf("linux", node)).toEqual({ os: "linux", arch: go });
});
