import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderFindings } from "../../cli/doctor.ts";
import { kindNodeNames, kindSpec } from "../../components/cluster/kindSpec.ts";
import { kindFiles, networkOf, ownerOf } from "../../components/cluster/kindState.ts";
import { type KindSettings, loadSettings } from "../../components/settings.ts";
import { UserError } from "../../components/userError.ts";
import type { DockerInfo } from "../../doctor/docker.ts";
import { examine, type Finding, lacksAdmission, mend, refusal } from "../../doctor/doctor.ts";
import { type Answers, machine } from "./doctorProbes.ts";

let folder: string;
let stateDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wirecloak-"));
  stateDir = join(folder, "state");
  mkdirSync(stateDir);
});
afterEach(() => rmSync(folder, { recursive: true }));

function settingsOf(cluster: object, more: Record<string, string> = {}) {
  const config = { "wirecloak:encryption": "wireguard", "wirecloak:cluster": JSON.stringify(cluster), ...more };
  return loadSettings(config, { projectRoot: "/project", today: "2026-11-21" }).settings;
}

const info: DockerInfo = {
  MemTotal: 16 * 2 ** 30,
  NCPU: 8,
  CgroupVersion: "2",
  OperatingSystem: "Debian GNU/Linux 13",
  DockerRootDir: "/var/lib/docker",
  SecurityOptions: ["name=seccomp,profile=builtin"],
  ServerVersion: "28.2.2",
};
const docker = (change: Partial<DockerInfo> = {}): Answers[number] => [
  /^docker info/,
  { stdout: JSON.stringify({ ...info, ...change }) },
];
const chart: Answers[number] = [/^helm show chart/, { stdout: "name: cilium\nversion: 1.20.2\n" }];
const healthy: Answers = [docker(), chart, [/^docker (ps|network)/, {}], [/^unshare/, {}]];

const kind = { provider: "kind", name: "dev", workers: 3, image: "kindest/node:v1.35.8" };
const rehearsal = { provider: "rehearsal", name: "dev", workers: 3 };

/** Examines a machine in which the first answer that fits wins, so `changed` comes before what is healthy. */
async function found(
  cluster: object,
  changed: Answers = [],
  change: Parameters<typeof machine>[1] & { mayReplace?: boolean } = {},
) {
  const { mayReplace = true, ...probes } = change;
  const settings = settingsOf(cluster);
  return examine(settings, {}, { mayReplace, probes: machine([...changed, ...healthy], { stateDir, ...probes }) });
}
const about = (findings: Finding[], what: string | RegExp) =>
  findings.filter((finding) => (typeof what === "string" ? finding.what === what : what.test(finding.what)));
const errors = (findings: Finding[]) => findings.filter(({ level }) => level === "error");

/** Records a cluster of this checkout, and has Docker show its nodes. */
function standing(kindSettings: object, { made = true, running = true, gone = 0 } = {}): Answers {
  const spec = kindSpec(settingsOf(kindSettings).cluster as KindSettings, true);
  const files = kindFiles(stateDir, spec.name);
  mkdirSync(files.folder, { recursive: true });
  writeFileSync(files.record, JSON.stringify({ provider: "kind", incarnation: "i", spec, made }));
  const rows = kindNodeNames(spec)
    .slice(gone)
    .map((node) => `${node}\t${running ? "running" : "exited"}\t${networkOf(spec.name)}`);
  return [
    [/^docker ps/, { stdout: rows.join("\n") }],
    [/^docker network/, { stdout: `${networkOf(spec.name)}\t${ownerOf(stateDir)}\n` }],
  ];
}

test("a machine that has all it takes gets no error, and no warning but for tools that are still to be got", async () => {
  const findings = await found(kind);
  expect(findings.filter(({ level }) => level !== "ok").map(({ what }) => what)).toEqual(["tools"]);
  expect(refusal(findings)).toBeUndefined();
});

test("what it refuses is the user's to mend, each with the fix, all at once", async () => {
  const findings = await found(kind, [[/^helm/, { code: 1, stderr: "Error: cannot be reached" }]], {
    freeDisk: async () => 0,
  });
  const refused = refusal(findings);
  expect(refused).toBeInstanceOf(UserError);
  expect(refused?.problems.map(({ key }) => key)).toEqual(["disk", "Cilium chart"]);
  for (const { fix } of refused?.problems ?? []) expect(fix).toBeTruthy();
});

describe("Docker is refused, with its cause and its fix, where", () => {
  test.each<[string, Answers[number], RegExp, RegExp]>([
    ["it is not installed", [/^docker info/, { code: null, failure: "ENOENT" }], /no docker on PATH/, /install Docker/],
    ["it hangs", [/^docker info/, { code: null, failure: "SIGTERM" }], /does not answer within 5 s/, /restart it/],
    [
      "its daemon does not run",
      [/^docker info/, { code: 1, stdout: '{"ServerErrors":["Cannot connect to the Docker daemon"]}' }],
      /daemon does not run/,
      /systemctl start docker/,
    ],
    [
      "this user may not",
      [/^docker info/, { code: 1, stderr: "permission denied while trying to connect to the Docker daemon socket" }],
      /may not use it/,
      /usermod -aG docker/,
    ],
    [
      "it is rootless",
      docker({ SecurityOptions: ["name=seccomp", "name=rootless"] }),
      /rootless/,
      /docker context use default/,
    ],
    ["it is podman", [/^docker info/, { stdout: '{"host":{"buildahVersion":"1.33"}}' }], /is podman/, /use Docker/],
  ])("%s", async (_why, answer, evidence, fix) => {
    const [finding] = about(await found(kind, [answer]), "Docker");
    expect(finding).toMatchObject({
      level: "error",
      evidence: expect.stringMatching(evidence),
      fix: expect.stringMatching(fix),
    });
    expect(finding?.fix).toContain("STACK=rehearsal");
  });
});

describe("a machine that is too small or too old", () => {
  test.each<[string, string, Finding["level"], Answers, Parameters<typeof machine>[1]]>([
    ["memory", "memory and CPU", "warning", [docker({ MemTotal: 2 * 2 ** 30 })], {}],
    ["CPUs", "memory and CPU", "warning", [docker({ NCPU: 1 })], {}],
    ["cgroup v1", "cgroups", "error", [docker({ CgroupVersion: "1" })], {}],
    ["disk", "disk", "error", [], { freeDisk: async () => 2 ** 30 }],
    ["ports", "ports", "error", [], { freePort: async () => "EPERM" }],
    ["inotify limits", "inotify limits", "warning", [], { read: () => "128\n" }],
  ])("is told: %s", async (_case, what, level, answers, probes) => {
    expect(about(await found(kind, answers, probes), what)).toMatchObject([{ level, fix: expect.any(String) }]);
  });

  test("gets the command that raises exactly the inotify limits that are low", async () => {
    const read = (path: string) => (path.endsWith("instances") ? "128\n" : "524288\n");
    expect(about(await found(kind, [], { read }), "inotify limits")[0]?.fix).toBe(
      "sudo sysctl fs.inotify.max_user_instances=512",
    );
  });

  test("is not judged by its own kernel where Docker runs in a virtual machine", async () => {
    const findings = await found(kind, [docker({ OperatingSystem: "Docker Desktop" })], { read: () => "1\n" });
    expect(about(findings, "inotify limits")).toEqual([]);
    expect(about(findings, /kernel/)).toMatchObject([
      { level: "warning", evidence: expect.stringContaining("virtual machine") },
    ]);
  });
});

describe("what there is of a kind cluster's name", () => {
  const cluster = async (...args: Parameters<typeof found>) => about(await found(...args), "cluster dev");

  test("is fine where it stands as the settings say", async () => {
    expect(await cluster(kind, standing(kind))).toMatchObject([{ level: "ok" }]);
  });

  test("is an error where somebody else has it", async () => {
    const theirs: Answers = [[/^docker ps/, { stdout: "dev-control-plane\trunning\tkind\n" }]];
    expect(await cluster(kind, theirs)).toMatchObject([
      { level: "error", evidence: expect.stringContaining("left alone") },
    ]);
  });

  test("is a warning where a run was cut short, since the next one clears it away", async () => {
    expect(await cluster(kind, standing(kind, { made: false, gone: 2 }))).toMatchObject([
      { level: "warning", evidence: expect.stringContaining("cut short") },
    ]);
  });

  test("is an error where nodes are gone that Pulumi believes in, which are named", async () => {
    expect(await cluster(kind, standing(kind, { gone: 1 }))).toMatchObject([
      { level: "error", evidence: expect.stringContaining("dev-control-plane"), fix: "make down && make up" },
    ]);
  });

  test("can be mended where its nodes are only stopped", async () => {
    const findings = await cluster(kind, standing(kind, { running: false }));
    expect(findings).toMatchObject([
      { level: "error", mend: { program: "docker", args: ["start", ...kindNodeNames({ name: "dev", workers: 3 })] } },
    ]);
  });

  test("is one finding, not a crash, where Docker fails half-way", async () => {
    expect(await cluster(kind, [[/^docker ps/, { code: 1, stderr: "gone away" }]])).toMatchObject([
      { level: "error", evidence: expect.stringContaining("gone away") },
    ]);
  });

  test("would be replaced: says so before it happens, with the settings, and how to accept it", async () => {
    const [refused] = await cluster({ ...kind, workers: 4 }, standing(kind), { mayReplace: false });
    expect(refused).toMatchObject({ level: "error", fix: expect.stringContaining("REPLACE=1") });
    expect(refused?.evidence).toContain("wirecloak:cluster.workers 3 -> 4 (kind cannot add or remove workers)");
    expect(await cluster({ ...kind, workers: 4 }, standing(kind))).toMatchObject([{ level: "warning" }]);
  });
});

describe("a rehearsal", () => {
  const record = (made: boolean, provider = "rehearsal") => {
    const at = join(stateDir, "clusters/dev");
    mkdirSync(at, { recursive: true });
    const spec = { name: "dev", workers: 3, podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16" };
    writeFileSync(join(at, "cluster.json"), JSON.stringify({ provider, spec, made }));
  };
  const status = (running: boolean): Answers => [
    [/^node .*status --name dev/, { stdout: JSON.stringify({ running }) }],
  ];
  const cluster = async (...args: Parameters<typeof found>) => about(await found(...args), "cluster dev");

  test("needs neither Docker nor a kernel module, and asks for none", async () => {
    const probes = machine([chart], { stateDir });
    const findings = await examine(settingsOf(rehearsal), {}, { probes });
    expect(errors(findings)).toEqual([]);
    expect(probes.ran.filter((line) => /^(docker|unshare)/.test(line))).toEqual([]);
  });

  const root = { read: () => "CapEff:\t000001ffffffffff\n" };
  const programs = ["tcpdump", "socat", "ip", "nft", "python3"];
  /** A PATH with these programs. */
  const having = (names: string[]) => {
    for (const name of names) writeFileSync(join(folder, name), "", { mode: 0o755 });
    return { env: { PATH: folder } };
  };

  test("has a wire where the rights and the programs are there", async () => {
    const change = { ...root, ...having(programs) };
    expect(about(await found(rehearsal, [], change), "wire")).toMatchObject([{ level: "ok" }]);
  });

  test.each([
    ["the rights", programs, { read: () => "CapEff:\t0000000000000000\n" }, "CAP_SYS_ADMIN and CAP_NET_ADMIN"],
    ["a program", ["tcpdump", "ip", "nft"], root, "socat missing"],
  ])("says that it proves nothing without %s", async (_what, names, change, words) => {
    expect(about(await found(rehearsal, [], { ...change, ...having(names) }), "wire")).toMatchObject([
      { level: "warning", evidence: expect.stringMatching(`not proven: .*${words}`) },
    ]);
  });

  test("says that changes are not watched in full without python3", async () => {
    const without = { ...root, ...having(["tcpdump", "socat", "ip", "nft"]) };
    expect(about(await found(rehearsal, [], without), "wire")).toMatchObject([
      { level: "warning", evidence: expect.stringMatching(/not be watched in full: python3/) },
    ]);
  });

  test("is refused outside Linux", async () => {
    expect(errors(await found(rehearsal, [], { platform: "darwin" }))).toMatchObject([
      { what: "system", fix: expect.stringContaining("STACK=dev") },
    ]);
  });

  test("that stopped, as after a reboot, can be mended by starting it", async () => {
    record(true);
    const [finding] = await cluster(rehearsal, status(false));
    expect(finding).toMatchObject({
      level: "error",
      mend: { program: "node", args: expect.arrayContaining(["start", "--name", "dev"]) },
    });
  });

  test("that runs is fine, also with another number of workers", async () => {
    record(true);
    expect(await cluster({ ...rehearsal, workers: 9 }, status(true), { mayReplace: false })).toMatchObject([
      { level: "ok" },
    ]);
  });

  test("is replaced where a range changes, and that is said", async () => {
    record(true);
    const changed = { ...rehearsal, podCidr: "10.7.0.0/16" };
    expect(await cluster(changed, status(true), { mayReplace: false })).toMatchObject([
      { level: "error", evidence: expect.stringContaining("podCidr") },
    ]);
  });

  test("of which a run was cut short is a warning", async () => {
    record(false);
    expect(await cluster(rehearsal)).toMatchObject([{ level: "warning" }]);
  });

  test("cannot have the name of a kind cluster of this checkout", async () => {
    record(true, "kind");
    expect(await cluster(rehearsal)).toMatchObject([
      { level: "error", evidence: expect.stringContaining("kind cluster") },
    ]);
  });
});

describe("an existing cluster", () => {
  const server = (address: string) => {
    const path = join(folder, "config");
    writeFileSync(
      path,
      `current-context: a\ncontexts: [{ name: a, context: { cluster: c } }]\nclusters: [{ name: c, cluster: { server: "${address}" } }]\n`,
    );
    return { provider: "existing", name: "dev", kubeconfig: path };
  };
  const answers: Answers = [
    [/^kubectl .*get nodes/, { stdout: "node-1\t\n" }],
    [/^kubectl .*get daemonsets/, { stdout: "kube-proxy\t\n" }],
    [/^kubectl .*kube-system/, { stdout: "uid" }],
    [/^kubectl .*\/version/, { stdout: '{"gitVersion": "v1.34.2+k3s1"}' }],
  ];

  test("that answers is fine, and its Kubernetes is held against Cilium's tests", async () => {
    const findings = await found(server("https://api.example"), answers);
    expect(about(findings, "kubeconfig")).toMatchObject([{ level: "ok" }]);
    expect(about(findings, "Kubernetes version")).toMatchObject([
      { level: "ok", evidence: expect.stringContaining("1.34") },
    ]);
  });

  test("whose cloud runs a Cilium of its own is refused, and is not known to where nobody says", async () => {
    const dataplane = async (changed: Answers) =>
      about(await found(server("https://api.example"), [...changed, ...answers]), "dataplane");
    expect(await dataplane([])).toEqual([]);
    expect(await dataplane([[/get daemonsets/, { stdout: "kube-proxy\t\nanetd\t\n" }]])).toMatchObject([
      {
        level: "error",
        evidence: expect.stringContaining("GKE Dataplane V2"),
        fix: expect.stringContaining("in_transit_encryption_config"),
      },
    ]);
    expect(await dataplane([[/get nodes/, { code: 1, stderr: "forbidden" }]])).toMatchObject([{ level: "warning" }]);
  });

  test("has Cilium's namespace, or is told how to get it", async () => {
    const namespace = async (changed: Answers) =>
      about(await found(server("https://api.example"), [...changed, ...answers]), "namespace");
    expect(await namespace([])).toEqual([]);
    expect(
      await namespace([
        [/get namespace kube-system -o name/, { code: 1, stderr: "Error from server (NotFound): ..." }],
      ]),
    ).toMatchObject([{ level: "error", fix: "kubectl create namespace kube-system" }]);
  });

  test("has no place for a guard, which is told where one is wanted", async () => {
    const guard = async (more: Record<string, string>) =>
      about(await examine(settingsOf(server("https://api.example"), more), {}, { probes: machine(answers) }), "guard");
    expect(await guard({})).toMatchObject([{ level: "warning", evidence: expect.stringContaining("no guard is set") }]);
    expect(await guard({ "wirecloak:guard": "false" })).toEqual([]);
  });

  test("that is too old for admission policies is told so, where they are wanted", async () => {
    const admission = async (version: string, more: Record<string, string> = {}) => {
      const old: Answers = [
        [/^kubectl .*kube-system/, { stdout: "uid" }],
        [/^kubectl .*\/version/, { stdout: `{"gitVersion": "${version}"}` }],
      ];
      const settings = settingsOf(server("https://api.example"), more);
      const findings = await examine(settings, {}, { probes: machine(old) });
      return { findings: about(findings, "admission"), lacks: lacksAdmission(findings) };
    };
    expect(await admission("v1.29.14")).toMatchObject({
      findings: [
        {
          level: "warning",
          evidence: expect.stringContaining("Kubernetes 1.29 has no ValidatingAdmissionPolicy (1.30 has)"),
        },
      ],
      lacks: true,
    });
    expect(await admission("v1.29.14", { "wirecloak:admission": "false" })).toEqual({ findings: [], lacks: false });
    expect(await admission("v1.30.0-eks-1")).toEqual({ findings: [], lacks: false });
    expect(await admission("unheard of")).toEqual({ findings: [], lacks: false });
  });

  test("that does not answer is an error with the cause", async () => {
    const refused: Answers = [[/^kubectl/, { code: 1, stderr: "The connection to the server was refused" }]];
    expect(errors(await found(server("https://api.example:6443"), refused))).toMatchObject([
      {
        what: "kubeconfig",
        evidence: expect.stringContaining("nothing listens on api.example:6443"),
        fix: expect.stringContaining("kubectl"),
      },
    ]);
  });

  test("without its kubeconfig, or with a context that is not in it, is an error before anything is asked", async () => {
    expect(errors(await found({ ...server("https://a"), kubeconfig: join(folder, "none") }))).toMatchObject([
      { evidence: expect.stringContaining("no such file") },
    ]);
    expect(errors(await found({ ...server("https://a"), context: "b" }))).toMatchObject([
      { evidence: expect.stringContaining("There are: a") },
    ]);
  });

  test("behind a loopback address is warned of, since that is each node's own", async () => {
    expect(about(await found(server("https://127.0.0.1:6443"), answers), "API server address")).toMatchObject([
      { level: "warning" },
    ]);
  });
});

describe("mending", () => {
  const stopped: Finding = {
    level: "error",
    what: "cluster dev",
    evidence: "",
    mend: { program: "docker", args: ["start", "n"] },
  };

  test("runs what a finding says, and nothing for those that have nothing", async () => {
    const probes = machine([[/^docker start n$/, {}]]);
    expect(await mend([stopped, { level: "error", what: "disk", evidence: "" }], {}, probes)).toMatchObject([
      { level: "ok", what: "cluster dev" },
    ]);
    expect(probes.ran).toEqual(["docker start n"]);
  });

  test("that fails is an error with the program's last words", async () => {
    const probes = machine([[/^docker/, { code: 1, stderr: "one\nno such container" }]]);
    expect(await mend([stopped], {}, probes)).toMatchObject([
      { level: "error", evidence: expect.stringContaining("no such container") },
    ]);
  });
});

test("people see a sign, the evidence, and under it the fix of what is not well", () => {
  const findings: Finding[] = [
    { level: "ok", what: "disk", evidence: "Enough." },
    { level: "warning", what: "inotify limits", evidence: "Low.", fix: "sudo sysctl x=1" },
    { level: "error", what: "Docker", evidence: "None.", fix: "install Docker" },
  ];
  expect(renderFindings(findings)).toBe(
    [
      "✓ disk: Enough.",
      "! inotify limits: Low.",
      "    fix: sudo sysctl x=1",
      "✗ Docker: None.",
      "    fix: install Docker",
    ].join("\n"),
  );
});
