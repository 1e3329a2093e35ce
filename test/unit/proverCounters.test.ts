import { parseDebuginfo, parseIpsecCounters } from "../../prover/agentAnswer.ts";
import { partnersOf } from "../../prover/checks/pairs.ts";
import { type ClusterApi, CommandError } from "../../prover/clusterApi.ts";
import { readCounters, withCounters } from "../../prover/readBack.ts";
import { healthy, nodeName } from "./proverTroubles/healthy.ts";
import { agent } from "./proverTroubles/trouble.ts";

const key = (index: number): string => Buffer.alloc(32, index + 1).toString("base64");

const peers = [
  {
    "public-key": "P",
    endpoint: "172.30.0.2:51871",
    "allowed-ips": ["172.30.0.2/32"],
    "last-handshake-time": "2026-11-21T09:59:00.000Z",
    "transfer-rx": 120,
    "transfer-tx": 240,
  },
  // Go leaves zeros out, and Cilium prints its zero time for never.
  { "public-key": "Q", "allowed-ips": null, "last-handshake-time": "0001-01-01T00:00:00.000Z" },
];
const read = [
  { publicKey: "P", endpoint: "172.30.0.2:51871", lastHandshake: "2026-11-21T09:59:00.000Z", rx: 120, tx: 240 },
  { publicKey: "Q", endpoint: null, lastHandshake: null, rx: 0, tx: 0 },
];

const debuginfo = (encryption: unknown): object => ({
  "cilium-memory-map": 'a text with\n  "encryption": {\n  } in it',
  encryption,
  "endpoint-list": [{ status: { encryption: { mode: "none of it" } } }],
});

test.each([
  ["as Cilium indents it", 2],
  ["in one line", 0],
])("a debuginfo is read, whatever else it tells: %s", (_name, indent) => {
  const document = debuginfo({ mode: "Wireguard", wireguard: { interfaces: [{ name: "cilium_wg0", peers }] } });
  expect(parseDebuginfo(JSON.stringify(document, null, indent))).toEqual({ said: { peers: read, ipsec: null } });
});

test("of a debuginfo of megabytes only the encryption is taken", () => {
  const document = { ...debuginfo({ wireguard: { interfaces: [{ peers }] } }), policy: "x".repeat(5_000_000) };
  const output = JSON.stringify(document, null, 2);
  const parsed = jest.spyOn(JSON, "parse");
  expect(parseDebuginfo(output)).toHaveProperty("said.peers", read);
  expect(Math.max(...parsed.mock.calls.map(([text]) => text.length))).toBeLessThan(2_000);
  parsed.mockRestore();
});

test.each([
  ["no device", { mode: "Wireguard", wireguard: { interfaces: null } }, null],
  ["another mode", { mode: "IPsec" }, null],
  ["a device without peers", { wireguard: { interfaces: [{ peers: null }] } }, []],
])("a debuginfo with %s", (_name, encryption, found) => {
  expect(parseDebuginfo(JSON.stringify(debuginfo(encryption), null, 2))).toEqual({
    said: { peers: found, ipsec: null },
  });
});

test.each([
  ["nothing of encryption", "{}", /unknown shape: encryption/],
  ["text", "WireGuard", /without a JSON document/],
])("a debuginfo of %s is no answer", (_name, output, silent) => {
  expect(parseDebuginfo(output)).toEqual({ silent: expect.stringMatching(silent) });
});

test.each([
  ["a 32-bit number", "0x1e3/0xffffffff", 483],
  ["a 64-bit number", "0x1e3/0xffffffffffffffff", 483],
  ["none yet", "N/A", null],
  ["nothing", undefined, null],
])("IPsec counters are read: %s", (_name, sequence, maxSequence) => {
  const document = {
    mode: "IPsec",
    ipsec: { "keys-in-use": 6, "max-seq-number": sequence, "error-count": 2, "xfrm-errors": { XfrmInNoStates: 2 } },
  };
  const ipsec = { maxSequence, keysInUse: 6, errorCount: 2, errors: { XfrmInNoStates: 2 } };
  expect(parseIpsecCounters(JSON.stringify(document))).toEqual({ said: { peers: null, ipsec } });
});

test("a sequence number that is none is no answer", () => {
  expect(parseIpsecCounters('{"ipsec": {"max-seq-number": "many"}}')).toEqual({
    silent: expect.stringMatching(/unknown shape: ipsec.max-seq-number/),
  });
});

/** Four nodes whose agents answer with all peers, one of a stranger and itself among them. */
function cluster(run: ClusterApi["run"]): ClusterApi {
  return { run } as Partial<ClusterApi> as ClusterApi;
}

const all = JSON.stringify({
  encryption: { wireguard: { interfaces: [{ peers: [0, 1, 2, 3, 99].map((n) => ({ "public-key": key(n) })) }] } },
});
const inPairs = partnersOf([
  { from: nodeName(0), to: nodeName(1) },
  { from: nodeName(2), to: nodeName(3) },
]);

test("of a node's peers its partners are kept, and who is no other node", async () => {
  const counters = await readCounters(
    cluster(async () => all),
    healthy("wireguard"),
    "wireguard",
    inPairs,
  );
  const kept = [...counters].map(([node, answer]) => [
    node,
    "said" in answer ? answer.said.peers?.map(({ publicKey }) => publicKey) : answer,
  ]);
  expect(Object.fromEntries(kept)).toEqual({
    [nodeName(0)]: [key(0), key(1), key(99)],
    [nodeName(1)]: [key(0), key(1), key(99)],
    [nodeName(2)]: [key(2), key(3), key(99)],
    [nodeName(3)]: [key(2), key(3), key(99)],
  });
});

test("each mode's agents are asked what tells of it, and only those that are there", async () => {
  const asked: string[] = [];
  const seen = healthy("ipsec");
  agent(seen, 1).terminating = true;
  agent(seen, 2).ready = false;
  const api = cluster(async (pod, command) => {
    asked.push(`${pod}: ${command.join(" ")}`);
    if (pod === "cilium-3") throw new CommandError("did not answer within 10 s");
    return "{}";
  });
  const counters = await readCounters(api, seen, "ipsec", inPairs);
  expect(asked).toEqual(["cilium-0: cilium-dbg encrypt status -o json", "cilium-3: cilium-dbg encrypt status -o json"]);
  expect(withCounters(seen, new Map(), counters).agents.map((each) => each.counters)).toEqual([
    { before: { silent: "was not asked" }, after: { said: { peers: null, ipsec: null } } },
    { before: { silent: "was not asked" }, after: { silent: "was not asked" } },
    { before: { silent: "was not asked" }, after: { silent: "was not asked" } },
    { before: { silent: "was not asked" }, after: { silent: "did not answer within 10 s" } },
  ]);
});

test("without encryption there is nothing to count", async () => {
  const api = cluster(async () => {
    throw new Error("must not be asked");
  });
  expect(await readCounters(api, healthy("none"), "none", inPairs)).toEqual(new Map());
});
