import type { Form } from "../../components/encryption/guard/forms.ts";
import type { Drop, Guarded } from "../../components/encryption/guard/ruleset.ts";
import { arp, echo, esp, ethernet, geneve, ip, ipv6Fragment, tcp, udp, vlan, vxlan } from "./frames.ts";

/** The guards that packets are tried on. */
export const VARIANTS = {
  wireguard: ["wireguard"],
  "wireguard with node encryption": ["wireguard-nodes"],
  ipsec: ["ipsec"],
  "ipsec up to 1.17 in a tunnel": ["ipsec-in-overlay"],
  "wireguard and ipsec, in a switch": ["wireguard", "ipsec"],
  "node encryption switched on": ["wireguard", "wireguard-nodes"],
} as const satisfies Record<string, readonly Form[]>;

export type Variant = keyof typeof VARIANTS;
const NODES: Variant = "wireguard with node encryption";

export function guarded(variant: Variant): Guarded {
  return {
    table: "wirecloak-test",
    generation: "5b3f9f5e-0000-4000-8000-000000000001",
    owner: "0a1b2c3d",
    forms: VARIANTS[variant],
    nodes: ["172.30.0.0/16", "fd30::/64"],
    pods: ["10.244.0.0/16", "fd44::/48"],
    optedOut: ["172.30.0.2", "fd30::2"],
  };
}

/** What becomes of a frame: it passes, or is dropped and counted under a name. */
export type Fate = Drop | "pass";

export interface Case {
  what: string;
  frame: Buffer;
  fate: (variant: Variant) => Fate;
}

const always = (fate: Fate) => () => fate;
const only = (form: Form, otherwise: Fate) => (variant: Variant) =>
  (VARIANTS[variant] as readonly Form[]).includes(form) ? "pass" : otherwise;
const wireguardOnly = (variant: Variant) =>
  VARIANTS[variant].some((form) => form.startsWith("wireguard")) ? "pass" : "other-ciphertext";
const plainOfNodes = (variant: Variant): Fate => (variant === NODES ? "node-traffic" : "pass");

const v4 = {
  controlPlane: "172.30.0.2",
  a: "172.30.0.3",
  b: "172.30.0.4",
  podA: "10.244.1.5",
  podB: "10.244.2.6",
  world: "198.51.100.7",
};
const v6 = {
  controlPlane: "fd30::2",
  a: "fd30::3",
  b: "fd30::4",
  podA: "fd44:0:0:1::5",
  podB: "fd44:0:0:2::6",
  world: "2001:db8::7",
};

const wireguard = (type: number) => udp(51_871, 51_871, Buffer.from([type, 0, 0, 0, ...Buffer.alloc(60, 0xa5)]));
const icmpError = (type: number, code: number, quoted: Buffer) =>
  Buffer.concat([Buffer.from([type, code, 0, 0, 0, 0, 0, 0]), quoted.subarray(0, 64)]);
const packetOf = (frame: Buffer) => frame.subarray(14);

function family({ controlPlane, a, b, podA, podB, world }: typeof v4, name: "IPv4" | "IPv6"): Case[] {
  const icmp = name === "IPv4" ? "icmp" : "icmpv6";
  const [echoes, unreachable, exceeded, tooBig] =
    name === "IPv4"
      ? [echo, [3, 3], [11, 0], [3, 4]]
      : [Buffer.from("8000000000010001", "hex"), [1, 4], [3, 0], [2, 0]];
  const [[unreachableType = 0, unreachableCode = 0], [exceededType = 0, exceededCode = 0], [bigType = 0, bigCode = 0]] =
    [unreachable, exceeded, tooBig];
  const port = (src: string, dst: string, quoted: Buffer) =>
    ethernet(ip(src, dst, icmp, icmpError(unreachableType, unreachableCode, quoted)));
  const time = (src: string, dst: string, quoted: Buffer) =>
    ethernet(ip(src, dst, icmp, icmpError(exceededType, exceededCode, quoted)));
  const big = (src: string, dst: string, quoted: Buffer) =>
    ethernet(ip(src, dst, icmp, icmpError(bigType, bigCode, quoted)));
  const text = (src: string, dst: string, sport = 40_000, dport = 8080) =>
    ethernet(ip(src, dst, "tcp", tcp(sport, dport, "in clear")));
  const inner = text(podA, podB);
  const innerEsp = ethernet(ip(a, b, "esp", esp(3, 1)));

  const other = name === "IPv4" ? v6 : v4;
  const otherEsp = ethernet(ip(other.a, other.b, "esp", esp(3, 1)));

  const cases: [string, Buffer, Case["fate"]][] = [
    ["pods' packet in VXLAN", vxlan(a, b, inner), always("overlay")],
    ["pods' packet in VXLAN on IANA's port", vxlan(a, b, inner, 4789), always("overlay")],
    ["pods' packet in Geneve", geneve(a, b, inner), always("overlay")],
    ["pods' packet in Geneve with options", geneve(a, b, inner, true), always("overlay")],
    ["from the control plane in VXLAN", vxlan(controlPlane, b, inner), always("overlay")],
    ["ARP in VXLAN", vxlan(a, b, arp(podA, podB).subarray(0)), always("overlay")],
    ["ESP in VXLAN", vxlan(a, b, innerEsp), only("ipsec-in-overlay", "overlay")],
    ["ESP in Geneve", geneve(a, b, innerEsp), only("ipsec-in-overlay", "overlay")],
    ["ESP in Geneve with options", geneve(a, b, innerEsp, true), always("overlay")],

    ["ESP of the other family in VXLAN", vxlan(a, b, otherEsp), only("ipsec-in-overlay", "overlay")],
    ["ESP", ethernet(ip(a, b, "esp", esp(3, 1))), only("ipsec", "other-ciphertext")],
    ...[1, 2, 3, 4].map((type): [string, Buffer, Case["fate"]] => [
      `WireGuard's message ${type}`,
      ethernet(ip(a, b, "udp", wireguard(type))),
      wireguardOnly,
    ]),
    ["no message on WireGuard's port", ethernet(ip(a, b, "udp", wireguard(5))), always("other-ciphertext")],
    [
      "text on WireGuard's port",
      ethernet(ip(a, b, "udp", udp(51_871, 51_871, "password"))),
      always("other-ciphertext"),
    ],

    ["pod to pod, TCP", inner, always("pod-to-pod")],
    ["pod to pod, UDP", ethernet(ip(podA, podB, "udp", udp(5000, 53, "query"))), always("pod-to-pod")],
    ["pod to pod, echo", ethernet(ip(podA, podB, icmp, echoes)), always("pod-to-pod")],
    ["pod to pod on WireGuard's port", ethernet(ip(podA, podB, "udp", wireguard(4))), always("pod-to-pod")],
    ["pod to pod, IP in IP", ethernet(ip(podA, podB, "ipip", packetOf(inner))), always("pod-to-pod")],

    ["port unreachable about VXLAN", port(b, a, packetOf(vxlan(a, b, inner))), always("icmp-error")],
    ["time exceeded about VXLAN", time(b, a, packetOf(vxlan(a, b, inner))), always("icmp-error")],
    ["packet too big about VXLAN", big(b, a, packetOf(vxlan(a, b, inner))), always("icmp-error")],
    ["packet too big about ESP", big(b, a, ip(a, b, "esp", esp(3, 1))), always("pass")],
    ["packet too big about WireGuard", big(b, a, ip(a, b, "udp", wireguard(4))), always("pass")],
    ["packet too big about nodes' TCP", big(b, a, packetOf(text(a, b))), always("pass")],
    ["packet too big to a pod about its TCP", big(b, podA, packetOf(inner)), always("icmp-error")],
    ["unreachable to a pod about its packet", port(b, podA, packetOf(inner)), always("icmp-error")],
    ["unreachable from a pod to a node", port(podA, b, packetOf(text(b, podA))), always("icmp-error")],

    ["IP in IP", ethernet(ip(a, b, "ipip", packetOf(inner))), always("other-protocol")],
    ["IPv6 in IP", ethernet(ip(a, b, "ipv6", packetOf(inner))), always("other-protocol")],
    ["GRE", ethernet(ip(a, b, "gre", packetOf(inner))), always("other-protocol")],
    ["an unknown protocol", ethernet(ip(a, b, "other", packetOf(inner))), always("other-protocol")],

    ["node to node", text(a, b), plainOfNodes],
    ["node to node, UDP", ethernet(ip(a, b, "udp", udp(5000, 5001, "text"))), plainOfNodes],
    ["to the control plane", text(a, controlPlane), always("pass")],
    ["from the control plane", text(controlPlane, b), always("pass")],
    ...[22, 53, 2379, 2380, 4240, 4244, 6443, 10_250].flatMap((control): [string, Buffer, Case["fate"]][] => [
      [`to TCP ${control}`, text(a, b, 40_000, control), always("pass")],
      [`back from TCP ${control}`, text(b, a, control, 40_000), always("pass")],
    ]),
    ["DNS", ethernet(ip(a, b, "udp", udp(5000, 53, "query"))), always("pass")],
    ["DNS, back", ethernet(ip(b, a, "udp", udp(53, 5000, "answer"))), always("pass")],
    ["echo between nodes", ethernet(ip(a, b, icmp, echoes)), always("pass")],

    ["node to pod", text(a, podB), plainOfNodes],
    ["pod to node", text(podA, b), plainOfNodes],
    ["API server to webhook pod", text(controlPlane, podB, 40_000, 9443), always("pass")],
    ["webhook pod to API server", text(podB, controlPlane, 9443, 40_000), always("pass")],
    ["Cilium's health check of a pod", text(a, podB, 40_000, 4240), always("pass")],
    ["metrics-server to kubelet", text(podA, b, 40_000, 10_250), always("pass")],

    ["kubelet to metrics-server", text(b, podA, 10_250, 40_000), always("pass")],
    ["image pull", text(a, world, 40_000, 443), always("pass")],
    ["image pull, back", text(world, a, 443, 40_000), always("pass")],
    ["pod to the world", text(podA, world, 40_000, 443), always("pass")],
    ["the world to a pod", text(world, podA, 443, 40_000), always("pass")],
    ["others' VXLAN", vxlan(world, "198.51.100.8", inner), always("pass")],
    ["others' ESP", ethernet(ip(world, a, "esp", esp(9, 1))), always("pass")],
  ];
  return cases.map(([what, frame, fate]) => ({ what: `${what} (${name})`, frame, fate }));
}

const later = { id: 7, offset: 1480 };
const quoting = (options: Buffer) =>
  ip(v4.a, v4.b, "esp", Buffer.concat([esp(3, 1)]), options.length > 0 ? { options } : {});

/** What only one family has. */
const FRAGMENTS_AND_FRIENDS: [string, Buffer, Case["fate"]][] = [
  ["first fragment of VXLAN", firstOfVxlan(), always("overlay")],
  ["later fragment of UDP", ethernet(ip(v4.a, v4.b, "udp", Buffer.from("VXLAN's rest"), later)), always("fragment")],
  ["later fragment of TCP", ethernet(ip(v4.a, v4.b, "tcp", Buffer.from("the rest"), later)), always("fragment")],
  ["later fragment of ESP", ethernet(ip(v4.a, v4.b, "esp", esp(3, 1), later)), only("ipsec", "fragment")],
  [
    "later fragment of UDP (IPv6)",
    ethernet(ipv6Fragment(v6.a, v6.b, "udp", Buffer.from("the rest"), { ...later, more: false })),
    always("fragment"),
  ],
  [
    "later fragment of ESP (IPv6)",
    ethernet(ipv6Fragment(v6.a, v6.b, "esp", esp(3, 1), { ...later, more: false })),
    only("ipsec", "fragment"),
  ],
  ["later fragment, pod to pod", ethernet(ip(v4.podA, v4.podB, "udp", Buffer.from("x"), later)), always("pod-to-pod")],
  ["ESP behind IP options in VXLAN", vxlan(v4.a, v4.b, ethernet(quoting(Buffer.alloc(4, 1)))), always("overlay")],
  [
    "packet too big about a packet with IP options",
    ethernet(ip(v4.b, v4.a, "icmp", icmpError(3, 4, quoting(Buffer.alloc(4, 1))))),
    always("icmp-error"),
  ],
  [
    "host unreachable about ESP",
    ethernet(ip(v4.b, v4.a, "icmp", icmpError(3, 1, ip(v4.a, v4.b, "esp", esp(3, 1))))),
    always("icmp-error"),
  ],
  [
    "redirect",
    ethernet(ip(v4.b, v4.a, "icmp", icmpError(5, 1, ip(v4.a, v4.b, "esp", esp(3, 1))))),
    always("icmp-error"),
  ],
  [
    "timestamp request",
    ethernet(ip(v4.a, v4.b, "icmp", Buffer.from("0d00000000010001000000000000000000000000", "hex"))),
    plainOfNodes,
  ],
  ["pod to pod in a VLAN", vlan(ip(v4.podA, v4.podB, "tcp", tcp(40_000, 8080, "in clear"))), always("pod-to-pod")],
  [
    "pod to pod in a VLAN in a VLAN",
    twoTags(ip(v4.podA, v4.podB, "tcp", tcp(40_000, 8080, "in clear"))),
    always("other-protocol"),
  ],
  ["ARP", arp(v4.a, v4.b), always("pass")],
  [
    "neighbour solicitation",
    ethernet(ip("fe80::1", "ff02::1", "icmpv6", Buffer.from(`8700000000000000${"fd30".padEnd(32, "0")}`, "hex"))),
    always("pass"),
  ],
  [
    "neighbour solicitation to a node",
    ethernet(ip(v6.a, v6.b, "icmpv6", Buffer.from(`8700000000000000${"fd30".padEnd(32, "0")}`, "hex"))),
    always("pass"),
  ],
];

function twoTags(packet: Buffer): Buffer {
  return ethernet(Buffer.concat([Buffer.from("0065", "hex"), vlan(packet).subarray(12)]), 0x8100);
}

function firstOfVxlan(): Buffer {
  const whole = packetOf(vxlan(v4.a, v4.b, ethernet(ip(v4.podA, v4.podB, "tcp", tcp(1, 2, "in clear")))));
  return ethernet(ip(v4.a, v4.b, "udp", whole.subarray(20), { id: 7, more: true }));
}

/** Every form of packet that the guard decides about. */
export const CASES: readonly Case[] = [
  ...family(v4, "IPv4"),
  ...family(v6, "IPv6"),
  ...FRAGMENTS_AND_FRIENDS.map(([what, frame, fate]) => ({ what, frame, fate })),
];
