import { esp, ethernet, geneve, ip, ipv6Fragment, tcp, vxlan } from "../../wire/frames.ts";
import { type Addresses, V4, V6 } from "../addresses.ts";
import type { Case } from "../meanings.ts";
import { FIRST_OF_VXLAN } from "./overlay.ts";
import { ciphertext, icmp, icmpError, packetOf, query, quoting, text, wireguard } from "./packets.ts";

/** ICMP errors: what they quote may be what the sender has just decrypted. */
export function errors({ family, a, b, podA, podB }: Addresses): Case[] {
  const about: [string, Buffer][] = [
    ["VXLAN", vxlan(a, b, text(podA, podB))],
    ["Geneve", geneve(a, b, text(podA, podB))],
    ["pods' TCP", text(podA, podB)],
    ["a query", query(a, b)],
  ];
  const readable = family === "IPv4" ? "fragmentation needed, about what is readable" : "error that quotes a packet";
  const toPod = family === "IPv4" ? "fragmentation needed, to a pod" : "error that quotes a packet";
  const wanted = family === "IPv4" ? "fragmentation needed" : "packet too big";
  const quoted = [
    ["ESP", ciphertext(a, b)],
    ["WireGuard", wireguard(a, b)],
    ["nodes' TCP", text(a, b)],
  ] as const;
  return [
    ...(["unreachable", "exceeded", "parameter"] as const).flatMap((kind) =>
      [...about, ...quoted].map(
        ([what, packet]): Case => ({
          what: `${kind} about ${what}`,
          frame: icmpError(family, kind, b, a, packet),
          meaning: "error that quotes a packet",
        }),
      ),
    ),
    ...about
      // Of nodes' TCP it passes, and pods' looks the same there.
      .filter(([what]) => what !== "pods' TCP")
      .map(
        ([what, packet]): Case => ({
          ...{
            what: `packet too big about ${what}`,
            frame: icmpError(family, "too big", b, a, packet),
            meaning: readable,
          },
        }),
      ),
    ...quoted.map(
      ([what, packet]): Case => ({
        ...{ what: `packet too big about ${what}`, frame: icmpError(family, "too big", b, a, packet), meaning: wanted },
      }),
    ),
    { what: "packet too big to a pod", frame: icmpError(family, "too big", b, podA, text(podA, podB)), meaning: toPod },
    {
      what: "unreachable to a pod",
      frame: icmpError(family, "unreachable", b, podA, text(podA, podB)),
      meaning: "error that quotes a packet",
    },
    {
      what: "unreachable from a pod to a node",
      frame: icmpError(family, "unreachable", podA, b, text(b, podA)),
      meaning: "error that quotes a packet",
    },
  ];
}

const behindOptions = ip(V4.a, V4.b, "esp", esp(3, 1), { options: Buffer.alloc(4, 1) });

export const ODD_ERRORS: Case[] = [
  {
    what: "packet too big about a packet with IP options",
    frame: icmp("IPv4", V4.b, V4.a, quoting([3, 4], behindOptions)),
    meaning: "fragmentation needed, about what is readable",
  },
  ...(
    [
      ["host unreachable", [3, 1]],
      ["source quench", [4, 0]],
      ["redirect", [5, 1]],
    ] as const
  ).map(
    ([what, [type, code]]): Case => ({
      what: `${what} about ESP`,
      frame: icmp("IPv4", V4.b, V4.a, quoting([type, code], packetOf(ciphertext(V4.a, V4.b)))),
      meaning: "error that quotes a packet",
    }),
  ),
];

const later = { id: 7, offset: 1480 };
const rest = Buffer.from("the rest");
const later6 = { ...later, more: false };

/** Parts of packets that were cut: only the first has ports. */
export const FRAGMENTS: Case[] = [
  {
    ...{ what: "later fragment of VXLAN", frame: ethernet(ip(V4.a, V4.b, "udp", rest, later)) },
    ...{ meaning: "later fragment", first: FIRST_OF_VXLAN },
  },
  {
    what: "later fragment of nobody knows what",
    frame: ethernet(ip(V4.a, V4.b, "udp", rest, later)),
    meaning: "later fragment",
  },
  {
    ...{ what: "later fragment of WireGuard", frame: ethernet(ip(V4.a, V4.b, "udp", rest, later)) },
    ...{ meaning: "later fragment of WireGuard", first: wireguard(V4.a, V4.b) },
  },
  {
    ...{ what: "later fragment of nodes' TCP", frame: ethernet(ip(V4.a, V4.b, "tcp", rest, later)) },
    ...{ meaning: "later fragment", first: text(V4.a, V4.b) },
  },
  {
    ...{ what: "later fragment of TCP to a kubelet", frame: ethernet(ip(V4.a, V4.b, "tcp", rest, later)) },
    ...{ meaning: "later fragment where nodes may", first: text(V4.a, V4.b, 40_000, 10_250) },
  },
  {
    what: "later fragment of ESP",
    frame: ethernet(ip(V4.a, V4.b, "esp", esp(3, 1), later)),
    meaning: "later fragment of ESP",
  },
  {
    what: "later fragment of nobody knows what (IPv6)",
    frame: ethernet(ipv6Fragment(V6.a, V6.b, "udp", rest, later6)),
    meaning: "later fragment",
  },
  {
    what: "later fragment of ESP (IPv6)",
    frame: ethernet(ipv6Fragment(V6.a, V6.b, "esp", esp(3, 1), later6)),
    meaning: "later fragment of ESP",
  },
  {
    ...{ what: "later fragment, pod to pod", frame: ethernet(ip(V4.podA, V4.podB, "udp", rest, later)) },
    ...{ meaning: "pod to pod", first: ethernet(ip(V4.podA, V4.podB, "tcp", tcp(1, 2, "in clear"), { more: true })) },
  },
];
