import fc from "fast-check";
import { isListening, packetsDropped, TcpdumpReader } from "../../prover/wire/tcpdump.ts";

// As tcpdump 4.99.3 prints them; test/wire tries the words of the version at hand.
const text = `1700000000.000001 IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 101)
    172.30.0.2.50000 > 172.30.0.3.8472: OTV, flags [I] (0x08), overlay 0, instance 2
IP (tos 0x2,ECT(0), ttl 64, id 1, offset 0, flags [DF], proto TCP (6), length 51)
    10.244.1.5.40000 > 10.244.2.6.7777: Flags [P.], cksum 0x0000 (incorrect -> 0x4fd2), seq 0:11, ack 1, win 512, length 11
\t0x0000:  0200 0000 0001 0200 0000 0002 0800 4500
\t0x0010:  0065 0001 00
1700000001.000000 IP6 (hlim 64, next-header ESP (50) payload length: 68) 2001:db8::2 > 2001:db8::3: ESP(spi=0x00000003,seq=0x2), length 68
\t0x0000:  0200 0000 0001
1700000002.000000 IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 101)
    172.30.0.2.50000 > 172.30.0.3.6081: [udp sum ok] Geneve, Flags [none], vni 0x2
\tIP6 (flowlabel 0x12345, hlim 64, next-header Fragment (44) payload length: 24) fd00:1::5 > fd00:2::6: frag (0x00000063:0|16) 40000 > 7777: UDP, length 11
\t0x0000:  ff
`;
const read = (...chunks: string[]) => {
  const reader = new TcpdumpReader();
  return [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.end()];
};

test("three packets are read", () => {
  const whole = { fragment: null, overlay: null };
  const outer = { src: "172.30.0.2", sport: 50000, dst: "172.30.0.3", protocol: "UDP", fragment: null };
  const tcp = { ...whole, src: "10.244.1.5", sport: 40000, dst: "10.244.2.6", dport: 7777, protocol: "TCP" };
  const esp = { ...whole, src: "2001:db8::2", sport: null, dst: "2001:db8::3", dport: null, protocol: "ESP" };
  const fragment = { id: 99, offset: 0, length: 16, more: true };
  const udp = {
    src: "fd00:1::5",
    sport: 40000,
    dst: "fd00:2::6",
    dport: 7777,
    protocol: "UDP",
    fragment,
    overlay: null,
  };
  expect(read(text)).toEqual([
    {
      time: 1700000000.000001,
      layers: [{ ...outer, dport: 8472, overlay: "vxlan" }, tcp],
      esp: null,
      bytes: Buffer.from("020000000001020000000002080045000065000100", "hex"),
    },
    { time: 1700000001, layers: [esp], esp: { spi: 3, sequence: 2 }, bytes: Buffer.from("020000000001", "hex") },
    {
      time: 1700000002,
      layers: [{ ...outer, dport: 6081, overlay: "geneve" }, udp],
      esp: null,
      bytes: Buffer.from("ff", "hex"),
    },
  ]);
});

test("a packet is complete when the next one begins", () => {
  const reader = new TcpdumpReader();
  const second = text.indexOf("1700000001");
  expect(reader.push(text.slice(0, second))).toEqual([]);
  expect(reader.push(text.slice(second, second + 30))).toEqual([]);
  expect(reader.push(text.slice(second + 30, second + 150))).toHaveLength(1);
  expect(reader.end()).toHaveLength(1);
  expect(reader.end()).toEqual([]);
});

test("cutting the text anywhere changes no packet", () => {
  const cuts = fc.array(fc.nat(text.length), { maxLength: 40 });
  fc.assert(
    fc.property(cuts, (places) => {
      const edges = [0, ...places.toSorted((x, y) => x - y), text.length];
      const chunks = edges.slice(1).map((edge, index) => text.slice(edges[index], edge));
      expect(read(...chunks)).toEqual(read(text));
    }),
  );
});

test("lines in any order and of any text break nothing, and cost no packet", () => {
  const line = fc.oneof(fc.constantFrom(...text.split("\n")), fc.string(), fc.constant("IP (tos 0x0"));
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const heads = lines.join("\n").match(/^\d{9,11}\.\d{6} /gm)?.length ?? 0;
      expect(read(lines.join("\n"))).toHaveLength(heads);
    }),
  );
});

test("a packet that tcpdump could not read is kept with its bytes", () => {
  const unknown = "1700000000.000000 02:00:00:00:00:02 > 02:00:00:00:00:01, ethertype Unknown (0x88b5), length 4: \n";
  const bytes = Buffer.from("deadbeef", "hex");
  expect(read(`${unknown}\t0x0000:  dead beef\n`)).toEqual([{ time: 1700000000, layers: [], esp: null, bytes }]);
});

test("a line that is cut by the end of tcpdump is read as far as it goes", () => {
  expect(read(text.slice(0, text.indexOf(" 0065") + 3))[0]?.bytes.toString("hex")).toMatch(/^02000000.*4500/);
});

test.each([
  ["3 packets captured\n4 packets received by filter\n0 packets dropped by kernel\n", 0],
  ["1 packet captured\n2 packets received by filter\n1 packet dropped by kernel\n", 1],
  ["12 packets dropped by kernel\n7 packets dropped by interface\n", 12],
  ["tcpdump: nowhere0: No such device exists\n", null],
  ["", null],
])("packets dropped by the kernel in %j: %j", (stderr, expected) => expect(packetsDropped(stderr)).toBe(expected));

test.each([
  ["tcpdump: listening on eth0, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n", true],
  [
    "tcpdump: verbose output suppressed, use -v[v]...\nlistening on eth0, link-type EN10MB (Ethernet), capture size 96 bytes\n",
    true,
  ],
  ["tcpdump: eth0: You don't have permission to capture on that device\n", false],
  ["tcpdump: listening on et", false],
])("listening by %j: %j", (stderr, expected) => expect(isListening(stderr)).toBe(expected));
