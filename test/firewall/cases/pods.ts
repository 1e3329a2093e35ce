import { esp, ethernet, ip, ipv6Fragment, tcp, vlan } from "../../wire/frames.ts";
import { type Addresses, V4 } from "../addresses.ts";
import type { Case, MeaningName } from "../meanings.ts";
import { ciphertext, icmpError, packetOf, ping, query, text, wireguard } from "./packets.ts";

/** From pod to pod as it is, both ways. An answer that a security group lets pass would be half of a readable connection. */
export function bare({ family, podA, podB }: Addresses): Case[] {
  const ports = [4240, 4244, 10_250];
  const kinds: [string, (src: string, dst: string) => Buffer, MeaningName, ((src: string, dst: string) => Buffer)?][] =
    [
      ["TCP", text, "pod to pod", (src, dst) => text(src, dst, 8080, 40_000)],
      ["TCP to HTTPS", (src, dst) => text(src, dst, 40_000, 443), "pod to pod"],
      ["a query", query, "pod to pod", (src, dst) => query(src, dst, 53, 5000)],
      ["a query by TCP", (src, dst) => text(src, dst, 40_000, 53), "pod to pod"],
      ["IP in IP", (src, dst) => ethernet(ip(src, dst, "ipip", packetOf(text(src, dst)))), "pod to pod"],
      ["GRE", (src, dst) => ethernet(ip(src, dst, "gre", packetOf(text(src, dst)))), "pod to pod"],
      [
        "an echo",
        (src, dst) => ping(family, src, dst),
        family === "IPv4" ? "pod to pod where nodes may" : "pod to pod",
      ],
      ["on WireGuard's port", wireguard, "pod to pod like WireGuard"],
      ["ESP", ciphertext, "pod to pod like ESP"],
      ...ports.map((port): (typeof kinds)[number] => [
        `TCP to ${port}`,
        (src, dst) => text(src, dst, 40_000, port),
        "pod to pod where nodes may",
      ]),
      [
        "packet too big",
        (src, dst) => icmpError(family, "too big", src, dst, text(dst, src)),
        family === "IPv4" ? "fragmentation needed, from pod to pod" : "pod to pod",
      ],
    ];
  return kinds.flatMap(([name, make, meaning, answered = make]) =>
    [
      ["", podA, podB],
      [", back", podB, podA],
    ].map(
      ([way = "", src = "", dst = ""]): Case => ({
        ...{ what: `pod to pod, ${name}${way}`, frame: make(src, dst), meaning },
        opened: answered(dst, src),
      }),
    ),
  );
}

const clear = ip(V4.podA, V4.podB, "tcp", tcp(40_000, 8080, "in clear"));

export const TAGGED: Case[] = [
  { what: "pod to pod in a VLAN", frame: vlan(clear), meaning: "pod to pod" },
  {
    what: "pod to pod in a VLAN in a VLAN",
    frame: ethernet(Buffer.concat([Buffer.from("0065", "hex"), vlan(clear).subarray(12)]), 0x8100),
    meaning: "pod to pod, hidden",
  },
];

/** What goes from node to node and is neither TCP, UDP, ICMP nor ESP; both ways, since of those AWS compares only addresses. */
export function tunnels({ a, b, podA, podB }: Addresses): Case[] {
  const inner = packetOf(text(podA, podB));
  return (["ipip", "ipv6", "gre", "other"] as const).flatMap((protocol) =>
    [
      ["", a, b],
      [", back", b, a],
    ].map(
      ([way = "", src = "", dst = ""]): Case => ({
        ...{ what: `protocol ${protocol}${way}`, frame: ethernet(ip(src, dst, protocol, inner)) },
        ...{ meaning: "another protocol", opened: ethernet(ip(dst, src, protocol, inner)) },
      }),
    ),
  );
}

/** The ciphertext of both modes between nodes, both ways, and what only has its port. */
export function encrypted({ controlPlane, a, b }: Addresses): Case[] {
  const ways = [
    ["", a, b],
    [", back", b, a],
  ];
  return ways
    .flatMap(([way = "", src = "", dst = ""]): Case[] => [
      { what: `ESP${way}`, frame: ciphertext(src, dst), meaning: "ESP" },
      { what: `first fragment of ESP${way}`, frame: firstOfEsp(src, dst), meaning: "ESP" },
      ...[1, 2, 3, 4].map(
        (type): Case => ({
          ...{ what: `WireGuard's message ${type}${way}`, frame: wireguard(src, dst, type), meaning: "WireGuard" },
        }),
      ),
      ...[0, 5, 71].map(
        (type): Case => ({
          what: `no message (${type}) on WireGuard's port${way}`,
          ...{ frame: wireguard(src, dst, type), meaning: "text on WireGuard's port" },
        }),
      ),
      ...[query(src, dst, 5000, 51_871), query(src, dst, 51_871, 51_871)].map(
        (frame, at): Case => ({
          ...{ what: `text on WireGuard's port${at > 0 ? ", from it" : ""}${way}`, frame },
          meaning: "text on WireGuard's port",
        }),
      ),
    ])
    .concat([
      // On kind the control plane is a node like others, and there it encrypts.
      { what: "ESP to the control plane", frame: ciphertext(a, controlPlane), meaning: "ESP of a control plane" },
      { what: "ESP from the control plane", frame: ciphertext(controlPlane, b), meaning: "ESP of a control plane" },
      {
        what: "WireGuard to the control plane",
        frame: wireguard(a, controlPlane),
        meaning: "WireGuard of a control plane",
      },
      { what: "WireGuard from it", frame: wireguard(controlPlane, b), meaning: "WireGuard of a control plane" },
      { what: "text there", frame: query(a, controlPlane, 5000, 51_871), meaning: "no ciphertext" },
    ]);
}

function firstOfEsp(src: string, dst: string): Buffer {
  const part = { id: 9, offset: 0, more: true };
  return ethernet(
    src.includes(":") ? ipv6Fragment(src, dst, "esp", esp(3, 1), part) : ip(src, dst, "esp", esp(3, 1), part),
  );
}
