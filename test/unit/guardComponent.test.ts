import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { createCluster } from "../../components/cluster/cluster.ts";
import { Guard } from "../../components/encryption/guard/guard.ts";
import { settingsOf } from "./components/config.ts";
import { outputValue, startMocks } from "./outputs.ts";

const COMMAND = "command:local:Command";
const report = {
  incarnation: "incarnation-1",
  server: { host: "h", port: 6443 },
  kubeconfigPath: "/state/kubeconfig",
  kubeconfig: "the kubeconfig",
};
const mocks = { [COMMAND]: () => ({ stdout: JSON.stringify(report) }) };

class Step extends pulumi.ComponentResource {
  constructor(name: string) {
    super("test:Step", name);
    this.registerOutputs({});
  }
}

/** The guard's part of index.ts. */
async function steps(config: Record<string, unknown> = {}, place = true, repair = "") {
  const recorded = await startMocks(mocks);
  const settings = settingsOf({ cluster: { provider: "kind", name: "dev" }, ...config });
  const made = await createCluster("dev", settings, recorded.recording);
  const { guardPlace, ...rest } = made;
  const cluster = { ...rest, ...(place && guardPlace && { guardPlace }) };
  const guard = new Guard("guard", { settings, cluster, repair }, recorded.recording);
  guard.released(new Step("cilium"));
  guard.proven(new Step("proof"));
  await outputValue(cluster.incarnation);
  await pulumi.runtime.disconnect();
  const commands = recorded.resources.filter(({ name }) => name.startsWith("guard-"));
  const waitsFor = async (name: string) => {
    const { dependsOn = [] } = recorded.options.get(name) as { dependsOn?: pulumi.Resource[] };
    return (await Promise.all(dependsOn.map((resource) => outputValue(resource.urn)))).map((urn) =>
      urn.split("::").at(-1),
    );
  };
  return { ...recorded, guard, commands, names: commands.map(({ name }) => name), waitsFor };
}

describe("Guard", () => {
  const [WIDEN, NARROW] = ["guard-kind-dev-widen", "guard-kind-dev-narrow"];

  test("opens for both modes before Cilium, and for one after the proof", async () => {
    const { guard, names, waitsFor } = await steps();
    expect(names).toEqual([WIDEN, NARROW]);
    expect(guard.widened).toHaveLength(1);
    expect(guard.opened).toEqual([]);
    expect(await waitsFor(NARROW)).toEqual(["proof"]);
  });

  test("lets allowed plaintext pass after the release and before its proof", async () => {
    const { guard, waitsFor } = await steps({
      encryption: "none",
      allowPlaintext: { reason: "t", until: "2099-01-01" },
    });
    expect(guard.opened).toHaveLength(1);
    expect(await waitsFor(NARROW)).toEqual(["cilium"]);
  });

  test("is updated in place, never replaced, and not tied to the cluster's life", async () => {
    const { commands, options } = await steps();
    for (const { name, inputs } of commands) {
      expect(inputs.triggers).toBeUndefined();
      expect(options.get(name)).not.toHaveProperty("deletedWith");
      expect(options.get(name)).not.toHaveProperty("replaceWith");
    }
  });

  test("is taken away once, by the step that is deleted last", async () => {
    const { commands } = await steps();
    expect(commands.map(({ inputs }) => inputs.delete)).toEqual(['node "$PROGRAM" remove', undefined]);
  });

  test("on kind is set from a container in the host's network that takes nft's input, and asks Docker for the nodes", async () => {
    const { commands } = await steps();
    const { place, live, ...order } = JSON.parse(String(commands[0]?.inputs.stdin));
    expect(order).toEqual({
      table: "wirecloak-dev",
      generation: "incarnation-1",
      forms: ["wireguard"],
      pods: ["10.244.0.0/16"],
    });
    expect(place.nft.join(" ")).toMatch(
      /^docker run --rm --interactive --privileged --network host --entrypoint nft kindest\/node:\S+$/,
    );
    expect(live.join(" ")).toMatch(
      /^node \S+prover\/main.ts live --kubeconfig \S+dev\/kubeconfig --namespace kube-system$/,
    );
    expect(place.network.slice(0, 5)).toEqual(["docker", "network", "inspect", "wirecloak-dev", "--format"]);
    expect(place.ofCluster).toBe(false);
  });

  test("is set again for a repair, and says nothing of one where there is none", async () => {
    const order = async (repair: string) => {
      const { commands } = await steps({}, true, repair);
      return JSON.parse(String(commands[0]?.inputs.stdin));
    };
    expect(await order("")).not.toHaveProperty("repair");
    expect(await order("r1")).toMatchObject({ repair: "r1" });
  });

  test("narrows after each widening, also where its own order is unchanged", async () => {
    const { commands } = await steps();
    expect(commands[1]?.inputs.environment).toMatchObject({ AFTER: JSON.stringify(report) });
  });

  test.each([
    ["the settings want none", { guard: false }, true],
    ["the cluster has no place for one", {}, false],
  ])("makes nothing where %s", async (_, config, place) => {
    const { names, guard } = await steps(config, place);
    expect(names).toEqual([]);
    expect([...guard.widened, ...guard.opened]).toEqual([]);
  });
});

describe("the guard's program", () => {
  const folder = mkdtempSync(join(tmpdir(), "wirecloak-guard-program-"));
  const table = join(folder, "table");
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** An nft of one table, kept in a file. */
  const nft = join(folder, "nft");
  writeFileSync(
    nft,
    `#!/bin/sh
[ ! -e "${folder}/broken" ] || { cat "${folder}/broken" >&2; exit 1; }
case "$*" in
"list ruleset bridge") printf 'table bridge others {\\n}\\n'; cat "${table}"; printf 'table bridge wirecloak-dev2 {\\n}\\n' ;;
"-f -") sed 1,2d >"${table}" ;;
esac
`,
  );
  chmodSync(nft, 0o700);
  const place = {
    nft: [nft],
    network: ["echo", '{"nodes":["172.18.0.0/16"],"controlPlanes":["172.18.0.2/16"]}'],
    ofCluster: false,
  };
  const order = { table: "wirecloak-dev", generation: "one", pods: ["10.244.0.0/16"], place };
  const program = join(__dirname, "../../components/encryption/guard/main.ts");
  /** @param printed what the resource printed before */
  const run = (step: string, forms: string[], more: object = {}, printed = "") =>
    execFileSync("node", [program, step], {
      env: { ...process.env, PULUMI_COMMAND_STDOUT: printed },
      input: JSON.stringify({ ...order, forms, ...more }),
      encoding: "utf8",
      stdio: ["pipe", "pipe", "pipe"],
    });
  const mark = () => /comment "(.*)"/.exec(readFileSync(table, "utf8"))?.[1];

  const ownerIn = (printed: string) => String(JSON.parse(printed).owner);

  test("takes a switch in two steps, and goes", () => {
    const first = run("widen", ["wireguard"]);
    const owner = ownerIn(first);
    const runs = [first, run("narrow", ["wireguard"])];
    expect(mark()).toBe(`wirecloak one ${owner} wireguard`);
    expect(readFileSync(table, "utf8")).toContain(
      "set opted_out { type ipv4_addr; flags interval; elements = { 172.18.0.2 }",
    );
    runs.push(run("widen", ["ipsec"], {}, first));
    expect(mark()).toBe(`wirecloak one ${owner} wireguard,ipsec`);
    run("narrow", ["ipsec"]);
    expect(mark()).toBe(`wirecloak one ${owner} ipsec`);
    expect(new Set(runs.map((text) => JSON.parse(text).run)).size).toBe(3);
    expect(JSON.parse(run("show", []))).toMatchObject({ generation: "one", forms: ["ipsec"], intact: true });
    run("remove", ["ipsec"], { generation: "two" }, first);
    expect(mark()).toBe(`wirecloak one ${owner} ipsec`);
    run("remove", ["ipsec"], {}, first);
    expect(readFileSync(table, "utf8")).toBe("");
    run("remove", ["ipsec"], {}, first);
    expect(run("show", [])).toBe("null\n");
  }, 60_000);

  test("leaves the guard of the resource in its place alone, when the replaced one is deleted", () => {
    const [old, made] = [run("widen", ["ipsec"]), run("widen", ["ipsec"])];
    run("remove", ["ipsec"], {}, old);
    expect(mark()).toBe(`wirecloak one ${ownerIn(made)} ipsec`);
    run("remove", ["ipsec"], {}, made);
    expect(readFileSync(table, "utf8")).toBe("");
  }, 60_000);

  test("shows what was changed by hand", () => {
    const printed = run("widen", ["ipsec"]);
    const before = JSON.parse(run("show", []));
    writeFileSync(table, readFileSync(table, "utf8").replace("@nodes goto between_nodes", "@nodes accept"));
    const after = JSON.parse(run("show", []));
    expect([before.intact, after.intact, after.digest === before.digest]).toEqual([true, false, false]);
    run("remove", ["ipsec"], {}, printed);
  }, 60_000);

  test("asks a live cluster that has no guard yet what it sends, and says what the guard drops", () => {
    const facts = join(folder, "facts");
    const first = (data: object | null, forms: string[]) => {
      writeFileSync(facts, JSON.stringify({ config: data && { data }, agents: [{ version: "1.20.2" }] }));
      const { status, stdout, stderr } = spawnSync("node", [program, "widen"], {
        input: JSON.stringify({ ...order, forms, live: ["cat", facts] }),
        encoding: "utf8",
      });
      const passes = mark()?.split(" ").at(-1);
      run("remove", [], {}, stdout);
      return { status, stderr, passes };
    };
    expect(first({ "enable-wireguard": "true" }, ["ipsec"])).toEqual({
      status: 0,
      stderr: "",
      passes: "wireguard,ipsec",
    });
    expect(first(null, ["ipsec"])).toEqual({ status: 0, stderr: "", passes: "ipsec" });
    const plain = first({ "enable-wireguard": "false" }, ["ipsec"]);
    expect(plain).toMatchObject({ status: 0, passes: "ipsec" });
    expect(plain.stderr).toContain("From now until all nodes encrypt");
    expect(() => run("widen", ["ipsec"], { live: ["false"] })).toThrow("what the cluster sends now cannot be learned");
  }, 60_000);

  test("fails with nft's words where it cannot be set, and goes without them where its place went with the cluster", () => {
    const broken = join(folder, "broken");
    writeFileSync(broken, "Operation not permitted\n");
    expect(() => run("widen", ["ipsec"])).toThrow("Operation not permitted");
    expect(() => run("remove", ["ipsec"])).toThrow("Operation not permitted");
    const ofCluster = { place: { ...place, ofCluster: true } };
    expect(() => run("widen", ["ipsec"], ofCluster)).toThrow("Operation not permitted");
    run("remove", ["ipsec"], ofCluster);
    writeFileSync(broken, "this rehearsal has no wire: not root\n");
    run("widen", ["ipsec"], ofCluster);
    rmSync(broken);
  }, 60_000);
});
