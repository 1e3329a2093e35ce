import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../components/userError.ts";
import { type Obtained, obtain } from "../../tools/obtain.ts";
import { projectRoot } from "../../tools/paths.ts";
import type { Tool } from "../../tools/table.ts";
import { type FakeProject, fakeModules, fakeProject, program, type Site, serveSite, tool } from "./tools-fixtures.ts";

const binary = "#!/bin/sh\necho 1.2.3\n";
const sha256 = createHash("sha256").update(binary).digest("hex");
let site: Site;
beforeAll(async () => {
  site = await serveSite({ "/kind": binary });
});
afterAll(() => site.close());

const onPath = { versionArgs: ["--version"], range: ">=1.2.0 <2.0.0" };
const downloadable = (path = "/kind") => ({ url: () => site.origin + path, sha256: everywhere(sha256) });
const everywhere = (sum: string) =>
  Object.fromEntries(["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"].map((key) => [key, sum]));

function from(project: FakeProject, tools: Tool[], progress: string[] = []): Promise<Obtained> {
  const { root, cache, path } = project;
  const env = { PATH: path, HOME: root };
  return obtain(tools, { root, cache, env, modules: fakeModules, progress: (line) => progress.push(line) });
}

describe("a tool is taken from the first place that has it", () => {
  const kind = () => tool("kind", { onPath, download: downloadable() });

  test("PATH, before everything else", async () => {
    const project = fakeProject();
    const path = program(join(project.root, "bin/kind"), "echo v1.9.0");
    const { folder, resolved } = await from(project, [kind()]);
    expect(resolved).toEqual([
      { name: "kind", version: "1.9.0", how: "PATH", why: "on PATH, in >=1.2.0 <2.0.0", path },
    ]);
    expect(readlinkSync(join(folder, "kind"))).toBe(path);
    expect(project.builds()).toEqual([]);
  });

  test("then the official download", async () => {
    const project = fakeProject();
    const { resolved } = await from(project, [kind()]);
    const why = "not on PATH; official download, checksum as in tools/table.ts";
    expect(resolved).toMatchObject([{ name: "kind", version: "1.2.3", how: "download", why }]);
    expect(readFileSync(resolved[0]?.path ?? "", "utf8")).toBe(binary);
    expect(project.builds()).toEqual([]);
  });

  test("then a Go build, and the reasons against the others are told", async () => {
    const project = fakeProject();
    const { resolved } = await from(project, [tool("kind", { onPath, download: downloadable("/missing") })]);
    const why = `not on PATH; ${site.origin}/missing answered 404; built from Go modules`;
    expect(resolved).toMatchObject([{ how: "built", version: "1.2.3", why }]);
    expect(spawnSync(resolved[0]?.path ?? "", { encoding: "utf8" }).stdout).toBe("1.2.3\n");
  });

  test("a tampered download is not used: the tool is built instead, and that is told", async () => {
    const project = fakeProject();
    const download = { ...downloadable(), sha256: everywhere("0".repeat(64)) };
    const { resolved } = await from(project, [tool("kind", { download })]);
    expect(resolved).toMatchObject([{ how: "built", why: expect.stringContaining("was refused: its SHA-256 is") }]);
  });

  test("a good one that appears on PATH later replaces a made one", async () => {
    const project = fakeProject();
    await from(project, [tool("kind", { onPath })]);
    program(join(project.root, "bin/kind"), "echo v1.9.0");
    const { resolved } = await from(project, [tool("kind", { onPath })]);
    expect(resolved).toMatchObject([{ how: "PATH", version: "1.9.0" }]);
  });
});

describe("what was made once", () => {
  test("is found again without a program started or a host asked", async () => {
    const project = fakeProject();
    const wanted = [tool("kind", { download: downloadable() }), tool("etcd")];
    const first = await from(project, wanted);
    const asked = site.asked.length;
    const told: string[] = [];
    expect(await from(project, wanted, told)).toEqual(first);
    expect([project.builds().length, site.asked.length, told]).toEqual([1, asked, []]);
  });

  test("is made anew when its module changes, and the old one stays for other checkouts", async () => {
    const project = fakeProject();
    const before = await from(project, [tool("etcd")]);
    writeFileSync(join(project.root, "fake/go.sum"), "changed\n");
    const after = await from(project, [tool("etcd")]);
    expect(after.folder).not.toBe(before.folder);
    expect(existsSync(before.resolved[0]?.path ?? "")).toBe(true);
  });

  test("is made anew when someone removed the program", async () => {
    const project = fakeProject();
    const { resolved } = await from(project, [tool("etcd")]);
    rmSync(resolved[0]?.path ?? "");
    await from(project, [tool("etcd")]);
    expect(existsSync(resolved[0]?.path ?? "")).toBe(true);
  });
});

describe("a build", () => {
  test("makes all programs of one module in one go, exact and stripped", async () => {
    const project = fakeProject();
    const told: string[] = [];
    await from(project, [tool("etcd"), tool("kwok")], told);
    expect(project.builds()).toHaveLength(1);
    expect(project.builds()[0]).toMatch(
      /^build -v -trimpath -buildvcs=false -mod=readonly -ldflags=-s -w -X example.test\/version=1.2.3 -o \S+\/ example.test\/etcd example.test\/kwok$/,
    );
    expect(told[0]).toBe("tools: etcd, kwok: building with go1.26.8 (made from this checkout's sources)");
    expect(told.at(-1)).toMatch(/^tools: etcd, kwok: built in \d+ s$/);
  });

  test("uses the user's network settings and none of the others", async () => {
    const project = fakeProject();
    await from(project, [tool("etcd")]);
    expect(project.environment()).toMatchObject({ GOPROXY: "https://proxy.example.test", GOENV: "off", GOWORK: "off" });
    expect(project.environment()).not.toHaveProperty("GOFLAGS");
  });

  test("puts a companion beside its tool, with its own version", async () => {
    const project = fakeProject();
    const { build } = tool("host");
    const { resolved } = await from(project, [
      tool("engine", { companion: { name: "host", version: "0.9.0", build } }),
    ]);
    expect(resolved.map(({ name, version }) => `${name} ${version}`)).toEqual(["engine 1.2.3", "host 0.9.0"]);
    expect(new Set(resolved.map(({ path }) => join(path, ".."))).size).toBe(1);
  });

  test("is always run with the arguments that the table has for it, through a link too", async () => {
    const project = fakeProject();
    const { build } = tool("host");
    const { resolved } = await from(project, [tool("host", { build: { ...build, alwaysWith: ["-a=false"] } })]);
    const path = resolved[0]?.path ?? "";
    // In the place of what the fake Go built, which does not look at its arguments.
    writeFileSync(`${path}.program`, '#!/bin/sh\necho "$@"\n');
    const link = join(project.root, "link");
    symlinkSync(path, link);
    for (const each of [path, link])
      expect(spawnSync(each, ["b c", "d"], { encoding: "utf8" }).stdout).toBe("-a=false b c d\n");
    const other = await from(project, [tool("host")]);
    expect(other.resolved[0]?.path).not.toBe(path);
  });
});

describe("what cannot be had is one error that says of each tool why, and what to do", () => {
  const messageOf = async (project: FakeProject, tools: Tool[]) => {
    const error = await from(project, tools).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  };

  test("no Go", async () => {
    const project = fakeProject();
    rmSync(join(project.root, "bin/go"));
    const kind = tool("kind", { onPath, download: downloadable("/missing") });
    const path = join(project.root, "bin");
    expect(await messageOf({ ...project, path }, [kind, tool("wirecloak-agent")])).toBe(
      `kind
    This tool cannot be had here: not on PATH; ${site.origin}/missing answered 404; there is no Go on PATH to build it with.
    fix:     install Go 1.26.0 or newer (https://go.dev/dl); or put kind >=1.2.0 <2.0.0 on PATH; then: make tools

wirecloak-agent
    This tool cannot be had here: made from this checkout's sources; there is no Go on PATH to build it with.
    fix:     install Go 1.26.0 or newer (https://go.dev/dl); then: make tools`,
    );
  });

  test("a Go that is too old", async () => {
    expect(await messageOf(fakeProject({ goVersion: "go1.25.3" }), [tool("etcd", { onPath })])).toContain(
      "building it needs Go 1.26.0 or newer: this is go1.25.3.\n    fix:     install Go 1.26.0 or newer (https://go.dev/dl), or let this one fetch it: go env -w GOTOOLCHAIN=auto; or put etcd",
    );
  });

  test("a build that fails, with the end of what Go said", async () => {
    const project = fakeProject();
    program(
      join(project.root, "bin/go"),
      `[ "$1" = env ] && { [ "$2" = -json ] && echo '{}' || echo go1.26.8; exit; }
echo 'go: downloading example.test/etcd v1.2.3' >&2; echo 'example.test/etcd' >&2; echo 'dial tcp: no route to host' >&2; exit 1`,
    );
    expect(await messageOf(project, [tool("etcd")])).toContain("go build failed: dial tcp: no route to host.");
  });

  test("the tools that could be had are kept for the next run", async () => {
    const project = fakeProject();
    rmSync(join(project.root, "bin/go"));
    const alone = { ...project, path: join(project.root, "bin") };
    const kind = tool("kind", { download: downloadable() });
    await messageOf(alone, [kind, tool("etcd")]);
    await expect(from(alone, [kind])).resolves.toMatchObject({ resolved: [{ how: "download" }] });
  });
});

describe("with real processes", () => {
  /** Starts `obtain` of etcd in a process of its own; what it prints is the path it got. */
  function start({ root, cache, path }: FakeProject): { child: ChildProcess; said: () => string; path: () => string } {
    const script = `
      const { obtain } = await import(${JSON.stringify(join(projectRoot, "tools/obtain.ts"))});
      const options = ${JSON.stringify({ root, cache, modules: fakeModules, env: { PATH: path } })};
      const { resolved } = await obtain(${JSON.stringify([tool("etcd")])}, { ...options, progress: (line) => console.error(line) });
      console.log(resolved[0].path);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    let out = "";
    child.stderr.on("data", (text: Buffer) => {
      said += text.toString();
    });
    child.stdout.on("data", (text: Buffer) => {
      out += text.toString();
    });
    return { child, said: () => said, path: () => out.trim() };
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await sleep(20);
  }

  /** A project whose fake Go stops in the middle of a build, with half a program written, until it is let go. */
  function held(): { project: FakeProject; building: () => boolean; letGo: () => void } {
    const project = fakeProject();
    writeFileSync(join(project.control, "hold"), "");
    return {
      project,
      building: () => existsSync(join(project.control, "holding")),
      letGo: () => rmSync(join(project.control, "hold")),
    };
  }

  test("two runs at once: one builds, the other says that it waits, both get the same", async () => {
    const { project, building, letGo } = held();
    const first = start(project);
    await until(building);
    const second = start(project);
    await until(() => second.said().includes("waiting"));
    expect(second.said()).toContain(`tools: process ${first.child.pid} is getting tools too; waiting for it`);
    letGo();
    await Promise.all([once(first.child, "close"), once(second.child, "close")]);
    expect(project.builds()).toHaveLength(1);
    expect(second.path()).toBe(first.path());
    expect(spawnSync(first.path(), { encoding: "utf8" }).stdout).toBe("1.2.3\n");
  });

  test("kill -9 in the middle of a build leaves no half tool and no lock: the next run makes it whole", async () => {
    const { project, building, letGo } = held();
    const killed = start(project);
    await until(building);
    killed.child.kill("SIGKILL");
    await once(killed.child, "close");
    expect(existsSync(join(project.cache, "tools"))).toBe(false);
    letGo();
    const { resolved } = await from(project, [tool("etcd")]);
    expect(spawnSync(resolved[0]?.path ?? "", { encoding: "utf8" }).stdout).toBe("1.2.3\n");
    expect(project.builds()).toHaveLength(2);
    expect(existsSync(join(project.cache, "tmp"))).toBe(false);
  });

  test("a run that waits takes over from one that is killed", async () => {
    const { project, building, letGo } = held();
    const killed = start(project);
    await until(building);
    const waiting = start(project);
    await until(() => waiting.said().includes("waiting"));
    killed.child.kill("SIGKILL");
    letGo();
    await once(waiting.child, "close");
    expect(spawnSync(waiting.path(), { encoding: "utf8" }).stdout).toBe("1.2.3\n");
  });

  test("a run that is told to end ends its build too", async () => {
    const { project, building } = held();
    const ended = start(project);
    await until(building);
    const go = Number(readFileSync(join(project.control, "holding"), "utf8"));
    ended.child.kill("SIGTERM");
    const [, signal] = (await once(ended.child, "close")) as [number | null, string];
    expect(signal).toBe("SIGTERM");
    await until(() => spawnSync("kill", ["-0", String(go)]).status !== 0);
  });

  test("what a dead run left half made is swept", async () => {
    const project = fakeProject();
    mkdirSync(join(project.cache, "tmp/dead"), { recursive: true });
    await from(project, [tool("etcd")]);
    expect(readdirSync(project.cache).sort()).toEqual(["bin", "tools", "tools.lock"]);
  });
});

describe("`node tools/main.ts`", () => {
  const main = (...args: string[]) =>
    spawnSync(process.execPath, [join(projectRoot, "tools/main.ts"), ...args], { encoding: "utf8" });

  test("explains itself", () => {
    expect(main("--help")).toMatchObject({ status: 0, stdout: expect.stringContaining("--for <what>") });
  });
  test("ends with 2 for something nobody needs tools for, naming what there is", () => {
    const { status, stderr } = main("--for", "nothing");
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining("Allowed choices are kind, existing, rehearsal, eks, all"),
    ]);
  });
});
