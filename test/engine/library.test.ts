import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { clusterNameOf, readExample } from "../../cli/example/exampleFile.ts";
import { ExampleStack } from "../../cli/example/exampleStack.ts";
import { processesIn } from "../../rehearsal/processes.ts";
import { projectRoot } from "../../tools/paths.ts";
import { describeUnless } from "../skip.ts";
import { EngineStack, healthyVerdict, type StateResource, withoutEngine } from "./engineStack.ts";

jest.setTimeout(300_000);

const COMPONENT = "wirecloak:cluster:EncryptedCluster";

/** The resources in a state, in the order in which they came to be, without the stack's own. */
const made = (resources: StateResource[]) => resources.filter(({ type }) => type !== "pulumi:pulumi:Stack");

// `wirecloak example library` makes the cluster, and keeps it; what it does not show goes on from there, from a copy of its program that is elsewhere.
describeUnless(withoutEngine, "another program with an EncryptedCluster", () => {
  const home = mkdtempSync(join(tmpdir(), "wcx-"));
  // A program runs in its real folder, and means its paths from there.
  const elsewhere = realpathSync(mkdtempSync(join(tmpdir(), "wcp-")));
  const state = join(home, "s");
  const name = clusterNameOf(readExample("library"));
  const stack = new ExampleStack(join(`${state}-examples`, name), elsewhere, process.env);
  beforeAll(() => {
    cpSync(join(projectRoot, "examples/library"), elsewhere, {
      recursive: true,
      filter: (path) => !path.includes("node_modules", projectRoot.length),
    });
    // As npm does for "wirecloak": "file:...".
    mkdirSync(join(elsewhere, "node_modules"));
    symlinkSync(projectRoot, join(elsewhere, "node_modules/wirecloak"));
    symlinkSync(join(projectRoot, "node_modules/@pulumi"), join(elsewhere, "node_modules/@pulumi"));
  });
  afterAll(() => {
    stack.remove();
    for (const folder of [home, elsewhere]) rmSync(folder, { recursive: true, force: true });
  });

  function example(...flags: string[]) {
    // No backend of the user's: an example brings its own.
    const { PULUMI_BACKEND_URL: _, PULUMI_ACCESS_TOKEN: __, ...environment } = process.env;
    return spawnSync(join(projectRoot, "bin/wirecloak"), ["example", "library", "--provider", "rehearsal", ...flags], {
      env: { ...environment, WIRECLOAK_STATE_DIR: state, PULUMI_HOME: join(home, "nobody-logged-in") },
      encoding: "utf8",
      timeout: 240_000,
    });
  }

  function resources(): StateResource[] {
    const file = join(stack.home, "backend/.pulumi/stacks/library/example.json");
    return made(JSON.parse(readFileSync(file, "utf8")).checkpoint.latest.resources ?? []);
  }

  /** The example's config; the chart is named from the program's own folder, which is elsewhere. */
  const config = (cilium: object = {}) => ({
    "library:cluster": { provider: "rehearsal", name },
    "library:cilium": { chart: relative(elsewhere, join(projectRoot, "rehearsal/packages")), ...cilium },
  });

  test("is told of all mistakes in one error, in its own words, before there is any resource", () => {
    const empty = new EngineStack({}, elsewhere);
    empty.writeConfig({
      ...config(),
      "library:cluster": { provider: "rehearsal", name, podCidr: "10.244.0.0/33", workers: -1 },
    });
    const { code, output } = empty.up();
    const resources = made(empty.resources());
    empty.close();
    expect(code).not.toBe(0);
    expect(output).toMatch(/EncryptedCluster ex-lib:\s+cluster\.workers = -1/);
    expect(output).toContain("set cluster.podCidr to 10.244.0.0/16");
    expect(output).not.toMatch(/pulumi config set|\n\s+at .*\.ts:\d+/);
    expect(resources).toEqual([]);
  });

  test("gets a proven cluster, and only then its workload: the example, kept", () => {
    const { status, stdout, stderr } = example("--keep");
    const told = `${stdout}${stderr}`;
    // Without a wire nothing is proven, and the example goes no further.
    const proven = healthyVerdict === "proven";
    expect(told).toMatch(proven ? /as expected: \d+ steps/ : /verdict: "not proven", expected "proven"/);
    expect(stdout.includes("✗")).toBe(!proven);
    expect(status).toBe(proven ? 0 : 1);
    expect(told).toContain(`kept under ${stack.home}`);
    expect(stack.outputs()).toMatchObject({ verdict: healthyVerdict, replicas: 2 });
    const order = resources().map(({ urn }) => urn.split("::").at(-1));
    expect(order.indexOf("web")).toBeGreaterThan(order.indexOf("ex-lib-proof-read-back"));
    // Default providers of other kinds are the engine's.
    const outside = resources().filter(({ type, urn }) => !urn.includes(COMPONENT) && !type.startsWith("pulumi:"));
    expect(outside.map(({ urn }) => urn.split("::").at(-1))).toEqual(["web"]);
    expect(JSON.stringify(resources())).not.toContain("client-key-data");
  });

  test("changes nothing when it is run again, outside of this checkout, but how its arguments name the chart", async () => {
    const { code, output } = await stack.up(config());
    expect({ code, output: code === 0 ? "" : output }).toEqual({ code: 0, output: "" });
    // The component keeps its arguments as they are given; the release has the chart where it was.
    expect(output).toMatch(/wirecloak:cluster:EncryptedCluster ex-lib updat\w+ .*\[diff: ~cilium\]/);
    expect(output).toMatch(/Resources:\n\s+~ 1 updated\n\s+\d+ unchanged\n/);
  });

  test("is refused what would break the live cluster, before anything changes", async () => {
    const state = () => resources().map(({ urn, outputs }) => [urn, Object.keys(outputs ?? {})]);
    const before = state();
    const { code, output } = await stack.up(config({ ipam: "cluster-pool" }));
    expect(code).not.toBe(0);
    expect(output).toMatch(/cilium\.ipam = "cluster-pool"\s+The live cluster hands out addresses by kubernetes/);
    expect(state()).toEqual(before);
  });

  test("leaves nothing when it is destroyed, and the example no file when it is removed", () => {
    const how = ["--yes", "--skip-preview", "--non-interactive"];
    const which = ["--stack", "example", "--config-file", join(stack.home, "Pulumi.example.yaml")];
    const { status, stdout, stderr } = spawnSync("pulumi", ["destroy", ...how, ...which], {
      cwd: elsewhere,
      env: stack.env,
      encoding: "utf8",
    });
    expect({ status, output: status === 0 ? "" : `${stdout}${stderr}` }).toEqual({ status: 0, output: "" });
    expect(resources()).toEqual([]);
    expect(readdirSync(join(stack.home, "clusters"))).not.toContain(name);
    expect(example("--remove").status).toBe(0);
    expect(readdirSync(`${state}-examples`)).toEqual([]);
    expect(processesIn(`${state}-examples`)).toEqual([]);
  });
});
