import type { NodeSeen } from "../../prover/observation.ts";
import { decide, exitCodeOf } from "../../prover/sniff/decide.ts";
import { scopeOf } from "../../prover/sniff/scope.ts";
import type { Sniffed, WireSniffed } from "../../prover/sniff/sniffed.ts";
import { sniffText } from "../../prover/sniff/sniffText.ts";
import { TextSearch } from "../../prover/sniff/textSearch.ts";
import type { Workload } from "../../prover/sniff/workload.ts";
import type { Layer, Packet } from "../../prover/wire/packet.ts";

const workload = (pod: string, node: string, ip: string): Workload => ({
  ...{ namespace: "default", pod, container: "main", node, ip, hostNetwork: false },
});
const from = workload("frontend", "a", "10.244.1.5");
const to = workload("backend", "b", "10.244.2.6");
const packetSeen = {
  headers: "10.244.1.5.4 > 10.244.2.6.80: TCP",
  load: { before: "GET /?", text: "password", after: "=x" },
};
const place = { device: "eth0", silent: null, complete: true, dropped: 0, packets: 0, example: null };
const wire = (node: string, more: Partial<WireSniffed> = {}): WireSniffed => ({
  ...{ ...place, node, controls: { sent: 2, seen: 2 } },
  encrypted: { packets: 6, example: { headers: "ESP", load: { before: "..x", text: "", after: "" } } },
  ...more,
});
const clean: Sniffed = {
  ...{ text: "password", from, to, command: { text: "curl $TO", failed: null } },
  before: { ...place, node: "a", device: "lxc1", packets: 1, example: packetSeen },
  wire: [wire("a"), wire("b")],
};
const with_ = (changes: Partial<Sniffed>): Sniffed => ({ ...clean, ...changes });
const onB = (more: Partial<WireSniffed>): Sniffed => with_({ wire: [wire("a"), wire("b", more)] });

describe("the verdict", () => {
  test("seen before, and encrypted after: not readable", () => {
    expect(decide(clean)).toMatchObject({ verdict: "not readable on the wire", advice: null });
    expect(exitCodeOf("not readable on the wire")).toBe(0);
  });
  test("one packet on the wire is enough, whatever else is wrong", () => {
    const leak = onB({ packets: 1, complete: false, dropped: 9 });
    expect(decide(leak)).toMatchObject({
      verdict: "readable on the wire",
      statement: expect.stringContaining("1 packet"),
    });
    expect(exitCodeOf("readable on the wire")).toBe(1);
  });
  test.each<[string, Sniffed, RegExp]>([
    ["not seen before encryption", with_({ before: { ...clean.before, packets: 0 } }), /not seen at all/],
    [
      "nothing encrypted either",
      with_({ wire: [wire("a", { encrypted: { packets: 0, example: null } })] }),
      /nothing between/,
    ],
    ["a control is not seen", onB({ controls: { sent: 2, seen: 1 } }), /on b did not see/],
    ["no control was sent", onB({ controls: { sent: 0, seen: 0 } }), /on b did not see/],
    ["packets were dropped", onB({ dropped: 1 }), /on b missed packets/],
    ["the capture ended early", onB({ complete: false }), /on b missed packets/],
    ["no capture", onB({ silent: "its probe pod is Pending" }), /on b: its probe pod is Pending/],
    ["no capture at the sender", with_({ before: { ...clean.before, silent: "gone" } }), /at the sender: gone/],
    ["one node", with_({ to: { ...to, node: "a" }, wire: [] }), /both run on a/],
  ])("%s: nothing proven", (_, seen, why) => {
    expect(decide(seen)).toMatchObject({ verdict: "nothing proven", statement: expect.stringMatching(why) });
    expect(exitCodeOf(decide(seen).verdict)).toBe(3);
  });
  test("on one node it says how to move one", () => {
    expect(decide(with_({ to: { ...to, node: "a" }, wire: [] })).advice).toContain("kubectl cordon a");
  });
});

test("the view: before, after, and the text marked", () => {
  expect(sniffText(clean, decide(clean), false)).toMatchSnapshot();
  expect(sniffText(clean, decide(clean), true)).toContain("GET /?\u001b[7mpassword\u001b[27m=x");
});

const layer = (src: string, dst: string, more: Partial<Layer> = {}): Layer => ({
  ...{ src, dst, sport: null, dport: null, protocol: "TCP", fragment: null, overlay: null, ...more },
});
const packet = (layers: Layer[], data: string): Packet => ({ time: 0, layers, esp: null, bytes: Buffer.from(data) });
const node = (name: string, address: string, podCidr: string): NodeSeen => ({
  ...{ name, controlPlane: false, simulated: false, ready: true, addresses: [address], podCidrs: [podCidr] },
});
const nodes = [
  node("a", "172.30.0.2", "10.244.1.0/24"),
  node("b", "172.30.0.3", "10.244.2.0/24"),
  node("c", "172.30.0.4", "10.244.3.0/24"),
];

describe("whose packets count", () => {
  const scope = scopeOf({ from, to, nodes, markerPort: 20_001 });
  const all = scopeOf({ from, to: null, nodes, markerPort: 20_001 });
  const overlay = layer("172.30.0.2", "172.30.0.3", { overlay: "vxlan" });
  test.each<[string, Layer[], boolean, boolean]>([
    ["there", [layer(from.ip, to.ip)], true, true],
    ["there, in the overlay", [overlay, layer(from.ip, to.ip)], true, true],
    ["back", [layer(to.ip, from.ip)], true, false],
    ["to a third", [layer(from.ip, "10.244.3.7")], false, true],
    ["to the own node", [layer(from.ip, "10.244.1.9")], false, false],
    ["of others", [layer("10.244.1.9", to.ip)], false, false],
    ["out of the cluster", [layer(from.ip, "203.0.113.9")], false, false],
    ["in what tcpdump could not read", [], true, true],
    ["in an overlay that it could not read", [overlay], true, true],
  ])("%s", (_, layers, pair, sender) => {
    expect([scope.concerns(layers), all.concerns(layers)]).toEqual([pair, sender]);
  });
  test("encrypted packets count between the nodes of the two", () => {
    const esp = (dst: string) => packet([layer("172.30.0.2", dst, { protocol: "ESP" })], "");
    expect([scope.crosses(esp("172.30.0.3")), scope.crosses(esp("172.30.0.4"))]).toEqual([true, false]);
    expect([all.crosses(esp("172.30.0.4")), all.crosses(packet([], ""))]).toEqual([true, false]);
  });
  test("addresses outside of every pod range are captured too", () => {
    expect(scope.readable).toContain(`host ${from.ip} and host ${to.ip}`);
    expect(all.readable).toContain(`src host ${from.ip}`);
  });
});

describe("the search", () => {
  test("counts packets, and shows the first with dots for what has no letter", () => {
    const search = new TextSearch("password");
    for (const data of ["none", "GET /?password=x\r\n", "password"]) search.add(packet([layer(from.ip, to.ip)], data));
    expect(search.packets).toBe(2);
    expect(search.example).toEqual({
      headers: "10.244.1.5 > 10.244.2.6: TCP",
      load: { before: "GET /?", text: "password", after: "=x.." },
    });
  });
  test("does not count packets of others", () => {
    const search = new TextSearch("password", () => false);
    search.add(packet([layer(from.ip, to.ip)], "password"));
    expect(search.packets).toBe(0);
  });
  test("finds a text over the edge of two fragments, and counts their packet once", () => {
    const search = new TextSearch("password");
    const piece = (offset: number, data: string, more: boolean) =>
      packet([layer(from.ip, to.ip, { fragment: { id: 7, offset, length: data.length, more } })], `head${data}`);
    search.add(piece(0, "the pass", true));
    expect(search.packets).toBe(0);
    search.add(piece(8, "word is.", true));
    search.add(piece(16, "the end", false));
    expect(search.packets).toBe(1);
  });
  test("letters beyond ASCII are looked for as they are sent", () => {
    const search = new TextSearch("Schlüssel");
    search.add(packet([], "der Schlüssel"));
    expect(search.packets).toBe(1);
  });
});
