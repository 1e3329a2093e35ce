import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterReport } from "../../components/cluster/clusterCommand.ts";
import { kindNodeNames, kindSpec } from "../../components/cluster/kindSpec.ts";
import { kindFiles, networkOf, ownerOf } from "../../components/cluster/kindState.ts";

// The real program, with stand-ins for kind and docker on PATH (test/unit/fakeKind); what they made is files.
const PROGRAM = join(__dirname, "../../components/cluster/kindCluster.ts");
const NODE = join(__dirname, "../../node_modules/.bin/node");
const spec = kindSpec(
  { provider: "kind", name: "dev", workers: 2, podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/12", image: "image" },
  true,
);

let folder: string;
let state: string;
let docker: string;
let env: NodeJS.ProcessEnv;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wirecloak-"));
  state = join(folder, "state");
  docker = join(folder, "docker");
  for (const path of [state, docker, join(docker, "nodes"), join(docker, "networks")]) mkdirSync(path);
  env = { PATH: [join(__dirname, "fakeKind"), process.env.PATH].join(delimiter), HOME: folder, FAKE_DOCKER: docker };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(
  command: string,
  { input = spec, name = "dev", more = {} }: { input?: object; name?: string; more?: NodeJS.ProcessEnv } = {},
) {
  const args = [PROGRAM, command, "--state", state, ...(command === "sweep" ? [] : ["--name", name])];
  return spawnSync(NODE, args, { input: JSON.stringify(input), env: { ...env, ...more }, encoding: "utf8" });
}

function create(input: object = spec): ClusterReport {
  const { status, stdout, stderr } = run("create", { input });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as ClusterReport;
}

const names = (folder: string) => (existsSync(folder) ? readdirSync(folder).sort() : []);
const nodes = () => names(join(docker, "nodes/dev"));
const networks = () => names(join(docker, "networks"));
const calls = () => readFileSync(join(docker, "calls"), "utf8").split("\n");

/** A network or a node as somebody else would have made it. */
function foreignNode(network: string) {
  mkdirSync(join(docker, "nodes/dev"), { recursive: true });
  writeFileSync(join(docker, "nodes/dev/dev-control-plane"), `running\t${network}\n`);
}

describe("create", () => {
  test("makes the nodes on a network of the cluster's own, with the owner's label", () => {
    create();
    expect(nodes()).toEqual(kindNodeNames(spec).sort());
    expect(networks()).toEqual(["wirecloak-dev"]);
    expect(readFileSync(join(docker, "networks/wirecloak-dev"), "utf8").trim()).toBe(ownerOf(state));
    expect(calls().find((call) => call.startsWith("kind create"))).toContain("NETWORK=wirecloak-dev");
  });

  test("prints one line of JSON on stdout with the kubeconfig of our own, which only its owner can read", () => {
    const { stdout } = run("create");
    expect(stdout.trim().split("\n")).toHaveLength(1);
    const report = JSON.parse(stdout) as ClusterReport;
    expect(report).toMatchObject({
      server: { host: "dev-control-plane", port: 6443 },
      kubeconfig: "fake kubeconfig of dev\n",
    });
    expect(report.kubeconfigPath).toBe(kindFiles(state, "dev").kubeconfig);
    expect(statSync(report.kubeconfigPath).mode & 0o777).toBe(0o600);
  });

  test("never lets kind near the user's own kubeconfig, nor waits for nodes that cannot be Ready", () => {
    create();
    run("delete");
    const kind = calls().filter((call) => call.startsWith("kind "));
    expect(kind.length).toBeGreaterThan(1);
    for (const call of kind) expect(call).toContain(`--kubeconfig ${kindFiles(state, "dev").kubeconfig}`);
    expect(kind.join()).not.toContain("--wait");
  });

  test("gives each node a boot id of its own", () => {
    create();
    const { bootIds } = kindFiles(state, "dev");
    const ids = kindNodeNames(spec).map((node) => readFileSync(join(bootIds, node), "utf8"));
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}\n$/);
  });

  test("takes over the host's MTU, which a new network is not told", () => {
    create();
    expect(calls().find((call) => call.startsWith("docker network create"))).toContain(
      "com.docker.network.driver.mtu=1400",
    );
  });

  test("gives the bridge the name by which captures find it", () => {
    create();
    expect(calls().find((call) => call.startsWith("docker network create"))).toMatch(
      /--opt com\.docker\.network\.bridge\.name=wck-[0-9a-f]{8} /,
    );
  });

  test("again makes nothing, and reports the same incarnation", () => {
    const first = create();
    expect(create()).toEqual(first);
    expect(calls().filter((call) => call.startsWith("kind create"))).toHaveLength(1);
  });

  test("of a cluster whose nodes were stopped starts them", () => {
    const first = create();
    for (const node of nodes()) writeFileSync(join(docker, "nodes/dev", node), "exited\twirecloak-dev\n");
    expect(create()).toEqual(first);
    for (const node of nodes()) expect(readFileSync(join(docker, "nodes/dev", node), "utf8")).toContain("running");
  });

  test("of another spec makes a new cluster, told apart by its incarnation", () => {
    const first = create();
    const second = create({ ...spec, workers: 1 });
    expect(second.incarnation).not.toBe(first.incarnation);
    expect(nodes()).toEqual(["dev-control-plane", "dev-worker"]);
  });

  test("that kind fails at says so in kind's words, and is made anew by the next", () => {
    const { status, stdout, stderr } = run("create", { more: { FAKE_KIND_FAIL: "1" } });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("no space left");
    expect(stderr).not.toMatch(/\bat .*\.ts:\d/);
    create();
    expect(nodes()).toHaveLength(3);
  });

  test.each([
    ["a cluster on kind's own network", () => foreignNode("kind")],
    ["a network without our label", () => writeFileSync(join(docker, "networks", networkOf("dev")), "\n")],
    ["another checkout's network", () => writeFileSync(join(docker, "networks", networkOf("dev")), "another\n")],
    [
      "another provider's cluster of this checkout",
      () => {
        mkdirSync(kindFiles(state, "dev").folder, { recursive: true });
        writeFileSync(kindFiles(state, "dev").record, JSON.stringify({ provider: "rehearsal" }));
      },
    ],
  ])("refuses the name of %s, and touches nothing", (_what, there) => {
    there();
    const before = { nodes: nodes(), networks: networks() };
    const { status, stderr } = run("create");
    expect(status).toBe(1);
    expect(stderr).toContain("left alone");
    expect({ nodes: nodes(), networks: networks() }).toEqual(before);
    expect(calls().some((call) => call.startsWith("kind "))).toBe(false);
  });
});

describe("a run that was killed", () => {
  /** Starts a create that hangs in kind after its first node. */
  async function hanging(): Promise<ChildProcess> {
    const reached = join(folder, "reached");
    const child = spawn(NODE, [PROGRAM, "create", "--state", state, "--name", "dev"], {
      env: { ...env, FAKE_KIND_STOP_AFTER_NODES: reached },
      stdio: ["pipe", "ignore", "ignore"],
    });
    child.stdin?.end(JSON.stringify(spec));
    while (!existsSync(reached)) await sleep(20);
    return child;
  }

  function leftoverKinds(): string[] {
    const { stdout } = spawnSync("ps", ["-A", "-ww", "-o", "args="], { encoding: "utf8" });
    return stdout.split("\n").filter((line) => line.includes("kind create cluster") && line.includes(state));
  }

  async function killed(child: ChildProcess, signal: NodeJS.Signals) {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  test("by kill -9 while kind made nodes is cleared away, its kind with it, and the cluster made whole", async () => {
    await killed(await hanging(), "SIGKILL");
    expect(nodes()).toEqual(["dev-control-plane"]);
    expect(leftoverKinds()).toHaveLength(1);
    create();
    expect(leftoverKinds()).toEqual([]);
    expect(nodes()).toHaveLength(3);
    expect(networks()).toEqual(["wirecloak-dev"]);
  });

  test("leaves nothing that delete does not remove", async () => {
    await killed(await hanging(), "SIGKILL");
    expect(run("delete").status).toBe(0);
    expect({ nodes: nodes(), networks: networks(), left: leftoverKinds() }).toEqual({
      nodes: [],
      networks: [],
      left: [],
    });
    expect(existsSync(kindFiles(state, "dev").folder)).toBe(false);
  });

  test("by SIGTERM takes its kind along", async () => {
    await killed(await hanging(), "SIGTERM");
    expect(leftoverKinds()).toEqual([]);
  });

  test("before it had written all of its first file is no hindrance", () => {
    const { folder: clusterFolder, record } = kindFiles(state, "dev");
    mkdirSync(clusterFolder, { recursive: true });
    writeFileSync(`${record}.0a1b2c`, '{"provi');
    create();
    expect(nodes()).toHaveLength(3);
  });
});

describe("delete", () => {
  test("removes the nodes, the network and the files", () => {
    create();
    expect(run("delete").status).toBe(0);
    expect({ nodes: nodes(), networks: networks() }).toEqual({ nodes: [], networks: [] });
    expect(existsSync(kindFiles(state, "dev").folder)).toBe(false);
  });

  test("of what is gone already succeeds", () => {
    expect(run("delete").status).toBe(0);
  });

  test("leaves a cluster alone that is not ours, also where a network of ours has its name", () => {
    writeFileSync(join(docker, "networks", networkOf("dev")), `${ownerOf(state)}\n`);
    foreignNode("kind");
    run("delete");
    expect(nodes()).toEqual(["dev-control-plane"]);
  });
});

describe("sweep", () => {
  test("removes every kind cluster of this state folder, known by label where the record is lost, and no other's", () => {
    create();
    create({ ...spec, name: "two" });
    rmSync(kindFiles(state, "two").folder, { recursive: true });
    writeFileSync(join(docker, "networks/wirecloak-theirs"), "another\n");
    expect(run("sweep").status).toBe(0);
    expect(networks()).toEqual(["wirecloak-theirs"]);
    expect(nodes()).toEqual([]);
  });

  test("has nothing to do where there is no Docker and nothing was made", () => {
    const empty = join(folder, "empty");
    mkdirSync(empty);
    const { status, stderr } = run("sweep", { more: { PATH: empty } });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

test("a command that is not known ends with what there is, and no stack", () => {
  const { status, stderr } = run("destroy");
  expect(status).toBe(1);
  expect(stderr).toContain("create, delete (with --name), sweep");
});
