import { spawnSync } from "node:child_process";
import { encryptedSnapLength } from "../../prover/wire/filters.ts";
import { pcapFile } from "../../prover/wire/pcap.ts";
import { isListening, packetsDropped } from "../../prover/wire/tcpdump.ts";
import { describeUnless } from "../skip.ts";
import { arp, echo, esp, ethernet, geneve, ip, ipv6Fragment, ipv6Options, tcp, udp, vlan, vxlan } from "./frames.ts";
import { firstTime, read, told, withoutTcpdump } from "./realTcpdump.ts";

const [n1, n2, m1, m2] = ["172.30.0.2", "172.30.0.3", "2001:db8:1::2", "2001:db8:1::3"];
const [p1, p2, q1, q2] = ["10.244.1.5", "10.244.2.6", "fd00:1::5", "fd00:1:2::6"];
const web = tcp(40_000, 80, "hello");

describeUnless(withoutTcpdump, "the words of the real tcpdump", () => {
  const pods = `${p1}.40000 > ${p2}.80 TCP`;
  const nodes = (port: number, overlay: string) => `${n1}.50000 > ${n2}.${port} UDP ${overlay}`;
  const podFrame = ethernet(ip(p1, p2, "tcp", web));
  const solicitation = Buffer.concat([Buffer.from("8700000000000000fd000001000200000000000000000006", "hex")]);
  const http = `GET / HTTP/1.1\r\nHost: a\r\nIP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto TCP (6), length 51)\r\n    ${n1}.1 > ${n2}.2: UDP\r\n0x0000:  dead beef\r\n\r\n`;
  const cases: [string, Buffer, string][] = [
    ["TCP", podFrame, pods],
    ["UDP", ethernet(ip(p1, p2, "udp", udp(40_000, 7777, "hello"))), `${p1}.40000 > ${p2}.7777 UDP`],
    ["ICMP", ethernet(ip(p1, p2, "icmp", echo)), `${p1} > ${p2} ICMP`],
    ["an unknown protocol", ethernet(ip(p1, p2, "other", echo)), `${p1} > ${p2} unknown`],
    ["IP options", ethernet(ip(p1, p2, "tcp", web, { options: Buffer.from("94040000", "hex") })), pods],
    ["a VLAN tag", vlan(ip(p1, p2, "tcp", web)), pods],
    ["TCP over IPv6", ethernet(ip(q1, q2, "tcp", web)), `${q1}.40000 > ${q2}.80 TCP`],
    ["UDP over IPv6", ethernet(ip(q1, q2, "udp", udp(1, 2, ""))), `${q1}.1 > ${q2}.2 UDP`],
    ["UDP behind options", ethernet(ipv6Options(q1, q2, "udp", udp(1, 2, ""))), `${q1}.1 > ${q2}.2 UDP`],
    ["TCP behind options", ethernet(ipv6Options(q1, q2, "tcp", web)), `${q1}.40000 > ${q2}.80 TCP`],
    ["ESP behind options", ethernet(ipv6Options(m1, m2, "esp", esp(3, 9))), `${m1} > ${m2} ESP | 3/9`],
    ["ping over IPv6", ethernet(ip(q1, q2, "icmpv6", echo)), `${q1} > ${q2} ICMPv6`],
    [
      "an address that ends as IPv4",
      ethernet(ip("64:ff9b::a00:1", q2, "tcp", web)),
      `64:ff9b::a00:1.40000 > ${q2}.80 TCP`,
    ],
    ["ESP", ethernet(ip(n1, n2, "esp", esp(3, 258))), `${n1} > ${n2} ESP | 3/258`],
    ["ESP over IPv6", ethernet(ip(m1, m2, "esp", esp(15, 1))), `${m1} > ${m2} ESP | 15/1`],
    ["WireGuard", ethernet(ip(n1, n2, "udp", udp(51_871, 51_871, echo))), `${n1}.51871 > ${n2}.51871 UDP`],
    [
      "ESP in UDP, which Cilium does not use",
      ethernet(ip(n1, n2, "udp", udp(4500, 4500, esp(3, 1)))),
      `${n1}.4500 > ${n2}.4500 UDP`,
    ],
    ["TCP in VXLAN", vxlan(n1, n2, podFrame), `${nodes(8472, "vxlan")} | ${pods}`],
    ["TCP in VXLAN on the port of RFC 7348", vxlan(n1, n2, podFrame, 4789), `${nodes(4789, "vxlan")} | ${pods}`],
    ["TCP in VXLAN over IPv6", vxlan(m1, m2, podFrame), `${m1}.50000 > ${m2}.8472 UDP vxlan | ${pods}`],
    // tcpdump takes that port for BCM-LI. A marker inside is found all the same.
    ["TCP in VXLAN from port 49152", vxlan(n1, n2, podFrame, 8472, 49_152), `${n1}.49152 > ${n2}.8472 UDP`],
    ["a VLAN tag in VXLAN", vxlan(n1, n2, vlan(ip(p1, p2, "tcp", web))), `${nodes(8472, "vxlan")} | ${pods}`],
    [
      "IPv6 in VXLAN",
      vxlan(n1, n2, ethernet(ip(q1, q2, "tcp", web))),
      `${nodes(8472, "vxlan")} | ${q1}.40000 > ${q2}.80 TCP`,
    ],
    [
      "ICMP in VXLAN",
      vxlan(n1, n2, ethernet(ip(p1, p2, "icmp", echo))),
      `${nodes(8472, "vxlan")} | ${p1} > ${p2} ICMP`,
    ],
    ["ARP in VXLAN", vxlan(n1, n2, arp(p1, p2)), `${nodes(8472, "vxlan")} | ${p1} > ${p2} ARP`],
    [
      "neighbour discovery in VXLAN",
      vxlan(n1, n2, ethernet(ip("fe80::1", "ff02::1:ff00:6", "icmpv6", solicitation))),
      `${nodes(8472, "vxlan")} | fe80::1 > ff02::1:ff00:6 ICMPv6`,
    ],
    [
      "ESP in VXLAN",
      vxlan(n1, n2, ethernet(ip(n1, n2, "esp", esp(3, 9)))),
      `${nodes(8472, "vxlan")} | ${n1} > ${n2} ESP | 3/9`,
    ],
    [
      "VXLAN in VXLAN",
      vxlan(n1, n2, vxlan(n1, n2, podFrame)),
      `${nodes(8472, "vxlan")} | ${nodes(8472, "vxlan")} | ${pods}`,
    ],
    ["nothing in VXLAN", vxlan(n1, n2, Buffer.alloc(0)), nodes(8472, "vxlan")],
    ["what nobody knows in VXLAN", vxlan(n1, n2, ethernet(Buffer.from("hello"), 0x88b5)), nodes(8472, "vxlan")],
    ["TCP in Geneve", geneve(n1, n2, podFrame), `${nodes(6081, "geneve")} | ${pods}`],
    ["TCP in Geneve with options", geneve(n1, n2, podFrame, true), `${nodes(6081, "geneve")} | ${pods}`],
    [
      "IPv6 in Geneve",
      geneve(n1, n2, ethernet(ip(q1, q2, "tcp", web))),
      `${nodes(6081, "geneve")} | ${q1}.40000 > ${q2}.80 TCP`,
    ],
    ["ARP in Geneve", geneve(n1, n2, arp(p1, p2)), `${nodes(6081, "geneve")} | ${p1} > ${p2} ARP`],
    [
      "ESP in Geneve",
      geneve(n1, n2, ethernet(ip(n1, n2, "esp", esp(3, 9)))),
      `${nodes(6081, "geneve")} | ${n1} > ${n2} ESP | 3/9`,
    ],
    [
      "IPv6 in IPv4",
      ethernet(ip(n1, n2, "ipv6", ip(q1, q2, "tcp", web))),
      `${n1} > ${n2} IPv6 | ${q1}.40000 > ${q2}.80 TCP`,
    ],
    ["IPv4 in IPv4", ethernet(ip(n1, n2, "ipip", ip(p1, p2, "tcp", web))), `${n1} > ${n2} IPIP | ${pods}`],
    [
      "IPv4 in GRE",
      ethernet(ip(n1, n2, "gre", Buffer.concat([Buffer.from("00000800", "hex"), ip(p1, p2, "tcp", web)]))),
      `${n1} > ${n2} GRE | ${pods}`,
    ],
    [
      "the first fragment",
      ethernet(ip(p1, p2, "udp", udp(1, 2, "12345678"), { id: 77, more: true })),
      `${p1}.1 > ${p2}.2 UDP 77:0+16 more`,
    ],
    [
      "a middle fragment",
      ethernet(ip(p1, p2, "udp", echo, { id: 77, offset: 16, more: true })),
      `${p1} > ${p2} UDP 77:16+8 more`,
    ],
    ["the last fragment", ethernet(ip(p1, p2, "udp", echo, { id: 77, offset: 24 })), `${p1} > ${p2} UDP 77:24+8`],
    [
      "the first fragment, IPv6",
      ethernet(ipv6Fragment(q1, q2, "udp", udp(1, 2, "12345678"), { id: 99, offset: 0, more: true })),
      `${q1}.1 > ${q2}.2 UDP 99:0+16 more`,
    ],
    [
      "the last fragment, IPv6",
      ethernet(ipv6Fragment(q1, q2, "udp", echo, { id: 99, offset: 16, more: false })),
      `${q1} > ${q2} Fragment 99:16+8`,
    ],
    [
      "the first fragment of an overlay packet",
      ethernet(ip(n1, n2, "udp", vxlan(n1, n2, podFrame).subarray(34, 90), { id: 79, more: true })),
      `${n1}.50000 > ${n2}.8472 UDP 79:0+56 more vxlan | ${pods}`,
    ],
    ["payload that looks like headers and like a dump", ethernet(ip(p1, p2, "tcp", tcp(40_000, 80, http))), pods],
    ["a frame that is not IP", ethernet(Buffer.from("hello"), 0x88b5), ""],
    ["a frame cut in its IP header", podFrame.subarray(0, 30), ""],
  ];

  test.each(cases)("tell of %s", (_name, frame, expected) => {
    const [packet, ...more] = read(frame);
    expect(told(packet)).toBe(expected);
    expect(more).toEqual([]);
    expect(packet?.time).toBe(firstTime);
    expect(packet?.bytes.equals(frame)).toBe(true);
  });

  test("tell all packets of one capture apart", () => {
    const packets = read(...cases.map(([, frame]) => frame));
    expect(packets.map(told)).toEqual(cases.map(([, , expected]) => expected));
    expect(packets.map(({ time }) => time)).toEqual(cases.map((_, index) => firstTime + index));
  });

  test("read a packet of 64 kB whole, as segmentation offload sends it", () => {
    const frame = ethernet(ip(p1, p2, "tcp", tcp(40_000, 7777, `${"x".repeat(65_000)}marker`)));
    expect(read(frame)[0]?.bytes.equals(frame)).toBe(true);
  });

  test("need no more of an encrypted packet than the snap length", () => {
    const long = vxlan(m1, m2, ethernet(ip(m1, m2, "esp", esp(3, 9, 1300))));
    expect(told(read(long.subarray(0, encryptedSnapLength))[0])).toBe(
      `${m1}.50000 > ${m2}.8472 UDP vxlan | ${m1} > ${m2} ESP | 3/9`,
    );
  });

  test("keep the microseconds of the file they are read from", () => {
    const times = [1_700_000_000.000001, 1_700_000_000.999999, 1_700_000_001.5];
    const input = pcapFile(times.map((time) => ({ time, bytes: podFrame })));
    const run = spawnSync("tcpdump", ["-nn", "-tt", "-r", "-"], { input, encoding: "utf8" });
    expect(run.stdout.match(/^\d+\.\d+/gm)?.map(Number)).toEqual(times);
  });
});

const cannotCapture = withoutTcpdump ?? (process.getuid?.() === 0 ? undefined : "needs root, to capture on loopback");
describeUnless(cannotCapture, "a capture of the real tcpdump", () => {
  test.each([[[]], [["-v", "-xx"]]])("says when it listens and what the kernel dropped (%j)", (options) => {
    const run = spawnSync("timeout", ["1", "tcpdump", "-i", "lo", "-l", "-nn", "-tt", ...options, "udp port 9"]);
    expect(isListening(String(run.stderr))).toBe(true);
    expect(packetsDropped(String(run.stderr))).toBe(0);
  });

  test("says neither of a device that is not there", () => {
    const stderr = String(spawnSync("tcpdump", ["-i", "nowhere0"]).stderr);
    expect([isListening(stderr), packetsDropped(stderr)]).toEqual([false, null]);
  });
});
