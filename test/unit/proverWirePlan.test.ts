import fc from "fast-check";
import { captureCommand } from "../../prover/wire/capture.ts";
import { octal, plannedControls } from "../../prover/wire/controls.ts";
import { deviceCommand, parseEgress } from "../../prover/wire/device.ts";
import { MarkerLog, markerCommands, markerPort, markerText, plannedMarkers } from "../../prover/wire/markers.ts";
import { chosenPairs } from "../../prover/wire/pairs.ts";
import { podState } from "../../prover/wire/probe.ts";

const named = (count: number): string[] => Array.from({ length: count }, (_, index) => `node-${index}`);

describe("pairs", () => {
  test("up to the limit all are tested", () => {
    expect(chosenPairs(named(16), 240, "seed")).toMatchObject({ total: 240, sample: null });
    expect(chosenPairs(named(16), 240, "seed").tested).toHaveLength(240);
    expect(chosenPairs(named(30), "all", "seed").tested).toHaveLength(870);
    expect(chosenPairs([], 240, "seed")).toEqual({ total: 0, tested: [], sample: null });
  });

  test("beyond it, in a sample every node sends and receives equally often, and its size is the nodes' times that", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 90 }),
        fc.integer({ min: 2, max: 400 }),
        fc.string(),
        (count, limit, seed) => {
          const nodes = named(count);
          const { total, tested, sample } = chosenPairs(nodes, limit, seed);
          const pairs = new Set(tested.map(({ from, to }) => `${from} ${to}`));
          expect(pairs.size).toBe(tested.length);
          expect(tested.every(({ from, to }) => from !== to)).toBe(true);
          for (const side of ["from", "to"] as const) {
            const counts = nodes.map((node) => tested.filter((pair) => pair[side] === node).length);
            expect(new Set(counts).size).toBe(1);
            expect(counts[0]).toBeGreaterThanOrEqual(Math.min(2, count - 1));
          }
          expect(tested.length).toBeLessThanOrEqual(Math.max(limit, 2 * count));
          expect(sample === null).toBe(tested.length === total && total <= limit);
        },
      ),
    );
  });

  test("a sample is its seed's: the same again, whatever the order of the nodes, and another one with another seed", () => {
    const sorted = (nodes: string[], seed: string): string[] =>
      chosenPairs(nodes, 40, seed)
        .tested.map(({ from, to }) => `${from} ${to}`)
        .sort();
    expect(sorted(named(40).reverse(), "a")).toEqual(sorted(named(40), "a"));
    expect(sorted(named(40), "b")).not.toEqual(sorted(named(40), "a"));
  });

  test("an even sample tests every pair in both directions", () => {
    const { tested } = chosenPairs(named(100), 200, "seed");
    const pairs = new Set(tested.map(({ from, to }) => `${from} ${to}`));
    expect(tested.every(({ from, to }) => pairs.has(`${to} ${from}`))).toBe(true);
  });
});

describe("markers", () => {
  test("each is its own, and too random for chance", () => {
    const markers = plannedMarkers(chosenPairs(named(5), "all", "").tested, () => true);
    expect(markers).toHaveLength(20 * 4);
    expect(new Set(markers.map(({ text }) => text)).size).toBe(80);
    for (const { text } of markers) expect(text).toMatch(/^wirecloak-[0-9a-f]{32}$/);
    expect(markerText()).not.toBe(markerText());
  });

  test("node addresses are tested only where both sides encrypt what their nodes send", () => {
    const markers = plannedMarkers([{ from: "a", to: "b" }], () => false);
    expect(markers.map(({ kind, protocol }) => `${kind} ${protocol}`)).toEqual(["pod tcp", "pod udp"]);
  });

  test("the port is below those that Kubernetes and the kernel give out", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 2 }), (random) => {
        const port = markerPort(Buffer.from(random));
        expect(port).toBeGreaterThanOrEqual(20_000);
        expect(port).toBeLessThan(30_000);
      }),
    );
  });

  test("what is sent to is no part of the script, and one command's arguments stay short", () => {
    const targets = Array.from({ length: 100 }, (_, index) => ({
      protocol: "tcp" as const,
      address: `fd00:10:244:${index}::abcd`,
      text: `wirecloak-${String(index).padStart(32, "0")}; rm -rf "$HOME"`,
    }));
    const commands = markerCommands(5, 20_000, targets);
    expect(commands.flatMap((command) => command.targets)).toEqual(targets);
    expect(new Set(commands.map(({ command }) => command[2])).size).toBe(1);
    for (const { command } of commands) {
      expect(command[2]).not.toContain("wirecloak-");
      expect(encodeURIComponent(command.join(" ")).length).toBeLessThan(6000);
    }
  });

  test("an output is counted however it is cut, and what is no line of ours is passed over", () => {
    const output = "sent a\nsent a\nreturned a\nsocat: something\nsent b\n";
    fc.assert(
      fc.property(fc.array(fc.nat(output.length)), (cuts) => {
        const log = new MarkerLog();
        const read = log.reader();
        let last = 0;
        for (const cut of [...cuts.sort((a, b) => a - b), output.length]) {
          read(output.slice(last, cut));
          last = Math.max(last, cut);
        }
        expect([log.of("a"), log.of("b"), log.of("c")]).toEqual([
          { sent: 2, returned: 1 },
          { sent: 1, returned: 0 },
          { sent: 0, returned: 0 },
        ]);
      }),
    );
  });

  test("lines of commands that run at once do not mix", () => {
    const log = new MarkerLog();
    const [one, other] = [log.reader(), log.reader()];
    one("sent ");
    other("sent b\n");
    one("a\n");
    expect([log.of("a").sent, log.of("b").sent]).toEqual([1, 1]);
  });
});

describe("the device towards the other nodes", () => {
  const link = (ifname: string, address: string, type = "ether") => ({
    ifname,
    link_type: type,
    address: "02:00:00:00:00:01",
    addr_info: address ? [{ local: address }] : [],
  });
  const answer = (dev: string | null, ...links: object[]): string =>
    `${JSON.stringify([dev ? { dst: "172.18.0.3", dev } : {}])}\n${JSON.stringify(links)}\n`;

  test("is that of the route", () => {
    const output = answer("bond0", link("eth0", "172.18.0.2"), link("bond0", ""));
    expect(parseEgress(output, ["172.18.0.2"])).toEqual({ device: "bond0", mac: "02:00:00:00:00:01" });
  });

  test.each(["cilium_wg0", "cilium_host", "lxc1234"])(
    "is that of the node's address where the route leads into %s",
    (dev) => {
      const output = answer(dev, link(dev, "", dev === "cilium_wg0" ? "none" : "ether"), link("eth0", "172.18.0.2"));
      expect(parseEgress(output, ["172.18.0.2"])).toMatchObject({ device: "eth0" });
    },
  );

  test.each([
    ["nothing", ""],
    ["no document", "RTNETLINK answers: Network is unreachable\n"],
    ["broken JSON", "[{\n[{\n"],
    ["no device of the kind", answer("wg0", link("wg0", "172.18.0.2", "none"))],
  ])("is unknown, with a reason, where the answer is %s", (_name, output) => {
    expect(parseEgress(output, ["172.18.0.2"])).toEqual({ silent: expect.stringContaining("no Ethernet device") });
  });

  test("an address is an argument of the question, not of its script", () => {
    expect(deviceCommand("fd00::1").slice(3)).toEqual(["device", "fd00::1"]);
  });
});

describe("captures", () => {
  const options = { device: "eth0", filter: "port 1 or port 2", snapLength: 0, count: 9, seconds: 60 };

  test("on a node, of what it sends", () => {
    expect(captureCommand({ ...options, outgoing: true }).join(" ")).toBe(
      "timeout 60 tcpdump -i eth0 -p -Q out -l -nn -v -xx -tt -s 0 -c 9 port 1 or port 2",
    );
  });

  test("outside, of all, in promiscuous mode: a control is addressed to its sender", () => {
    expect(captureCommand({ ...options, outgoing: false }).slice(4)).not.toEqual(expect.arrayContaining(["-p", "-Q"]));
  });
});

describe("controls", () => {
  test("have every form that a leak could have, one of each a node", () => {
    const forms = (overlay: "vxlan" | "geneve" | null): string[] =>
      plannedControls(["a", "b"], overlay).map(({ from, form }) => `${from} ${form}`);
    expect(forms(null)).toEqual(["a bare", "b bare"]);
    expect(forms("geneve")).toEqual(["a bare", "a geneve", "b bare", "b geneve"]);
  });

  test("are written by printf as they are, byte by byte", () => {
    expect(octal(Buffer.from([0, 0x25, 0x5c, 0xff]))).toBe("\\000\\045\\134\\377");
  });
});

describe("a pod", () => {
  const pod = (status: object) => ({ status: { containerStatuses: [{ state: {} }], ...status } }) as never;

  test.each([
    [
      "runs",
      pod({ phase: "Running", podIP: "10.0.0.1", containerStatuses: [{ state: { running: {} } }] }),
      { is: "running", ip: "10.0.0.1" },
    ],
    ["is coming", pod({ phase: "Pending" }), { is: "coming", why: "its probe pod is Pending" }],
    [
      "is coming while its image is pulled again",
      pod({ phase: "Pending", containerStatuses: [{ state: { waiting: { reason: "ErrImagePull" } } }] }),
      { is: "coming", why: "its probe pod is Pending: ErrImagePull" },
    ],
    [
      "never comes without its image",
      pod({
        phase: "Pending",
        containerStatuses: [{ state: { waiting: { reason: "ImagePullBackOff", message: "m" } } }],
      }),
      { is: "failed", why: "its probe pod is Pending: ImagePullBackOff: m" },
    ],
    [
      "is over where it was ended",
      pod({ phase: "Failed", reason: "DeadlineExceeded" }),
      { is: "failed", why: "its probe pod ended: DeadlineExceeded" },
    ],
    ["is gone where it is not listed", undefined, { is: "failed", why: "its probe pod is gone" }],
  ])("%s", (_name, seen, state) => {
    expect(podState(seen)).toEqual(state);
  });
});
