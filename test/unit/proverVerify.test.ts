import type { V1ConfigMap, V1ControllerRevision, V1DaemonSet, V1Node, V1Pod, V1Secret } from "@kubernetes/client-node";
import { type CiliumNode, type CiliumNodeConfig, type ClusterApi, CommandError } from "../../prover/clusterApi.ts";
import type { Intent } from "../../prover/intent.ts";
import { brokenGlassOf } from "../../prover/live/brokenGlass.ts";
import { verify } from "../../prover/verify.ts";
import { healthy, intentFor, nodeName } from "./proverTroubles/healthy.ts";
import { wireguard } from "./proverTroubles/trouble.ts";

const CHANGED = new Date("2026-11-21T09:00:00Z");
const STARTED = new Date("2026-11-21T09:00:10Z");
const wireguardKey = (index: number): string => Buffer.alloc(32, index + 1).toString("base64");

/** A cluster in WireGuard mode as the Kubernetes API would show it, with its answers open to change. */
class FakeCluster implements ClusterApi {
  requests = 0;
  /** Commands run so far. */
  commands = 0;
  config: V1ConfigMap | null = {
    data: { "enable-wireguard": "true", "wireguard-persistent-keepalive": "0s" },
    metadata: {
      managedFields: [
        { manager: "helm", operation: "Update", time: CHANGED, fieldsV1: { "f:data": {} } },
        // Somebody has put a label on it since.
        { time: new Date("2026-11-21T12:00:00Z"), fieldsV1: { "f:metadata": {} } },
      ],
    },
  };
  set: V1DaemonSet = {
    metadata: { uid: "of-cilium", generation: 2 },
    spec: {
      selector: {},
      template: {
        spec: {
          containers: [
            {
              name: "cilium-agent",
              args: ["--config-dir=/tmp/cilium/config-map"],
              env: [{ name: "CILIUM_K8S_NAMESPACE", value: "kube-system" }],
            },
          ],
        },
      },
    },
    status: {
      observedGeneration: 2,
      desiredNumberScheduled: 4,
      updatedNumberScheduled: 4,
      numberReady: 4,
      currentNumberScheduled: 4,
      numberMisscheduled: 0,
    },
  };
  revisions: V1ControllerRevision[] = [
    revision(2, "7d9f", "of-cilium"),
    revision(1, "old", "of-cilium"),
    revision(9, "other", "of-another"),
  ];
  pods: V1Pod[] = [0, 1, 2, 3].map((index) => ({
    metadata: {
      name: `cilium-${index}`,
      labels: { "controller-revision-hash": "7d9f" },
      // A container that started by the clock of a node that runs behind, in a pod that the API server made after the change.
      creationTimestamp: STARTED,
    },
    spec: {
      nodeName: nodeName(index),
      containers: [{ name: "cilium-agent", image: "quay.io/cilium/cilium:v1.20.2@sha256:0" }],
    },
    status: {
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: [
        {
          name: "cilium-agent",
          image: "",
          imageID: "",
          ready: true,
          restartCount: 0,
          state: { running: { startedAt: new Date("2026-11-21T08:59:00Z") } },
        },
      ],
    },
  }));
  ciliumNodeList: CiliumNode[] = [0, 1, 2, 3].map((index) => ({
    metadata: { name: nodeName(index), annotations: { "network.cilium.io/wg-pub-key": wireguardKey(index) } },
    spec: {
      bootid: `00000000-0000-4000-8000-00000000000${index}`,
      encryption: { key: 255 },
      ipam: { podCIDRs: [`10.244.${index}.0/24`] },
    },
  }));
  /** What the pod answers to `cilium-dbg encrypt status`. */
  encryption: (index: number) => string = (index) =>
    JSON.stringify({
      mode: "Wireguard",
      wireguard: {
        interfaces: [{ name: "cilium_wg0", "public-key": wireguardKey(index), "peer-count": 3, peers: null }],
      },
    });

  configMap = async () => this.config;
  daemonSet = async () => this.set;
  agentRevisions = async () => this.revisions;
  agentPods = async () => this.pods;
  nodes = async (): Promise<V1Node[]> => {
    this.requests++;
    const labels = (index: number) => (index === 0 ? { "node-role.kubernetes.io/control-plane": "" } : {});
    return [3, 2, 1, 0].map((index) => ({
      metadata: { name: nodeName(index), labels: labels(index) },
      // Cilium gives pods addresses of its own ranges, not of these.
      spec: { podCIDRs: [`10.9.${index}.0/24`] },
      status: {
        conditions: [{ type: "Ready", status: "True" }],
        addresses: [
          { type: "Hostname", address: nodeName(index) },
          { type: "InternalIP", address: `172.18.0.${index + 2}` },
        ],
      },
    }));
  };
  ciliumNodes = async () => this.ciliumNodeList;
  overrides: CiliumNodeConfig[] = [];
  keys: V1Secret | null = null;
  ciliumNodeConfigs = async () => this.overrides;
  secret = async () => this.keys;
  run = async (pod: string, command: string[]): Promise<string> => {
    this.commands++;
    const index = Number(pod.slice("cilium-".length));
    if (command.join(" ") === "cilium-dbg encrypt status -o json") return this.encryption(index);
    return `level=warning msg="a line of the log"\n${JSON.stringify({
      cilium: { state: "Ok", msg: "1.20.2 (v1.20.2-8d3e5d9f)" },
      encryption: { mode: "Wireguard", wireguard: { "node-encryption": "Disabled" } },
    })}`;
  };
}

function revision(number: number, hash: string, uid: string): V1ControllerRevision {
  return {
    revision: number,
    metadata: {
      labels: { "controller-revision-hash": hash },
      ownerReferences: [{ apiVersion: "apps/v1", kind: "DaemonSet", name: "cilium", uid }],
    },
  };
}

/** Verifies with a clock that only sleeping moves; `between` runs in each sleep. */
async function verified(
  cluster: FakeCluster,
  options: { wait?: number; intent?: Intent; settled?: boolean; between?: (slept: number) => void } = {},
) {
  let now = 0;
  const lines: string[] = [];
  const sleep = async (seconds: number): Promise<void> => {
    now += seconds;
    options.between?.(now);
  };
  const result = await verify(options.intent ?? intentFor("wireguard"), cluster, {
    wait: options.wait ?? 60,
    settled: options.settled ?? false,
    progress: (line) => lines.push(line),
    clock: { now: () => now, sleep },
  });
  return { ...result, lines, waited: now };
}

test("a healthy cluster is read back in one look: not proven, since nobody looked at the wire", async () => {
  const { report, observation, waited } = await verified(new FakeCluster());
  expect(report).toMatchObject({
    verdict: "not proven",
    statement: "not proven: all 4 nodes say WireGuard, as configured",
  });
  expect(report.reasons).toEqual([expect.stringContaining("the wire was not observed")]);
  expect(waited).toBe(0);
  const expected = healthy("wireguard");
  // This Cilium counts its peers without naming them.
  for (const index of [0, 1, 2, 3]) wireguard(expected, index).peers = null;
  const { config, ciliumNodes, agents, nodeConfigs, ...rest } = observation;
  const { config: configOf, ciliumNodes: nodesOf, agents: agentsOf, ...restOf } = expected;
  expect(rest).toEqual({ ...restOf, takenAt: expect.any(String) });
  // Beside what is judged: who changed it, and what it was made from.
  const changes = [{ manager: "helm", operation: "Update", time: CHANGED.toISOString(), keys: [] }];
  expect(config).toEqual({ ...configOf, changes });
  expect(ciliumNodes).toEqual(nodesOf.map((node) => ({ ...node, by: null })));
  expect(agents).toEqual(agentsOf.map((agent) => ({ ...agent, version: "1.20.2" })));
  expect(nodeConfigs).toEqual([]);
});

test("what somebody has taken out of admission is read, of each kind that may be, and changes no verdict", async () => {
  const cluster = new FakeCluster();
  const healthy = await verified(cluster);
  const metadata = { namespace: "kube-system", annotations: { "wirecloak.io/plaintext-until": "2027-01-31" } };
  cluster.config = { ...cluster.config, metadata: { ...cluster.config?.metadata, ...metadata, name: "cilium-config" } };
  cluster.set = { ...cluster.set, metadata: { ...cluster.set.metadata, ...metadata, name: "cilium" } };
  cluster.overrides = [{ metadata: { ...metadata, name: "off" }, spec: {} }];
  cluster.keys = { metadata: { ...metadata, name: "cilium-ipsec-keys" } };
  const { observation, report } = await verified(cluster, { settled: true });
  expect(brokenGlassOf(observation).map(({ kind, name, until }) => `${kind} ${name} ${until}`)).toEqual([
    "ConfigMap cilium-config 2027-01-31",
    "DaemonSet cilium 2027-01-31",
    "CiliumNodeConfig off 2027-01-31",
    "Secret cilium-ipsec-keys 2027-01-31",
  ]);
  expect(report.reasons).toEqual(healthy.report.reasons);
  expect(brokenGlassOf(healthy.observation)).toEqual([]);
});

test("what a rollout may still mend is waited for, and named on the way", async () => {
  const cluster = new FakeCluster();
  const [, late] = cluster.pods;
  if (late?.status) late.status.conditions = [{ type: "Ready", status: "False" }];
  const { report, lines } = await verified(cluster, {
    between: (slept) => {
      if (slept > 5 && late?.status) late.status.conditions = [{ type: "Ready", status: "True" }];
    },
  });
  expect(report.verdict).toBe("not proven");
  expect(lines).toEqual(["waiting for up to 60 s: dev-worker1: its Cilium agent is not ready [pod cilium-1]"]);
});

test("no agent is asked in the middle of a rollout, but each is before the verdict", async () => {
  const cluster = new FakeCluster();
  if (cluster.set.status) cluster.set.status.updatedNumberScheduled = 3;
  const asked: number[] = [];
  const { report } = await verified(cluster, { wait: 20, between: () => asked.push(cluster.commands) });
  expect(new Set(asked)).toEqual(new Set([0]));
  expect(cluster.commands).toBe(8);
  expect(report.verdict).toBe("failed");
});

test("an agent that needs time after its start gets it", async () => {
  const cluster = new FakeCluster();
  const settled = cluster.encryption;
  cluster.encryption = () => JSON.stringify({ mode: "Wireguard" });
  const { report } = await verified(cluster, {
    between: () => {
      cluster.encryption = settled;
    },
  });
  expect(report.verdict).toBe("not proven");
});

test("what no waiting mends is told at once", async () => {
  const cluster = new FakeCluster();
  if (cluster.config) cluster.config.data = { "enable-ipsec": "true" };
  const { report, waited } = await verified(cluster);
  expect(report.verdict).toBe("failed");
  expect(waited).toBe(0);
});

test("an agent that cannot be reached is named, and the verdict is not proven", async () => {
  const cluster = new FakeCluster();
  const answer = cluster.run;
  cluster.run = async (pod, command) => {
    if (pod === "cilium-2") throw new CommandError("did not answer within 20 s");
    return answer(pod, command);
  };
  const { report } = await verified(cluster, { wait: 0 });
  expect(report.statement).toBe("not proven: 1 of 4 nodes could not be observed");
  expect(report.reasons[0]).toMatch(
    /^dev-worker2: its Cilium agent did not answer within 20 s \[such as cilium-dbg status in pod cilium-2\]; kubectl /,
  );
});

test("only pods of the DaemonSet's own newest revision are up to date", async () => {
  const cluster = new FakeCluster();
  const [, , stale] = cluster.pods;
  if (stale?.metadata) stale.metadata.labels = { "controller-revision-hash": "old" };
  const { report } = await verified(cluster, { wait: 0 });
  expect(report.reasons[0]).toMatch(/^dev-worker2: its Cilium agent is of an older revision/);
});

test("an option in the agents' environment counts like one on their command line", async () => {
  const cluster = new FakeCluster();
  cluster.set.spec?.template.spec?.containers[0]?.env?.push({ name: "CILIUM_ENABLE_WIREGUARD", value: "false" });
  const { report } = await verified(cluster);
  expect(report.reasons[0]).toMatch(/started with enable-wireguard=false/);
});

test("no more agents are asked at once than the API server bears", async () => {
  const cluster = new FakeCluster();
  const [pod] = cluster.pods;
  cluster.pods = Array.from({ length: 100 }, (_, index) => ({
    ...pod,
    metadata: { ...pod?.metadata, name: `cilium-${index}` },
  }));
  const answer = cluster.run;
  let now = 0;
  let most = 0;
  cluster.run = async (name, command) => {
    most = Math.max(most, ++now);
    await new Promise(setImmediate);
    now--;
    return answer(name, command);
  };
  await verified(cluster, { wait: 0 });
  expect(most).toBe(32);
  expect(cluster.commands).toBe(200);
});
