import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../../tools/paths.ts";
import { describeUnless } from "../skip.ts";
import { EngineStack, healthyVerdict, withoutEngine } from "./engineStack.ts";

jest.setTimeout(300_000);

const COMPONENT = "wirecloak:cluster:EncryptedCluster";

// What `wirecloak example library` does not show: the program is elsewhere, and Pulumi removes what it made.
describeUnless(withoutEngine, "another program with an EncryptedCluster, outside of this checkout", () => {
  const program = mkdtempSync(join(tmpdir(), "wcp-"));
  let stack: EngineStack;
  beforeAll(() => {
    cpSync(join(projectRoot, "examples/library"), program, {
      recursive: true,
      filter: (path) => !path.includes("node_modules", projectRoot.length),
    });
    // As npm does for "wirecloak": "file:...".
    mkdirSync(join(program, "node_modules"));
    symlinkSync(projectRoot, join(program, "node_modules/wirecloak"));
    symlinkSync(join(projectRoot, "node_modules/@pulumi"), join(program, "node_modules/@pulumi"));
    stack = new EngineStack({}, program);
  });
  afterAll(() => {
    stack.close();
    rmSync(program, { recursive: true });
  });

  /** Its config; the chart is named from the program's own folder. */
  function configure(cluster: object = {}): void {
    stack.writeConfig({
      "library:cluster": { provider: "rehearsal", name: "t", ...cluster },
      "library:cilium": { chart: "./node_modules/wirecloak/rehearsal/packages" },
    });
  }

  const made = () => stack.resources().filter(({ type }) => type !== "pulumi:pulumi:Stack");

  test("is told of all mistakes in one error, in its own words, before there is any resource", () => {
    configure({ podCidr: "10.244.0.0/33", workers: -1 });
    const { code, output } = stack.up();
    expect(code).not.toBe(0);
    expect(output).toMatch(/EncryptedCluster ex-lib:\s+cluster\.workers = -1/);
    expect(output).toContain("set cluster.podCidr to 10.244.0.0/16");
    expect(output).not.toMatch(/pulumi config set|\n\s+at .*\.ts:\d+/);
    expect(made()).toEqual([]);
  });

  test("gets a proven cluster, and only then its workload", () => {
    configure();
    const { code, output } = stack.up();
    expect({ code, output: code === 0 ? "" : output }).toEqual({ code: 0, output: "" });
    expect(stack.outputs()).toMatchObject({ verdict: healthyVerdict, replicas: 2 });
    // The state is in the order in which resources came to be.
    const order = made().map(({ urn }) => urn.split("::").at(-1));
    expect(order.indexOf("web")).toBeGreaterThan(order.indexOf("ex-lib-proof-read-back"));
    // Default providers of other kinds are the engine's.
    const outside = made().filter(({ type, urn }) => !urn.includes(COMPONENT) && !type.startsWith("pulumi:"));
    expect(outside.map(({ urn }) => urn.split("::").at(-1))).toEqual(["web"]);
    expect(JSON.stringify(made())).not.toContain("client-key-data");
  });

  test("changes nothing when it is run again", () => {
    const { output } = stack.up();
    expect(output).toMatch(/(\d+) unchanged/);
    expect(output).not.toMatch(/\d+ (created|updated|replaced|deleted)/);
  });

  test("is refused what would break the live cluster, before anything changes", () => {
    const state = () => made().map(({ urn, outputs }) => [urn, Object.keys(outputs ?? {})]);
    const before = state();
    stack.writeConfig({
      "library:cluster": { provider: "rehearsal", name: "t" },
      "library:cilium": { chart: "./node_modules/wirecloak/rehearsal/packages", tunnel: "geneve" },
    });
    const { code, output } = stack.up();
    expect(code).not.toBe(0);
    expect(output).toMatch(/cilium\.tunnel = "geneve"\s+The live cluster runs with vxlan/);
    expect(state()).toEqual(before);
  });

  test("leaves nothing when it is destroyed", () => {
    configure();
    const { code, output } = stack.pulumi("destroy", "--yes", "--skip-preview", "--non-interactive");
    expect({ code, output: code === 0 ? "" : output }).toEqual({ code: 0, output: "" });
    expect(made()).toEqual([]);
    expect(readdirSync(join(stack.stateDir, "clusters"))).not.toContain("t");
  });
});
