import { spawn, spawnSync } from "node:child_process";
import { setTimeout as timer } from "node:timers/promises";
import { Lookouts } from "../../prover/watch/lookouts.ts";
import { PlaintextLog } from "../../prover/watch/plaintextLog.ts";
import { captureFilters } from "../../prover/wire/filters.ts";
import { describeUnless } from "../skip.ts";

const missing = ["tcpdump", "socat", "python3", "ip", "unshare", "nsenter", "nft"].filter(
  (tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0,
);
const cannot = process.getuid?.() !== 0 ? "needs root" : missing.length > 0 ? `needs ${missing.join(", ")}` : undefined;

const PORT = 23_457;
const NODES = [1, 2].map((id) => ({
  ...{ name: `n${id}`, controlPlane: false, simulated: true, ready: true },
  ...{ addresses: [`172.30.0.${id}`], podCidrs: [`10.244.${id}.0/24`] },
}));

jest.setTimeout(60_000);

describeUnless(cannot, "the look at a bridge with two nodes", () => {
  let bridge: ReturnType<typeof spawn>;
  let inside: string[];

  beforeAll(async () => {
    bridge = spawn("unshare", ["-n", "sleep", "120"], { stdio: "ignore" });
    await timer(300);
    inside = ["nsenter", `--net=/proc/${bridge.pid}/ns/net`];
    // The nodes' ends stay in the same namespace; frames are put on them as they are.
    run(
      "ip link add lan0 type bridge && ip link set lan0 up",
      ...[1, 2].map(
        (id) =>
          `ip link add port${id} type veth peer name node${id}; ip link set port${id} master lan0 up; ip link set node${id} up`,
      ),
      "nft 'add table bridge t; add chain bridge t f { type filter hook forward priority 0; }; add rule bridge t f ip daddr 10.244.2.9 drop'",
    );
  });

  afterAll(() => bridge.kill());

  function run(...commands: string[]): void {
    const { status, stderr } = spawnSync(inside[0] ?? "", [...inside.slice(1), "sh", "-ec", commands.join("\n")], {
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  }

  /** A UDP packet from pod to pod, put on the wire by the first node. */
  function send(to: string): void {
    run(
      `ip addr replace 10.244.1.9/32 dev node1; ip route replace ${to} dev node1; ip neigh replace ${to} lladdr 02:00:00:00:00:99 dev node1`,
      `echo plain | socat -u - UDP:${to}:9000,bind=10.244.1.9`,
    );
  }

  async function watched(command: readonly string[], act: () => Promise<unknown>) {
    const log = new PlaintextLog();
    const lookouts = new Lookouts({
      filter: captureFilters({ markerPort: PORT, podCidrs: ["10.244.0.0/16"] }).readable,
      context: {
        nodes: NODES.map(({ name, addresses, podCidrs }) => ({ name, ips: addresses, podIp: null, podCidrs })),
        ...{ markers: new Set<string>(), controls: new Map(), markerPort: PORT },
      },
      ...{ overlayHidden: true, nodesHidden: false, seconds: 60, log, overlay: "vxlan", markerPort: PORT },
      outside: { name: "the bridge", device: "lan0", command: [...command] },
      rooms: [1, 2].map((id) => ({ node: NODES[id - 1] as (typeof NODES)[number], podIp: `10.244.${id}.2` })),
      grace: 2,
      // Patience that is not needed must not keep the tests.
      sleep: (seconds) => timer(1000 * seconds, undefined, { ref: false }),
      say: () => {},
    });
    await lookouts.begin();
    const ended = await lookouts.end(act());
    lookouts.close();
    const all = { since: 0, until: Number.POSITIVE_INFINITY, places: ended.places };
    return { ...ended, past: log.count({ ...all, past: true }), before: log.count({ ...all, past: false }) };
  }

  test("tells what came as far as the guard from what passed it, and sees the control of each port", async () => {
    const seen = await watched(inside, async () => {
      send("10.244.2.9");
      send("10.244.2.7");
    });
    expect(seen.failings).toEqual([]);
    expect(seen.vantages.map(({ name, controlsSent, controlsSeen }) => [name, controlsSent, controlsSeen])).toEqual([
      ["port1", 8, 8],
      ["port2", 8, 8],
    ]);
    expect({ before: seen.before, past: seen.past }).toEqual({ before: 2, past: 1 });
  });

  test("a capture that sees nothing is told by its controls", async () => {
    // What a filter that matches nothing does to all that comes.
    const blind = ["sh", "-c", 'case "$*" in *tcpdump*) exec "$@" and less 1 ;; *) exec "$@" ;; esac', "blind"];
    const seen = await watched([...inside, ...blind], async () => send("10.244.2.7"));
    expect(seen.past).toBe(0);
    expect(seen.vantages.map(({ controlsSent, controlsSeen }) => [controlsSent, controlsSeen])).toEqual([
      [8, 0],
      [8, 0],
    ]);
  });

  test("a capture that has more to say than can be read at once still says at its end what it missed", async () => {
    const seen = await watched(inside, () => {
      send("10.244.2.7");
      const flood =
        "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('10.244.1.9', 0)); [s.sendto(b'plain', ('10.244.2.7', 9000)) for _ in range(2000)]";
      const flooding = spawn(inside[0] ?? "", [...inside.slice(1), "python3", "-c", flood], { stdio: "inherit" });
      return new Promise((resolve) => flooding.on("close", resolve));
    });
    expect(seen.failings).toEqual([]);
    expect(seen.past).toBeGreaterThan(500);
  });

  test("a capture that ends too early is said to", async () => {
    const seen = await watched(inside, async () => {
      // This one only: by the port in its filter.
      spawnSync("pkill", ["-TERM", "-f", `^tcpdump -i any .*${PORT}`]);
    });
    expect(seen.failings).toEqual(["the bridge: the capture ended early"]);
  });
});
