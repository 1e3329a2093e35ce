import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildEnvironment, goDirective, isAtLeast, moduleDigest } from "../../tools/goBuild.ts";
import { obtain } from "../../tools/obtain.ts";
import { describeUnless } from "../skip.ts";
import { scratchFolder, tool } from "./tools-fixtures.ts";

describe("a build is independent of the user's Go settings", () => {
  const hostile = {
    HOME: "/home/u",
    PATH: "/bin",
    HTTPS_PROXY: "http://proxy",
    GOFLAGS: "-mod=vendor",
    GOWORK: "/elsewhere/go.work",
    GOENV: "/elsewhere/env",
    GOOS: "windows",
    GOARCH: "arm64",
    GOAMD64: "v4",
    GOBIN: "/elsewhere/bin",
    GOEXPERIMENT: "synctest",
    GO111MODULE: "off",
    GOFIPS140: "latest",
    CGO_ENABLED: "1",
    CGO_CFLAGS: "-O0",
    GOPROXY: "off",
    GODEBUG: "tlsrsakex=1",
  };
  const environment = buildEnvironment(hostile, {
    GOPROXY: "https://proxy.example.test",
    GOPRIVATE: "",
    GOMODCACHE: "/m",
  });

  test("nothing of them but where Go is, where it keeps things and how it reaches the network is left", () => {
    expect(environment).toEqual({
      HOME: "/home/u",
      PATH: "/bin",
      HTTPS_PROXY: "http://proxy",
      GODEBUG: "tlsrsakex=1",
      GOPROXY: "https://proxy.example.test",
      GOMODCACHE: "/m",
      GOENV: "off",
      GOWORK: "off",
      GO111MODULE: "on",
      CGO_ENABLED: "0",
      GOGC: "400",
    });
  });

  const noGo = spawnSync("go", ["version"]).status === 0 ? undefined : "there is no Go on PATH";
  describeUnless(noGo, "with the real Go", () => {
    test("settings for another system, another module mode and a workspace change nothing", async () => {
      const root = scratchFolder();
      mkdirSync(join(root, "hello"));
      writeFileSync(join(root, "hello/go.mod"), "module example.test/hello\n\ngo 1.24.0\n");
      writeFileSync(
        join(root, "hello/main.go"),
        'package main\n\nvar version string\n\nfunc main() { println("hello", version) }\n',
      );
      writeFileSync(join(root, "env"), "GOFLAGS=-mod=vendor\nGOOS=plan9\n");
      const env = {
        ...process.env,
        ...{ GOENV: join(root, "env"), GOOS: "windows", GOARCH: "arm64", GOWORK: join(root, "go.work") },
        ...{ GOFLAGS: "-mod=vendor -tags=other", GOBIN: join(root, "bin"), CGO_ENABLED: "1", GOEXPERIMENT: "nonsense" },
      };
      const hello = tool("hello", { build: { module: "hello" as never, package: "." } });
      const modules = { hello: { folder: "hello", stamps: { "main.version": "1.2.3" } } };
      const { resolved } = await obtain([hello], {
        root,
        modules,
        env,
        cache: join(root, "cache"),
        progress: () => {},
      });
      expect(spawnSync(resolved[0]?.path ?? "", { encoding: "utf8" }).stderr).toBe("hello 1.2.3\n");
    });
  });
});

test.each([
  ["go1.26.8", "1.26.0", true],
  ["go1.26.0", "1.26.0", true],
  ["go1.27rc1", "1.26.0", true],
  ["go1.27.1 X:nodwarf5", "1.26.8", true],
  ["go1.25.9", "1.26.0", false],
  ["go1.26", "1.26.1", false],
  ["devel", "1.26.0", false],
])("%s for a module that needs %s: %s", (version, needed, enough) => {
  expect(isAtLeast(version, needed)).toBe(enough);
});

test("the version a module needs is its go line's", () => {
  expect(goDirective("module x\n\ngo 1.26.0\n\ntoolchain go1.26.8\n")).toBe("1.26.0");
});

describe("a module's digest", () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, "go.mod"), "module x\n");
  writeFileSync(join(folder, "main.go"), "package main\n");
  const before = moduleDigest(folder, {});

  test("does not change by itself", () => {
    expect(moduleDigest(folder, {})).toBe(before);
  });
  test("changes with a stamp", () => {
    expect(moduleDigest(folder, { "main.version": "2" })).not.toBe(before);
  });
  test("does not change with a test", () => {
    writeFileSync(join(folder, "main_test.go"), "package main\n");
    expect(moduleDigest(folder, {})).toBe(before);
  });
  test("changes with a source, in a folder too", () => {
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "sub/sub.go"), "package sub\n");
    const withSub = moduleDigest(folder, {});
    expect(withSub).not.toBe(before);
    writeFileSync(join(folder, "sub/sub.go"), "package sub // changed\n");
    expect(moduleDigest(folder, {})).not.toBe(withSub);
  });
});
