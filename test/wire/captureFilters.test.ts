import { spawnSync } from "node:child_process";
import { captureFilters } from "../../prover/wire/filters.ts";
import { describeUnless } from "../skip.ts";
import { arp, echo, esp, ethernet, geneve, ip, ipv6Fragment, tcp, udp, vxlan } from "./frames.ts";
import { caught, withoutTcpdump } from "./realTcpdump.ts";

const [n1, n2, m1, m2] = ["172.30.0.2", "172.30.0.3", "2001:db8:1::2", "2001:db8:1::3"];
const [p1, p2, q1, q2] = ["10.244.1.5", "10.244.2.6", "fd00:1::5", "fd00:1:2::6"];
const [outside, outside6] = ["203.0.113.9", "2001:db8:9::9"];
const filters = captureFilters({ markerPort: 7777, podCidrs: ["10.244.0.0/16", "fd00:1::/32"] });
const web = tcp(40_000, 80, "hello");
const marked = tcp(40_000, 7777, "hello");

const inOverlays = (name: string, frame: Buffer): [string, Buffer][] => [
  [`${name} in VXLAN over IPv4`, vxlan(n1, n2, frame)],
  [`${name} in VXLAN over IPv6`, vxlan(m1, m2, frame)],
  [`${name} in Geneve over IPv4`, geneve(n1, n2, frame)],
  [`${name} in Geneve over IPv6`, geneve(m1, m2, frame)],
  [`${name} in Geneve with options over IPv4`, geneve(n1, n2, frame, true)],
  [`${name} in Geneve with options over IPv6`, geneve(m1, m2, frame, true)],
];

const matched: Record<"readable" | "encrypted" | "neither", [string, Buffer][]> = {
  readable: [
    ["TCP to the marker port between nodes", ethernet(ip(n1, n2, "tcp", marked))],
    ["TCP from the marker port between nodes", ethernet(ip(n1, n2, "tcp", tcp(7777, 40_000, "")))],
    ["TCP to the marker port between nodes, IPv6", ethernet(ip(m1, m2, "tcp", marked))],
    ["UDP to the marker port between nodes", ethernet(ip(n1, n2, "udp", udp(40_000, 7777, "hello")))],
    ["UDP from the marker port between nodes, IPv6", ethernet(ip(m1, m2, "udp", udp(7777, 40_000, "hello")))],
    ["from a pod", ethernet(ip(p1, outside, "icmp", echo))],
    ["to a pod", ethernet(ip(outside, p2, "tcp", web))],
    ["from a pod, IPv6", ethernet(ip(q1, outside6, "tcp", web))],
    ["to a pod, IPv6", ethernet(ip(outside6, q2, "tcp", web))],
    ["a later fragment between nodes", ethernet(ip(n1, n2, "udp", echo, { id: 7, offset: 1480 }))],
    ["a middle fragment between nodes", ethernet(ip(n1, n2, "tcp", echo, { id: 7, offset: 1480, more: true }))],
    ["a fragment between nodes, IPv6", ethernet(ipv6Fragment(m1, m2, "udp", echo, { id: 7, offset: 8, more: false }))],
    ...inOverlays("a pod's TCP", ethernet(ip(p1, p2, "tcp", web))),
    ...inOverlays("a pod's TCP, IPv6,", ethernet(ip(q1, q2, "tcp", web))),
    ...inOverlays("ARP", arp(p1, p2)),
    // Too short for what the filter looks up inside.
    ...inOverlays("the first bytes of a packet", ethernet(Buffer.from("4500"), 0x0800)),
    ...inOverlays("nothing", Buffer.alloc(0)),
  ],
  encrypted: [
    ["ESP", ethernet(ip(n1, n2, "esp", esp(3, 1)))],
    ["ESP, IPv6", ethernet(ip(m1, m2, "esp", esp(3, 1)))],
    ["a later fragment of ESP", ethernet(ip(n1, n2, "esp", esp(3, 1), { id: 7, offset: 1480 }))],
    ["a fragment of ESP, IPv6", ethernet(ipv6Fragment(m1, m2, "esp", echo, { id: 7, offset: 8, more: false }))],
    ["WireGuard", ethernet(ip(n1, n2, "udp", udp(51_871, 51_871, echo)))],
    ["WireGuard, IPv6", ethernet(ip(m1, m2, "udp", udp(51_871, 51_871, echo)))],
    ["ESP between nodes that have addresses of pods", ethernet(ip(p1, p2, "esp", esp(3, 1)))],
    ["WireGuard between nodes that have addresses of pods", ethernet(ip(q1, q2, "udp", udp(51_871, 51_871, echo)))],
    ...inOverlays("ESP", ethernet(ip(n1, n2, "esp", esp(3, 1)))),
    ...inOverlays("ESP, IPv6,", ethernet(ip(m1, m2, "esp", esp(3, 1)))),
  ],
  neither: [
    ["the API between nodes", ethernet(ip(n1, n2, "tcp", tcp(40_000, 6443, "hello")))],
    ["the API between nodes, IPv6", ethernet(ip(m1, m2, "tcp", tcp(40_000, 6443, "hello")))],
    ["ping between nodes", ethernet(ip(n1, n2, "icmp", echo))],
    ["UDP between nodes", ethernet(ip(n1, n2, "udp", udp(40_000, 53, echo)))],
    ["ARP for a pod", arp(p1, p2)],
    ["the start of a fragmented node packet", ethernet(ip(n1, n2, "tcp", web, { id: 7, more: true }))],
    ["a frame that is not IP", ethernet(Buffer.from("hello"), 0x88b5)],
  ],
};

describeUnless(withoutTcpdump, "the capture filters, read by the real tcpdump", () => {
  const names = Object.values(matched).flat();
  const catches = (filter: string) =>
    caught(
      names.map(([, frame]) => frame),
      filter,
    ).map((index) => names[index]?.[0]);
  const listed = (kind: keyof typeof matched) => matched[kind].map(([name]) => name);

  test("catch what is readable", () => expect(catches(filters.readable)).toEqual(listed("readable")));
  test("catch what is encrypted", () => expect(catches(filters.encrypted)).toEqual(listed("encrypted")));

  test("have no clause too many: without it some packet is sorted wrongly", () => {
    for (const clause of [
      ...["tcp port 7777", "udp port 7777", "udp port 8472", "udp port 6081"],
      ...["ip[6:2] & 0x1fff != 0", "ip6 proto 44", "ip net 10.244.0.0/16", "ip6 net fd00:1:0:0:0:0:0:0/32"],
      ...["ip proto 50", "ip6 proto 50", "udp port 51871", "greater 84", "greater 104"],
      ...[...filters.encrypted.matchAll(/\w+\[[^=()]*(?:\([^)]*\)[^=()]*)*\] = 50/g)].map(([inside]) => inside),
    ]) {
      expect(filters.readable).toContain(clause);
      const without = filters.readable.replaceAll(clause, clause.startsWith("greater") ? "greater 0" : "greater 9999");
      expect([clause, catches(without)]).not.toEqual([clause, listed("readable")]);
    }
  });

  test("fit a kernel's 4,096 instructions with a range of its own for each of 1,000 nodes", () => {
    const podCidrs = Array.from({ length: 1000 }, (_, node) => [
      `10.${node % 200}.${(node * 37) % 256}.0/24`,
      `fd00:${node * 2}:${(node * 37) % 1000}::/64`,
    ]).flat();
    const { readable } = captureFilters({ markerPort: 7777, podCidrs });
    const compiled = spawnSync("tcpdump", ["-ddd", "-y", "EN10MB", readable], { encoding: "utf8" });
    expect(Number(compiled.stdout.split("\n")[0])).toBeLessThan(4096);
  });
});
