import type { Layer, Packet } from "../../prover/wire/packet.ts";
import { Sightings, type WireContext } from "../../prover/wire/sightings.ts";

const context: WireContext = {
  nodes: [
    {
      name: "a",
      ips: ["172.30.0.2", "2001:db8:1::2"],
      podIp: "10.244.1.5",
      podCidrs: ["10.244.1.0/24", "fd00:1::/64"],
    },
    // As with a cloud's own addresses: the pods' range holds the node, and the probe pod is outside of it.
    { name: "b", ips: ["10.244.2.1", "2001:db8:1::3"], podIp: "10.99.0.7", podCidrs: ["10.244.2.0/24", "fd00:2::/64"] },
    { name: "c", ips: ["172.30.0.4"], podIp: null, podCidrs: [] },
  ],
  markers: new Set(["run-marker-1", "run-marker-2"]),
  controls: new Map([
    ["run-control-a", { from: "a", form: "bare", sent: 3 }],
    ["run-control-b", { from: "b", form: "vxlan", sent: 2 }],
  ]),
  markerPort: 7777,
};
const [a, b, c] = ["172.30.0.2", "10.244.2.1", "172.30.0.4"];
const [pa, pb, probe] = ["10.244.1.5", "10.244.2.6", "10.99.0.7"];
const [a6, b6, pa6, pb6] = ["2001:db8:1::2", "2001:db8:1::3", "fd00:1::5", "fd00:2::6"];
const world = "203.0.113.9";

/** `1.2.3.4:80` has a port. */
function layer(src: string, dst: string, protocol: string, more: Partial<Layer> = {}): Layer {
  const end = (text: string) => /^(\d+\.\d+\.\d+\.\d+):(\d+)$/.exec(text);
  const port = (text: string) => (end(text) ? Number(end(text)?.[2]) : null);
  const addresses = { src: end(src)?.[1] ?? src, dst: end(dst)?.[1] ?? dst, sport: port(src), dport: port(dst) };
  return { ...addresses, protocol, fragment: null, overlay: null, ...more };
}

const packet = (layers: Layer[], data = "", esp: Packet["esp"] = null): Packet => ({
  time: 0,
  layers,
  esp,
  bytes: Buffer.from(`....${data}....`),
});
const vxlan = (src: string, dst: string) => layer(`${src}:50000`, `${dst}:8472`, "UDP", { overlay: "vxlan" });
const geneve = (src: string, dst: string) => layer(src, dst, "UDP", { overlay: "geneve" });
const tcp = (src: string, dst: string) => layer(src, dst, "TCP");
const esp = (src: string, dst: string) => layer(src, dst, "ESP");

/** What is told of the packets, a line for each kind. */
function sorted(...packets: Packet[]): string[] {
  const sightings = new Sightings(context);
  for (const each of packets) sightings.add(each);
  const { controls, plaintext, ciphertext } = sightings.result();
  return [
    ...controls
      .filter(({ seen }) => seen > 0)
      .map(({ from, form, sent, seen }) => `control ${from} ${form} ${seen}/${sent}`),
    ...plaintext.map(
      (p) => `${p.form} ${p.from}>${p.to} ${p.src} > ${p.dst}${p.marker ? " marker" : ""} x${p.packets}`,
    ),
    ...ciphertext.map((e) => {
      const numbers = e.spi === null ? "" : ` ${e.spi}/${e.firstSequence}-${e.lastSequence} ${e.increasing}`;
      return `${e.kind} ${e.from}>${e.to} ${e.src} > ${e.dst}${numbers} x${e.packets}`;
    }),
  ];
}

const marker = "run-marker-1";
const piece = { id: 7, offset: 1480, length: 8, more: false };
const rows: [string, Packet, string[]][] = [
  // Controls.
  ["a control in its own form", packet([layer(a, "192.0.2.1", "UDP")], "run-control-a"), ["control a bare 1/3"]],
  [
    "a control inside the overlay",
    packet([vxlan(b, "192.0.2.1"), layer(pb, pa, "UDP")], "run-control-b"),
    ["control b vxlan 1/2"],
  ],
  ["an overlay control that is not read as such", packet([layer(b, "192.0.2.1", "UDP")], "run-control-b"), []],
  ["a bare control that is read inside an overlay", packet([vxlan(a, b), tcp(pa, pb)], "run-control-a"), []],
  ["a control that could not be read", packet([], "run-control-a"), []],

  // Plaintext by its marker.
  [
    "a marker from a pod to a node's port of the markers",
    packet([tcp(`${pa}:40000`, `${b}:7777`)], marker),
    [`bare a>b ${pa} > ${b} marker x1`],
  ],
  ["a marker between pods", packet([tcp(pa, pb)], marker), [`bare a>b ${pa} > ${pb} marker x1`]],
  ["a marker between pods, IPv6", packet([tcp(pa6, pb6)], marker), [`bare a>b ${pa6} > ${pb6} marker x1`]],
  [
    "a marker to a probe pod outside of the ranges",
    packet([tcp(pa, probe)], marker),
    [`bare a>b ${pa} > ${probe} marker x1`],
  ],
  ["a marker's echo, from its sender", packet([tcp(pb, pa)], marker), [`bare b>a ${pb} > ${pa} marker x1`]],
  ["a marker in VXLAN", packet([vxlan(a, b), tcp(pa, pb)], marker), [`vxlan a>b ${pa} > ${pb} marker x1`]],
  ["a marker in Geneve", packet([geneve(a, b), tcp(pa, pb)], marker), [`geneve a>b ${pa} > ${pb} marker x1`]],
  [
    "a marker in an overlay from nobody known",
    packet([vxlan(world, "198.51.100.1"), tcp(pa, pb)], marker),
    [`vxlan a>b ${pa} > ${pb} marker x1`],
  ],
  ["a marker between nodes", packet([tcp(`${a}:40000`, `${b}:7777`)], marker), [`node a>b ${a} > ${b} marker x1`]],
  ["its echo", packet([tcp(`${b}:7777`, `${a}:40000`)], marker), [`node b>a ${b} > ${a} marker x1`]],
  [
    "a marker between nodes on another port",
    packet([tcp(`${a}:40000`, `${b}:80`)], marker),
    [`bare a>b ${a} > ${b} marker x1`],
  ],
  [
    "a marker in ESP without a cipher",
    packet([esp(a, b)], marker, { spi: 3, sequence: 1 }),
    [`bare a>b ${a} > ${b} marker x1`],
  ],
  [
    "a marker in what looks like WireGuard",
    packet([layer(`${a}:51871`, `${b}:51871`, "UDP")], marker),
    [`bare a>b ${a} > ${b} marker x1`],
  ],
  [
    "a marker in an overlay that was not read",
    packet([layer(`${a}:49152`, `${b}:8472`, "UDP")], marker),
    [`bare a>b ${a} > ${b} marker x1`],
  ],
  [
    "a marker in IPv4 inside IPv4",
    packet([layer(a, b, "IPIP"), tcp(pa, pb)], marker),
    [`bare a>b ${pa} > ${pb} marker x1`],
  ],
  ["a marker from a pod to the world", packet([tcp(pa, world)], marker), [`bare a>null ${pa} > ${world} marker x1`]],
  ["a marker in ARP", packet([vxlan(a, b), layer(pa, pb, "ARP")], marker), [`vxlan a>b ${pa} > ${pb} marker x1`]],
  [
    "a marker in what nobody can read",
    packet([], marker),
    ["bare null>null not readable by tcpdump > not readable by tcpdump marker x1"],
  ],

  // Plaintext by its addresses.
  [
    "an overlay inside another one's",
    packet([geneve(a, c), vxlan(a, b), tcp(pa, world)]),
    [`vxlan a>b ${pa} > ${world} x1`],
  ],
  ["between pods of two nodes", packet([tcp(pa, pb)]), [`bare a>b ${pa} > ${pb} x1`]],
  ["between pods of two nodes, IPv6", packet([tcp(pa6, pb6)]), [`bare a>b ${pa6} > ${pb6} x1`]],
  ["between pods in IPv6 inside IPv4", packet([layer(a, b, "IPv6"), tcp(pa6, pb6)]), [`bare a>b ${pa6} > ${pb6} x1`]],
  ["a later fragment between pods", packet([layer(pa, pb, "UDP", { fragment: piece })]), [`bare a>b ${pa} > ${pb} x1`]],
  ["a pod's own ESP to another pod", packet([esp(pa, pb)], "", { spi: 3, sequence: 1 }), [`bare a>b ${pa} > ${pb} x1`]],
  [
    "a pod's own WireGuard to another pod",
    packet([layer(`${pa}:51871`, `${pb}:51871`, "UDP")]),
    [`bare a>b ${pa} > ${pb} x1`],
  ],
  ["between pods in an overlay", packet([vxlan(a, b), tcp(pa, pb)]), [`vxlan a>b ${pa} > ${pb} x1`]],
  ["between pods in an overlay over IPv6", packet([geneve(a6, b6), tcp(pa, pb)]), [`geneve a>b ${pa} > ${pb} x1`]],
  [
    "from a pod to the world by way of another node",
    packet([vxlan(a, c), tcp(pa, world)]),
    [`vxlan a>c ${pa} > ${world} x1`],
  ],
  ["from a node to a pod in an overlay", packet([vxlan(a, b), tcp(a, pb)]), [`vxlan a>b ${a} > ${pb} x1`]],
  [
    "a pod's own ESP in an overlay",
    packet([vxlan(a, b), esp(pa, pb)], "", { spi: 3, sequence: 1 }),
    [`vxlan a>b ${pa} > ${pb} x1`],
  ],
  [
    "WireGuard in an overlay, which no Cilium sends",
    packet([vxlan(a, b), layer(`${a}:51871`, `${b}:51871`, "UDP")]),
    [`vxlan a>b ${a} > ${b} x1`],
  ],
  ["an overlay packet with an inside that was not read", packet([vxlan(a, b)]), [`vxlan a>b ${a} > ${b} x1`]],
  ["an overlay inside an overlay", packet([vxlan(a, b), vxlan(a, b), tcp(pa, pb)]), [`vxlan a>b ${pa} > ${pb} x1`]],

  // Neither.
  ["ESP from the world to a pod", packet([esp(world, pb)], "", { spi: 3, sequence: 1 }), []],
  ["a solicitation of one neighbour in an overlay", packet([vxlan(a, b), layer("fe80::1", pb6, "ICMPv6")]), []],
  [
    "a solicitation from a pod's address in an overlay",
    packet([vxlan(a, b), layer(pa6, "ff02::1:ff00:6", "ICMPv6")]),
    [],
  ],
  ["between pods of one node", packet([tcp(pa, "10.244.1.9")]), []],
  ["from a pod to the world", packet([tcp(pa, world)]), []],
  ["from the world to a pod", packet([tcp(world, pb)]), []],
  ["from a pod to another node", packet([tcp(pa, c)]), []],
  ["from a node to a pod", packet([tcp(a, pb)]), []],
  ["the API", packet([tcp(`${a}:40000`, `${b}:6443`)]), []],
  ["a node's port of the markers, without one", packet([tcp(`${a}:40000`, `${b}:7777`)]), []],
  ["an overlay from nobody known", packet([vxlan(world, b), tcp(world, world)]), []],
  ["an overlay from a node to itself", packet([vxlan(a, a), tcp(world, world)]), []],
  ["ARP in an overlay", packet([vxlan(a, b), layer(pa, pb, "ARP")]), []],
  ["neighbour discovery in an overlay", packet([vxlan(a, b), layer("fe80::1", "ff02::1:ff00:6", "ICMPv6")]), []],
  ["address detection in an overlay", packet([vxlan(a, b), layer("::", "ff02::1:ff00:6", "ICMPv6")]), []],
  ["neighbour advertisement in an overlay", packet([vxlan(a, b), layer(pa6, "fe80::1", "ICMPv6")]), []],
  ["a multicast report in an overlay", packet([vxlan(a, b), layer(pa, "224.0.0.22", "igmp")]), []],
  ["a later fragment between nodes", packet([layer(a, b, "UDP", { fragment: piece })]), []],
  ["a later fragment of ESP", packet([layer(a, b, "ESP", { fragment: piece })]), []],
  ["what nobody can read", packet([]), []],

  // Ciphertext.
  ["WireGuard to behind NAT", packet([layer(`${a}:51871`, `${b}:1024`, "UDP")]), [`wireguard a>b ${a} > ${b} x1`]],
  ["ESP", packet([esp(a, b)], "", { spi: 3, sequence: 7 }), [`esp a>b ${a} > ${b} 3/7-7 true x1`]],
  ["ESP, IPv6", packet([esp(a6, b6)], "", { spi: 3, sequence: 7 }), [`esp a>b ${a6} > ${b6} 3/7-7 true x1`]],
  [
    "ESP to somewhere else",
    packet([esp(a, world)], "", { spi: 3, sequence: 7 }),
    [`esp a>null ${a} > ${world} 3/7-7 true x1`],
  ],
  [
    "ESP in VXLAN",
    packet([vxlan(a, b), esp(a, b)], "", { spi: 3, sequence: 7 }),
    [`esp-in-vxlan a>b ${a} > ${b} 3/7-7 true x1`],
  ],
  [
    "ESP in Geneve",
    packet([geneve(a, b), esp(a, b)], "", { spi: 3, sequence: 7 }),
    [`esp-in-geneve a>b ${a} > ${b} 3/7-7 true x1`],
  ],
  ["WireGuard", packet([layer(`${a}:51871`, `${b}:51871`, "UDP")]), [`wireguard a>b ${a} > ${b} x1`]],
  ["WireGuard behind NAT", packet([layer(`${a}:1024`, `${b}:51871`, "UDP")]), [`wireguard a>b ${a} > ${b} x1`]],
];

test.each(rows)("%s", (_name, seen, expected) => expect(sorted(seen)).toEqual(expected));

test("packets of a kind are counted together", () => {
  const [one, two] = [packet([tcp(pa, pb)]), packet([tcp(pb, pa)])];
  expect(sorted(one, two, one, packet([tcp(`${pa}:1`, `${pb}:2`)], marker))).toEqual([
    `bare a>b ${pa} > ${pb} x2`,
    `bare b>a ${pb} > ${pa} x1`,
    `bare a>b ${pa} > ${pb} marker x1`,
  ]);
});

test.each([
  [[1, 2, 3], "3/1-3 true x3"],
  [[1, 2, 2], "3/1-2 false x3"],
  [[5, 4, 6], "3/5-6 false x3"],
])("sequence numbers %j", (numbers, expected) => {
  const packets = numbers.map((sequence) => packet([esp(a, b)], "", { spi: 3, sequence }));
  expect(sorted(...packets)).toEqual([`esp a>b ${a} > ${b} ${expected}`]);
});

test("streams of two keys, directions and kinds are kept apart", () => {
  const stream = (src: string, dst: string, spi: number) => packet([esp(src, dst)], "", { spi, sequence: 1 });
  const inside = packet([vxlan(a, b), esp(a, b)], "", { spi: 3, sequence: 1 });
  expect(sorted(stream(a, b, 3), stream(a, b, 4), stream(b, a, 3), inside)).toHaveLength(4);
});

describe("a marker over the edge of fragments", () => {
  const fragment = (offset: number, data: string, first: Layer[] | null, more = true): Packet => {
    const outer = layer(a, b, "UDP", { fragment: { id: 7, offset, length: data.length, more } });
    const layers = first ? [{ ...outer, ...first[0], fragment: outer.fragment }, ...first.slice(1)] : [outer];
    return { time: 0, layers, esp: null, bytes: Buffer.from(`head${data}`) };
  };
  const first = fragment(0, "1234567890run-ma", [vxlan(a, b), tcp(pa, pb)]);
  const last = fragment(16, "rker-1", null, false);

  test("is found in their order", () =>
    expect(sorted(first, last)).toEqual([`vxlan a>b ${pa} > ${pb} x1`, `vxlan a>b ${pa} > ${pb} marker x1`]));
  test("is found in any other order", () => expect(sorted(last, first)).toEqual([`vxlan a>b ${pa} > ${pb} marker x1`]));
  test("is found without the first fragment", () =>
    expect(sorted(fragment(8, "  run-ma", null), last)).toEqual([`bare a>b ${a} > ${b} marker x1`]));
  test("is not found over a gap", () =>
    expect(sorted(first, fragment(24, "rker-1", null, false))).toEqual([`vxlan a>b ${pa} > ${pb} x1`]));
  test("is not found over two packets", () => {
    const other = {
      ...last,
      layers: last.layers.map((each) => ({ ...each, fragment: { ...piece, id: 8, offset: 16 } })),
    };
    expect(sorted(first, other)).toEqual([`vxlan a>b ${pa} > ${pb} x1`]);
  });
});

test("a control is told by its sender, seen or not", () => {
  expect(new Sightings(context).result().controls).toEqual([
    { from: "a", form: "bare", sent: 3, seen: 0 },
    { from: "b", form: "vxlan", sent: 2, seen: 0 },
  ]);
});

test("an example tells headers and no payload", () => {
  const sightings = new Sightings(context);
  sightings.add(packet([vxlan(a, b), tcp(`${pa}:1`, `${pb}:2`)], "secret"));
  const told = `${a}.50000 > ${b}.8472: UDP, vxlan / ${pa}.1 > ${pb}.2: TCP`;
  expect(sightings.result().plaintext.map(({ example }) => example)).toEqual([told]);
});

test("memory has a bound, and no packet goes uncounted but for streams beyond it", () => {
  const sightings = new Sightings(context);
  const address = (prefix: string, index: number) => `${prefix}:${Math.floor(index / 250)}::${index % 250}`;
  for (let index = 0; index < 25_000; index += 1) {
    sightings.add(packet([tcp(address("fd00:1:0:0", index).replace("::", ":1:1:"), pb6)]));
    sightings.add(packet([esp(`2001:db8:${address("9", index)}`, a6)], "", { spi: 1, sequence: 1 }));
  }
  sightings.add(packet([vxlan(a, b), tcp(a, "10.244.2.77")]));
  sightings.add(packet([tcp(pa, pb)], marker));
  const { plaintext, ciphertext } = sightings.result();
  expect(plaintext.length).toBeLessThan(20_010);
  expect(plaintext.reduce((sum, { packets }) => sum + packets, 0)).toBe(25_002);
  expect(plaintext.filter(({ src, dst }) => src === "others" || dst === "others")).toMatchObject([
    { src: "others", dst: "others", from: "a", to: "b", packets: 5_000 },
    // A node's address stays.
    { src: a, dst: "others", packets: 1 },
  ]);
  expect(plaintext.at(-1)).toMatchObject({ src: pa, dst: pb, marker: true });
  expect(ciphertext).toHaveLength(20_000);
});
