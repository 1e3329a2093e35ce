import { setTimeout as timer } from "node:timers/promises";
import { CommandError, RefusedError } from "../../prover/clusterApi.ts";
import type { OutsideVantage } from "../../prover/intent.ts";
import { ProverError } from "../../prover/proverError.ts";
import { observeWire, type WireOptions } from "../../prover/wire/observe.ts";
import { type Case, healthy, intentFor } from "./proverTroubles/healthy.ts";
import { FakeProbes, running, waiting } from "./proverWireProbes.ts";

/** Observes with a sleep that is a thousand times faster than asked. */
async function observed(
  api: FakeProbes,
  {
    name = "wireguard" as Case,
    nodes = 3,
    pairs = "all" as number | "all",
    outside = null as OutsideVantage | null,
    ...options
  }: Partial<WireOptions> & {
    name?: Case;
    nodes?: number;
    pairs?: number | "all";
    outside?: OutsideVantage | null;
  } = {},
) {
  const intent = { ...intentFor(name, nodes), overlay: "vxlan" as const };
  intent.proof = { ...intent.proof, pairs, seconds: 1, outside };
  const lines: string[] = [];
  const observation = await observeWire(api, intent, healthy(name, nodes), {
    sleep: (seconds) => timer(seconds),
    seed: "a seed",
    progress: (line) => lines.push(line),
    ...options,
  });
  return { observation, lines };
}

test("every ordered pair sends its markers over TCP and UDP, watched on every node", async () => {
  const api = new FakeProbes();
  const { observation } = await observed(api);
  expect(observation).toMatchObject({
    image: intentFor("wireguard").proof.image,
    pairs: { total: 6, tested: 6, sample: null },
    probes: [
      { node: "dev-control-plane", nodeIps: ["172.18.0.2"], podIp: "10.244.0.7", device: "eth0", silent: null },
      { node: "dev-worker1" },
      { node: "dev-worker2" },
    ],
  });
  expect(observation.flows).toHaveLength(12);
  expect(observation.flows[0]).toEqual({
    from: "dev-control-plane",
    to: "dev-worker1",
    kind: "pod",
    protocol: "tcp",
    sent: 1,
    returned: 1,
    silent: null,
  });
  expect(observation.vantages.map(({ name }) => name)).toEqual([
    "dev-control-plane eth0",
    "dev-worker1 eth0",
    "dev-worker2 eth0",
  ]);
  for (const { node, complete, silent, controls } of observation.vantages) {
    expect({ complete, silent }).toEqual({ complete: true, silent: null });
    expect(controls).toMatchObject([
      { from: node, form: "bare", sent: 4 },
      { from: node, form: "vxlan", sent: 4 },
    ]);
  }
});

test("every capture listens before the first control is sent, and until after the last", async () => {
  const api = new FakeProbes();
  await observed(api);
  const phases = api.events.map((event) => event.split(" ")[0]);
  const changes = phases.filter((phase, index) => phase !== phases[index - 1]);
  expect(changes).toEqual(["listening", "controls", "markers", "controls", "ended"]);
  expect(phases.filter((phase) => phase === "listening")).toHaveLength(6);
});

test("with node encryption nodes talk to each other too, unless one side has opted out", async () => {
  const api = new FakeProbes();
  const { observation } = await observed(api, { name: "wireguard with node encryption" });
  const nodeFlows = observation.flows.filter(({ kind }) => kind === "node");
  expect(nodeFlows.map(({ from, to, protocol }) => `${from} ${to} ${protocol}`)).toEqual([
    "dev-worker1 dev-worker2 tcp",
    "dev-worker1 dev-worker2 udp",
    "dev-worker2 dev-worker1 tcp",
    "dev-worker2 dev-worker1 udp",
  ]);
  expect(nodeFlows.every(({ sent, returned }) => sent === 1 && returned === 1)).toBe(true);
  expect(api.events).toContain("markers host-1");
});

test("a marker that does not come back is counted as sent only", async () => {
  const api = new FakeProbes();
  api.returns = (_from, address, protocol) => !(address === "10.244.2.7" && protocol === "udp");
  const { observation } = await observed(api);
  const lost = observation.flows.filter(({ returned }) => returned === 0);
  expect(lost.map(({ to, protocol, sent, silent }) => ({ to, protocol, sent, silent }))).toEqual([
    { to: "dev-worker2", protocol: "udp", sent: 1, silent: null },
    { to: "dev-worker2", protocol: "udp", sent: 1, silent: null },
  ]);
});

test.each<[string, (api: FakeProbes) => void, string]>([
  [
    "whose image cannot be pulled",
    (api) => {
      api.status = (pod) => (pod === "talker-1" ? waiting("ImagePullBackOff", "no such image") : running(pod));
    },
    "its probe pod is Pending: ImagePullBackOff: no such image",
  ],
  [
    "whose pod does not come in time",
    (api) => {
      api.status = (pod) => (pod === "host-1" ? waiting("ContainerCreating", "") : running(pod));
    },
    "its probe pod is Pending: ContainerCreating, 0.2 s after the first was to be made",
  ],
  [
    "whose pod is evicted",
    (api) => {
      api.status = (pod) => (pod === "host-1" ? { phase: "Failed", reason: "Evicted" } : running(pod));
    },
    "its probe pod ended: Evicted",
  ],
  [
    "on which no command answers",
    (api) => {
      api.before = ({ pod }) => {
        if (pod === "talker-1") throw new CommandError("did not answer within 10 s");
      };
    },
    "its probe did not answer within 10 s",
  ],
  [
    "for which pods are refused",
    (api) => {
      const { createPod } = api;
      api.createPod = async (namespace, pod) => {
        if (pod.spec?.nodeName === "dev-worker1") throw new RefusedError(403, "cannot create pod: 403: quota");
        return createPod(namespace, pod);
      };
    },
    "cannot create pod: 403: quota",
  ],
])("a node %s is silent, with the reason; the others are tested", async (_name, trouble, reason) => {
  const api = new FakeProbes();
  trouble(api);
  const { observation } = await observed(api, { patience: 0.2 });
  expect(observation.probes.map(({ silent }) => silent)).toEqual([null, reason, null]);
  expect(observation.vantages.map(({ node }) => node)).toEqual(["dev-control-plane", "dev-worker2"]);
  for (const { from, to, sent, silent } of observation.flows) {
    const touched = from === "dev-worker1" || to === "dev-worker1";
    expect({ sent, silent }).toEqual(
      touched ? { sent: 0, silent: `dev-worker1 could not be probed: ${reason}` } : { sent: 1, silent: null },
    );
  }
  expect(api.removed).toHaveLength(1);
});

test("a node that is not Ready is not waited for", async () => {
  const seen = healthy("wireguard", 3);
  const [, worker] = seen.nodes;
  if (worker) worker.ready = false;
  const api = new FakeProbes();
  const { probes } = await observeWire(api, { ...intentFor("wireguard", 3) }, seen, { sleep: (s) => timer(s) });
  expect(probes.map(({ silent }) => silent)).toEqual([null, "the node is not Ready", null]);
  expect(api.podsMade.size).toBe(4);
});

test("where no namespace may be made, every node is silent and nothing is thrown", async () => {
  const api = new FakeProbes();
  api.createNamespace = async () => {
    throw new RefusedError(403, "cannot create namespace: 403: forbidden");
  };
  const { observation } = await observed(api);
  expect(new Set(observation.probes.map(({ silent }) => silent))).toEqual(
    new Set(["cannot create namespace: 403: forbidden"]),
  );
  expect(observation.vantages).toEqual([]);
});

test("one node alone sends nothing, and says so", async () => {
  const api = new FakeProbes();
  const { observation } = await observed(api, { nodes: 1 });
  expect(observation).toMatchObject({
    pairs: { total: 0, tested: 0, sample: null },
    probes: [{ silent: "there is no other node: nothing crosses the wire" }],
    flows: [],
    vantages: [],
  });
  expect(api.made).toEqual([]);
});

describe("a capture is not complete", () => {
  const vantage = async (api: FakeProbes) =>
    (await observed(api)).observation.vantages.find(({ node }) => node === "dev-worker1");

  test("that ended before the last control", async () => {
    const api = new FakeProbes();
    api.before = ({ pod }, word) => {
      if (word === "markers" && pod === "talker-1") api.endCaptures("host-1");
    };
    expect(await vantage(api)).toMatchObject({ complete: false, silent: null });
  });

  test("that does not say what it missed", async () => {
    const api = new FakeProbes();
    api.ends = "";
    expect(await vantage(api)).toMatchObject({ complete: false });
  });

  test("that cannot open its device: it is silent", async () => {
    const api = new FakeProbes();
    api.begins = ({ pod }) =>
      pod === "host-1" ? "tcpdump: eth0: You don't have permission\n" : "listening on eth0, link-type EN10MB\n";
    expect(await vantage(api)).toMatchObject({
      complete: false,
      silent: "tcpdump: eth0: You don't have permission",
    });
  });
});

describe("a look from outside of the nodes", () => {
  /** A program of this machine that begins to capture, and says at its end what it missed. */
  const program = (script: string) => ({ name: "bridge", device: "br0", command: ["sh", "-c", script, "outside"] });
  const capturing = `trap 'echo "3 packets dropped by kernel" >&2; exit 0' TERM
    echo "tcpdump: listening on br0, link-type EN10MB (Ethernet)" >&2; while :; do sleep 0.05; done`;

  test("spans the whole traffic, and should have seen the controls of every node", async () => {
    const { observation } = await observed(new FakeProbes(), {
      outside: program(capturing),
      // A real program needs its time to end.
      sleep: (seconds) => timer(500 * seconds, undefined, { ref: false }),
    });
    expect(observation.vantages.at(-1)).toMatchObject({
      ...{ name: "bridge", where: "outside", node: null, device: "br0", silent: null, complete: true, dropped: 3 },
      controls: ["dev-control-plane", "dev-worker1", "dev-worker2"].flatMap((from) => [
        { from, form: "bare", sent: 4, seen: 0 },
        { from, form: "vxlan", sent: 4, seen: 0 },
      ]),
    });
  });

  test("is silent where its program ends, with what that said; the nodes are watched all the same", async () => {
    const { observation, lines } = await observed(new FakeProbes(), {
      outside: program("echo no such image >&2; exit 125"),
      sleep: (seconds) => timer(500 * seconds, undefined, { ref: false }),
    });
    expect(observation.vantages.at(-1)).toMatchObject({ where: "outside", silent: "no such image", complete: false });
    expect(observation.vantages.filter(({ complete }) => complete)).toHaveLength(3);
    expect(lines).toContain("nothing can be captured at bridge: no such image");
  });

  test("is given up at once when the proof is called off", async () => {
    const stop = new AbortController();
    const proof = observed(new FakeProbes(), {
      outside: program("sleep 60"),
      sleep: (seconds) => timer(seconds < 10 ? seconds : 60_000, undefined, { ref: false }),
      signal: stop.signal,
    });
    setTimeout(() => stop.abort(new ProverError("unanswered", "called off")), 300);
    await expect(proof).rejects.toThrow("called off");
  });
});

test("packets that the kernel dropped are told", async () => {
  const api = new FakeProbes();
  api.ends = "12 packets captured\n19 packets received by filter\n7 packets dropped by kernel\n";
  const { observation } = await observed(api);
  expect(observation.vantages.map(({ dropped }) => dropped)).toEqual([7, 7, 7]);
});

test("a control that could not be sent is not counted as sent", async () => {
  const api = new FakeProbes();
  api.before = ({ pod }, word) => {
    if (word === "controls" && pod === "host-1") throw new CommandError("failed: no such device");
  };
  const { observation } = await observed(api);
  expect(observation.vantages.map(({ controls }) => controls[0]?.sent)).toEqual([4, 0, 4]);
});

describe("the probe pods are removed", () => {
  test("after a proof, with all that earlier runs left behind", async () => {
    const api = new FakeProbes();
    const past = { "wirecloak.io/expires": "2026-01-01T00:00:00.000Z" };
    const future = { "wirecloak.io/expires": "2126-01-01T00:00:00.000Z" };
    api.left = [
      { metadata: { name: "wirecloak-probe-old", annotations: past } },
      { metadata: { name: "wirecloak-probe-of-another-run", annotations: future } },
      { metadata: { name: "somebody-elses" } },
      { metadata: { name: "wirecloak-probe-leaving", annotations: past, deletionTimestamp: new Date() } },
    ];
    const { lines } = await observed(api);
    expect(api.removed).toEqual(["wirecloak-probe-old", api.made[0]?.metadata?.name]);
    expect(lines).toContain("removing wirecloak-probe-old, left by an earlier run");
  });

  test("when the API stops answering", async () => {
    const api = new FakeProbes();
    api.pods = async () => {
      throw new ProverError("unanswered", "connection refused");
    };
    await expect(observed(api)).rejects.toThrow("connection refused");
    expect(api.removed).toHaveLength(1);
  });

  test("when the proof is called off", async () => {
    const api = new FakeProbes();
    const stop = new AbortController();
    api.before = (_where, word) => {
      if (word === "markers") stop.abort(new ProverError("unanswered", "called off"));
    };
    await expect(observed(api, { signal: stop.signal })).rejects.toThrow("called off");
    expect(api.removed).toHaveLength(1);
  });

  test("when a signal ends the process, and before it ends", async () => {
    const api = new FakeProbes();
    const killed = jest.spyOn(process, "kill").mockReturnValue(true);
    api.before = (_where, word) => {
      if (word === "markers") process.emit("SIGTERM", "SIGTERM");
    };
    await expect(observed(api)).rejects.toThrow("interrupted by SIGTERM");
    expect(api.removed).toHaveLength(1);
    expect(killed).toHaveBeenCalledWith(process.pid, "SIGTERM");
    killed.mockRestore();
  });

  test("and where that fails, people are told how", async () => {
    const api = new FakeProbes();
    api.deleteNamespace = async () => {
      throw new RefusedError(403, "forbidden");
    };
    const { lines } = await observed(api);
    expect(lines.at(-1)).toMatch(/could not be removed.*kubectl delete ns wirecloak-probe-/);
  });
});

describe("a new namespace whose service account is not there yet", () => {
  function withoutAccount(refusals: number): FakeProbes {
    const api = new FakeProbes();
    const { createPod } = api;
    api.createPod = async (namespace, pod) => {
      if (refusals-- > 0)
        throw new RefusedError(403, 'error looking up service account: serviceaccount "default" not found');
      return createPod(namespace, pod);
    };
    return api;
  }

  test("is waited for, by one probe for all, and people are told", async () => {
    const { observation, lines } = await observed(withoutAccount(50));
    expect(observation.probes.map(({ silent }) => silent)).toEqual([null, null, null]);
    expect(
      lines.filter((line) => /waiting for the service account of namespace wirecloak-probe-/.test(line)),
    ).toHaveLength(1);
  });

  test("is not waited for longer than the pods are", async () => {
    const { observation } = await observed(withoutAccount(Number.POSITIVE_INFINITY), { patience: 0.05 });
    expect(observation.probes.map(({ silent }) => silent)).toEqual(
      Array(3).fill(expect.stringContaining("serviceaccount")),
    );
  });
});

test("a thousand nodes are tested in a sample, some at a time", async () => {
  const api = new FakeProbes();
  const { observation } = await observed(api, { nodes: 1000, pairs: 240 });
  expect(observation.pairs).toEqual({
    total: 999_000,
    tested: 2000,
    sample: "each node sends to 2 others and receives from 2, drawn with seed a seed",
  });
  expect(observation.vantages).toHaveLength(1000);
  expect(observation.vantages.every(({ complete }) => complete)).toBe(true);
  expect(observation.flows.every(({ returned }) => returned === 1)).toBe(true);
  expect(api.captures).toBe(200);
}, 30_000);
