import { ethernet, ip, ipv6Options, tcp, vxlan } from "../../wire/frames.ts";
import { type Addresses, NODES, PODS, V6 } from "../addresses.ts";
import type { Case } from "../meanings.ts";
import { ciphertext, text } from "./packets.ts";

/** What goes between the cluster and everybody else. */
export function world({ family, a, podA, podB, world }: Addresses): Case[] {
  const strangers = family === "IPv4" ? "198.51.100.8" : "2001:db8::8";
  const reached = family === "IPv4" ? neighbours() : [];
  return [
    ...[world, ...reached].flatMap((host): Case[] => [
      {
        what: `image pull from ${host}`,
        frame: text(a, host, 40_000, 443),
        meaning: family === "IPv4" ? "others' own" : "to the world in IPv6",
      },
    ]),
    {
      ...{ what: "image pull, back", frame: text(world, a, 443, 40_000), opened: text(a, world, 40_000, 443) },
      meaning: family === "IPv4" ? "others' own" : "to the world in IPv6",
    },
    { what: "the world to a node, unasked", frame: text(world, a, 40_000, 10_250), meaning: "from strangers" },
    {
      what: "pod to the world",
      frame: text(podA, world, 40_000, 443),
      meaning: family === "IPv4" ? "pod to the world" : "pod to the world in IPv6",
    },
    {
      ...{ what: "the world to a pod", frame: text(world, podA, 443, 40_000), opened: text(podA, world, 40_000, 443) },
      meaning: family === "IPv4" ? "pod to the world" : "pod to the world in IPv6",
    },
    { what: "others' VXLAN", frame: vxlan(world, strangers, text(podA, podB)), meaning: "others' own" },
    { what: "others' ESP", frame: ciphertext(world, a), meaning: "from strangers" },
  ];
}

/** Hosts that share ever more leading bits with nodes and pods, and are neither: each is in another range outside of theirs. */
function neighbours(): string[] {
  const ranges = [...NODES, ...PODS].filter((range) => !range.includes(":"));
  const all = ranges.flatMap((range) => {
    const [address = "", prefix = ""] = range.split("/");
    return Array.from({ length: Number(prefix) }, (_, bit) => {
      const octets = address.split(".").map(Number);
      octets[bit >> 3] = (octets[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
      return [...octets.slice(0, 3), 9].join(".");
    });
  });
  return all.filter((host) => !ranges.some((range) => host.startsWith(`${range.split(".").slice(0, 2).join(".")}.`)));
}

/** A header between that of IPv6 and the rest hides nothing. */
export const BEHIND_OPTIONS: Case[] = [
  {
    what: "node to node behind options of IPv6",
    frame: ethernet(ipv6Options(V6.a, V6.b, "tcp", tcp(40_000, 8080, "in clear"))),
    meaning: "nodes' own traffic",
  },
  {
    what: "IP in IPv6 behind options",
    frame: ethernet(ipv6Options(V6.a, V6.b, "ipip", ip("10.244.1.5", "10.244.2.6", "tcp", tcp(1, 2, "in clear")))),
    meaning: "another protocol",
  },
];
