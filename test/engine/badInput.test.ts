import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../tools/paths.ts";
import { describeUnless } from "../skip.ts";
import { EngineStack, withoutEngine } from "./engineStack.ts";

jest.setTimeout(60_000);

describeUnless(withoutEngine, "bad input ends a preview and an update with one clear error", () => {
  let stack: EngineStack;
  beforeAll(() => {
    stack = new EngineStack();
  });
  afterAll(() => stack.close());

  /** The output of an update that is refused. Nothing was made: no resource, no cluster, and no stack trace was shown. */
  function refused(): string {
    const { code, output } = stack.up();
    expect(code).not.toBe(0);
    expect(output).not.toMatch(/\n\s+at .*\.ts:\d+/);
    expect(stack.resources().filter(({ type }) => type !== "pulumi:pulumi:Stack")).toEqual([]);
    expect(existsSync(join(stack.stateDir, "clusters/t"))).toBe(false);
    return output;
  }

  test("several mistakes are all told at once, each with key, value and the command that mends it", () => {
    stack.configure(
      { "wirecloak:encryption": "WireGuard", "wirecloak:ipsec": { keyId: 16, nodeEncryption: true } },
      { workerz: 3 },
      { version: 1.2 },
    );
    const output = refused();
    for (const told of ["WireGuard", "keyId", "nodeEncryption", "workerz", "cilium.version"])
      expect(output).toContain(told);
    expect(output).toContain("pulumi config set");
  });

  test("a preview is refused alike", () => {
    stack.configure({ "wirecloak:encryption": "ipesc" });
    const { code, output } = stack.pulumi("preview", "--non-interactive");
    expect(code).not.toBe(0);
    expect(output).toContain("ipesc");
  });

  test("a chart version that does not exist is told with those that do", () => {
    stack.configure({}, {}, { version: "1.20.99" });
    const output = refused();
    expect(output).toContain("has no Cilium 1.20.99");
    expect(output).toContain("1.20.2");
  });

  test("a kubeconfig that does not answer is told with the cause", () => {
    const kubeconfig = join(stack.home, "dead-kubeconfig");
    const dead = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "dead", cluster: { server: "https://127.0.0.1:1" } }],
      contexts: [{ name: "dead", context: { cluster: "dead", user: "dead" } }],
      users: [{ name: "dead", user: { token: "none" } }],
      "current-context": "dead",
    };
    writeFileSync(kubeconfig, JSON.stringify(dead));
    stack.configure({ "wirecloak:cluster": { provider: "existing", name: "t", kubeconfig } });
    const output = refused();
    expect(output).toContain("127.0.0.1:1");
    expect(output).toMatch(/refused/);
  });

  test("kind where no Docker answers is refused with the reason", () => {
    stack.configure({ "wirecloak:cluster": { provider: "kind", name: "t" } });
    stack.env.DOCKER_HOST = `unix://${stack.home}/no-docker.sock`;
    expect(refused()).toMatch(/docker/i);
  });

  test("a chart that is not Cilium's is refused", () => {
    stack.configure({}, {}, { chart: join(projectRoot, "test/conformance/chart") });
    expect(refused()).toContain("cilium");
  });
});
