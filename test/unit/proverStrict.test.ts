import { setTimeout as timer } from "node:timers/promises";
import fc from "fast-check";
import { parseDrops } from "../../prover/agentAnswer.ts";
import { allChecks } from "../../prover/checks/checks.ts";
import { strictInWords } from "../../prover/checks/strict.ts";
import { CommandError } from "../../prover/clusterApi.ts";
import type { Intent } from "../../prover/intent.ts";
import { judge } from "../../prover/judge.ts";
import { lastFreeAddress, parseRange } from "../../prover/wire/addresses.ts";
import { observeWire } from "../../prover/wire/observe.ts";
import { healthy, intentFor } from "./proverTroubles/healthy.ts";
import { strictTested } from "./proverTroubles/strict.ts";
import { healthyOnWire } from "./proverTroubles/wire.ts";
import { FakeProbes } from "./proverWireProbes.ts";

const row = (reason: string, direction: string, packets: number) => ({
  ...{ reason, direction, packets, bytes: 100 * packets, line: 1432, file: "bpf_host.c" },
});

// As cilium-dbg/cmd/bpf_metrics_list.go of Cilium 1.20 prints them: an entry for each place in the source.
test.each([
  [
    "the sum of all places",
    [
      row("Traffic is unencrypted", "egress", 3),
      row("Traffic is unencrypted", "EGRESS", 2),
      row("Success", "egress", 9),
    ],
    5,
  ],
  ["not what came in", [row("Traffic is unencrypted", "ingress", 3)], 0],
  ["none", [row("Success", "ingress", 3)], 0],
  [
    "the older shape",
    [{ reason: 195, description: "Traffic is unencrypted", values: { egress: { packets: 4, bytes: 1 } } }],
    4,
  ],
])("drops are read: %s", (_name, document, said) => {
  expect(parseDrops(`level=warning\n${JSON.stringify(document)}`)).toEqual({ said });
});

test("without an entry Cilium prints no document, and that is none dropped", () => {
  expect(parseDrops("")).toEqual({ said: 0 });
});

test.each(["Error: permission denied", "[{", '[{"reason":"x"}]', "{}"])("%s is no answer", (output) => {
  expect(parseDrops(output)).toEqual({ silent: expect.stringMatching(/^answered/) });
});

test.each<[string, string, string[], string | null]>([
  ["nothing is held", "10.244.0.0/16", [], "10.244.255.254"],
  ["the end is held", "10.244.0.0/16", ["10.244.255.0/24", "10.244.254.0/24"], "10.244.253.255"],
  ["one address is held", "10.244.0.0/16", ["10.244.255.254", "10.244.255.253/32"], "10.244.255.252"],
  ["held by a wider range that begins before", "10.244.0.0/16", ["10.240.0.0/12"], null],
  ["all is held", "10.244.0.0/24", ["10.244.0.0/25", "10.244.0.128/25"], null],
  ["IPv6 is not strict mode's", "fd00::/64", [], null],
  ["not a range", "pods", [], null],
  ["others' ranges do not matter", "10.244.0.0/16", ["fd00::/8", "192.168.0.0/16"], "10.244.255.254"],
])("an address that no node holds: %s", (_name, range, held, expected) => {
  expect(lastFreeAddress(range, held)).toBe(expected);
});

test("such an address is in the range and in nobody's", () => {
  const ranges = fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 17, max: 28 })));
  fc.assert(
    fc.property(ranges, (parts) => {
      const held = parts.map(([octet, prefix]) => `10.1.${octet}.0/${prefix}`);
      const found = lastFreeAddress("10.1.0.0/16", held);
      if (found === null) return;
      const within = (range: string) => {
        const [outer, inner] = [parseRange(range), parseRange(found)];
        return outer && inner && inner.first >> BigInt(32 - outer.prefix) === outer.first >> BigInt(32 - outer.prefix);
      };
      expect(within("10.1.0.0/16")).toBe(true);
      expect(held.filter(within)).toEqual([]);
    }),
  );
});

test("where every node dropped and counted, strict mode is proven, and the evidence says so", () => {
  const wireCase = healthyOnWire("wireguard");
  const strict = strictTested(wireCase);
  expect(judge(wireCase.intent, wireCase.seen, allChecks).verdict).toBe("proven");
  expect(strictInWords(strict)).toBe(
    "4 of 4 nodes dropped and counted what was sent to 10.244.255.254, which no node holds",
  );
  expect(strictInWords({ ...strict, address: null })).toBeNull();
  expect(strictInWords(null)).toBeNull();
});

test("what came through is told once", () => {
  const wireCase = healthyOnWire("wireguard");
  strictTested(wireCase);
  const place = wireCase.wire.vantages[1];
  place?.plaintext.push({
    ...{ form: "bare", src: "10.244.1.7", dst: "10.244.255.254", from: place.node, to: null, marker: true },
    ...{ packets: 3, example: "x" },
  });
  const { findings } = judge(wireCase.intent, wireCase.seen, allChecks);
  expect(findings).toMatchObject([{ check: "strict-egress", node: place?.node }]);
});

function strictIntent(change: Partial<Intent> = {}): Intent {
  const intent = { ...intentFor("wireguard", 3), strict: true, ...change };
  intent.config = { ...intent.config, "encryption-strict-egress-cidr": "10.244.0.0/16" };
  intent.proof = { ...intent.proof, seconds: 1 };
  return intent;
}

const observed = (api: FakeProbes, intent = strictIntent()) =>
  observeWire(api, intent, healthy("wireguard", 3), { sleep: (seconds) => timer(seconds) });

test("every node sends to an address that no node holds, and is asked before and after", async () => {
  const api = new FakeProbes();
  const { strict } = await observed(api);
  expect(strict).toEqual({
    range: "10.244.0.0/16",
    address: "10.244.255.254",
    nodes: ["dev-control-plane", "dev-worker1", "dev-worker2"].map((node) => ({
      ...{ node, sent: 3, silent: null, drops: { before: { said: 0 }, after: { said: 3 } } },
    })),
  });
  const strictly = api.events.filter((event) => event.startsWith("strict"));
  expect(strictly.sort()).toEqual(["strict talker-0", "strict talker-1", "strict talker-2"]);
  // While the captures run, and before the controls that show it.
  const last = api.events.findLastIndex((event) => event.startsWith("strict"));
  expect(last).toBeLessThan(api.events.findLastIndex((event) => event.startsWith("controls")));
});

test("an agent or a talker that does not answer is told, and ends nothing", async () => {
  const api = new FakeProbes();
  api.before = ({ pod }, word) => {
    if (pod === "cilium-1" || (word === "strict" && pod === "talker-2")) throw new CommandError("did not answer");
  };
  const { strict, flows } = await observed(api);
  expect(strict?.nodes).toMatchObject([
    { sent: 3 },
    { sent: 3, drops: { before: { silent: "did not answer" }, after: { silent: "did not answer" } } },
    { sent: 0, silent: "did not answer" },
  ]);
  expect(flows.every(({ returned }) => returned > 0)).toBe(true);
});

test("nothing is sent where strict mode or encryption is off, or no address is free", async () => {
  const nowhere = strictIntent();
  nowhere.config = { ...nowhere.config, "encryption-strict-egress-cidr": "10.244.1.0/24" };
  for (const intent of [strictIntent({ strict: false }), strictIntent({ encryption: "none" }), nowhere]) {
    const api = new FakeProbes();
    await observed(api, intent);
    expect(api.events.filter((event) => event.startsWith("strict"))).toEqual([]);
  }
});
