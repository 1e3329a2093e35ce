import { arp, ethernet, ip, udp } from "../../wire/frames.ts";
import { type Addresses, V4, V6 } from "../addresses.ts";
import type { Case, MeaningName } from "../meanings.ts";
import { icmp, ping, query, text } from "./packets.ts";

/** What passes a bridge readable in every mode; and of that what a cloud needs too. */
const ON_KIND = [22, 53, 2379, 2380, 6443];
const EVERYWHERE = [4240, 4244, 10_250];

/** What nodes send each other themselves, and what they and pods do. */
export function nodes(addresses: Addresses): Case[] {
  return [...own(addresses), ...named(addresses), ...withPods(addresses), ...withControlPlane(addresses)];
}

function own({ a, b }: Addresses): Case[] {
  return [
    { what: "node to node", frame: text(a, b), meaning: "nodes' own traffic" },
    { what: "node to node, back", frame: text(b, a, 8080, 40_000), meaning: "nodes' own traffic", opened: text(a, b) },
    { what: "node to node, UDP", frame: query(a, b, 5000, 5001), meaning: "nodes' own traffic" },
    { what: "node to node on HTTPS", frame: text(a, b, 40_000, 443), meaning: "nodes' own traffic" },
    { what: "node to node on a webhook's port", frame: text(a, b, 40_000, 9443), meaning: "nodes' own traffic" },
    // The same port number in the other protocol.
    ...[4240, 10_250, 22].map(
      (port): Case => ({
        ...{ what: `node to node, UDP ${port}`, frame: query(a, b, 5000, port), meaning: "nodes' own traffic" },
      }),
    ),
  ];
}

/** Both directions of every named port, and answers that nobody asked for, which a bridge cannot tell. */
function named({ family, a, b }: Addresses): Case[] {
  const tcp = [...ON_KIND, ...EVERYWHERE].flatMap((port): Case[] => {
    const meaning: MeaningName = EVERYWHERE.includes(port) ? "named between nodes" : "named on kind only";
    const [there, back] = [text(a, b, 40_000, port), text(b, a, port, 40_000)];
    return [
      { what: `to TCP ${port}`, frame: there, meaning },
      { what: `back from TCP ${port}`, frame: back, meaning, opened: there },
      { what: `from TCP ${port}, unasked`, frame: text(a, b, port, 40_001), meaning: "named on kind only" },
    ];
  });
  const echo: MeaningName = family === "IPv4" ? "named between nodes" : "echo in IPv6";
  return [
    ...tcp,
    { what: "DNS", frame: query(a, b), meaning: "named on kind only" },
    { what: "DNS, back", frame: query(b, a, 53, 5000), meaning: "named on kind only", opened: query(a, b) },
    { what: "echo between nodes", frame: ping(family, a, b), meaning: echo },
    { what: "echo's answer", frame: ping(family, b, a, true), meaning: echo, opened: ping(family, a, b) },
  ];
}

function withPods({ a, b, podA, podB }: Addresses): Case[] {
  const health = text(a, podB, 40_000, 4240);
  const metrics = text(podA, b, 40_000, 10_250);
  return [
    { what: "node to pod", frame: text(a, podB), meaning: "node and pod" },
    { what: "node to pod, UDP", frame: query(a, podB, 5000, 5001), meaning: "node and pod" },
    { what: "pod to node", frame: text(podA, b), meaning: "node and pod" },
    { what: "pod to node, back", frame: text(b, podA, 8080, 40_000), meaning: "node and pod", opened: text(podA, b) },
    {
      what: "node asks a pod for a name",
      frame: text(a, podB, 40_000, 53),
      meaning: "named on kind only, node and pod",
    },
    { what: "Cilium's health check of a pod", frame: health, meaning: "named between node and pod" },
    {
      ...{ what: "Cilium's health check of a pod, back", frame: text(podB, a, 4240, 40_000), opened: health },
      meaning: "named between node and pod",
    },
    { what: "metrics-server to kubelet", frame: metrics, meaning: "named between node and pod" },
    {
      ...{ what: "kubelet to metrics-server", frame: text(b, podA, 10_250, 40_000), opened: metrics },
      meaning: "named between node and pod",
    },
    { what: "Hubble relay to an agent", frame: text(podA, b, 40_000, 4244), meaning: "named between node and pod" },
  ];
}

/** In a cloud the API server is at port 443. A node with its pods on kind. */
function withControlPlane({ controlPlane, a, b, podB }: Addresses): Case[] {
  const both = (what: string, src: string, dst: string, port: number, meaning: MeaningName): Case[] => {
    const there = text(src, dst, 40_000, port);
    const back = text(dst, src, port, 40_000);
    return [
      { what, frame: there, meaning },
      { what: `${what}, back`, frame: back, meaning, opened: there },
    ];
  };
  const webhooks = [4443, 8443, 9443, 10_251];
  return [
    ...both("to the API server of a cloud", a, controlPlane, 443, "named between nodes"),
    ...both("to the control plane", a, controlPlane, 8080, "control plane's own traffic"),
    ...both("to the API server of kind", a, controlPlane, 6443, "named on kind only"),
    ...both("from the control plane", controlPlane, b, 8080, "control plane's own traffic"),
    ...both("API server to kubelet", controlPlane, b, 10_250, "named between nodes"),
    ...both("API server to webhook pod on another port", controlPlane, podB, 7777, "control plane and pod"),
    ...webhooks.flatMap((port) => [
      ...both(`API server to hostNetwork webhook ${port}`, controlPlane, b, port, "named between nodes"),
      ...both(`API server to webhook pod ${port}`, controlPlane, podB, port, "named between node and pod"),
    ]),
    {
      what: "the control plane asks for health",
      frame: text(controlPlane, b, 40_000, 4240),
      meaning: "named on kind only",
    },
    {
      what: "UDP from the control plane",
      frame: query(controlPlane, b, 5000, 443),
      meaning: "control plane's own traffic",
    },
    {
      what: "UDP to the control plane",
      frame: query(a, controlPlane, 5000, 443),
      meaning: "control plane's own traffic",
    },
  ];
}

const solicitation = Buffer.from(`8700000000000000${"fd30".padEnd(32, "0")}`, "hex");

/** How neighbours find each other, and ICMP that is neither echo nor error. */
export const LINK: Case[] = [
  { what: "ARP", frame: arp(V4.a, V4.b), meaning: "others' own" },
  {
    ...{ what: "neighbour solicitation", frame: ethernet(ip("fe80::1", "ff02::1", "icmpv6", solicitation)) },
    meaning: "others' own",
  },
  { what: "neighbour solicitation to a node", frame: icmp("IPv6", V6.a, V6.b, solicitation), meaning: "others' own" },
  {
    what: "timestamp request",
    frame: icmp("IPv4", V4.a, V4.b, Buffer.from("0d00000000010001000000000000000000000000", "hex")),
    meaning: "nodes' own traffic",
  },
  {
    what: "an empty datagram",
    frame: ethernet(ip(V4.a, V4.b, "udp", udp(5000, 5001, ""))),
    meaning: "nodes' own traffic",
  },
];
