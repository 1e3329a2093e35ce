import { Fragments } from "../../prover/wire/fragments.ts";
import type { Packet } from "../../prover/wire/packet.ts";

const how = { src: "10.0.0.1", protocol: "UDP", id: 1, more: true };

/** A fragment of a packet to 10.0.0.2; the frame has a header before it. */
function fragment(offset: number, data: string, { src, protocol, id, more }: typeof how = how): Packet {
  const piece = { id, offset, length: data.length, more };
  const addresses = { src, dst: src.includes(":") ? "fd00::2" : "10.0.0.2", sport: null, dport: null };
  return {
    time: 0,
    layers: [{ ...addresses, protocol, fragment: piece, overlay: null }],
    esp: null,
    bytes: Buffer.from(`header${data}`),
  };
}
const last = { ...how, more: false };
const stretches = (fragments: Fragments, packet: Packet) => fragments.add(packet)?.stretches.map(String);

test("a packet that is whole has no fragments", () => {
  const packet = fragment(0, "x");
  expect(
    new Fragments(9).add({ ...packet, layers: packet.layers.map((layer) => ({ ...layer, fragment: null })) }),
  ).toBeNull();
  expect(new Fragments(9).add({ ...packet, layers: [] })).toBeNull();
});

test("fragments are joined by their offsets, a gap stays a gap", () => {
  const fragments = new Fragments(9);
  expect(stretches(fragments, fragment(16, "cc", last))).toEqual(["cc"]);
  expect(stretches(fragments, fragment(0, "aaaaaaaa"))).toEqual(["aaaaaaaa", "cc"]);
  expect(stretches(fragments, fragment(8, "bbbbbbbb"))).toEqual(["aaaaaaaabbbbbbbbcc"]);
});

test("the layers are those of the first fragment, once it was seen", () => {
  const fragments = new Fragments(9);
  const first = fragment(0, "aaaaaaaa");
  expect(fragments.add(fragment(8, "b"))?.layers).toBeNull();
  expect(fragments.add(first)?.layers).toBe(first.layers);
  expect(fragments.add(fragment(16, "c"))?.layers).toBe(first.layers);
});

test.each([
  ["another id", { ...how, id: 2 }],
  ["another sender", { ...how, src: "10.0.0.9" }],
  ["another protocol", { ...how, protocol: "ICMP" }],
])("%s is another packet", (_name, other) => {
  const fragments = new Fragments(9);
  fragments.add(fragment(0, "aaaaaaaa"));
  expect(stretches(fragments, fragment(8, "b", other))).toEqual(["b"]);
});

test("IPv6 names the protocol in the first fragment only", () => {
  const fragments = new Fragments(9);
  const ipv6 = { ...how, src: "fd00::1" };
  fragments.add(fragment(0, "aaaaaaaa", ipv6));
  expect(stretches(fragments, fragment(8, "b", { ...ipv6, protocol: "Fragment", more: false }))).toEqual(["aaaaaaaab"]);
  // tcpdump does not tell which is the last: more may come.
  expect(stretches(fragments, fragment(9, "c", ipv6))).toEqual(["aaaaaaaabc"]);
});

test("a packet is let go when it is whole, and not before", () => {
  const fragments = new Fragments(9);
  fragments.add(fragment(0, "aaaaaaaa"));
  fragments.add(fragment(16, "c", last));
  expect(stretches(fragments, fragment(8, "bbbbbbbb"))).toEqual(["aaaaaaaabbbbbbbbc"]);
  expect(stretches(fragments, fragment(8, "d"))).toEqual(["d"]);
});

test("beyond the limit the oldest packet is let go", () => {
  const fragments = new Fragments(2);
  for (const id of [1, 2, 3]) fragments.add(fragment(0, "aaaaaaaa", { ...how, id }));
  expect(stretches(fragments, fragment(8, "b", { ...how, id: 2 }))).toEqual(["aaaaaaaab"]);
  expect(stretches(fragments, fragment(8, "b", { ...how, id: 1 }))).toEqual(["b"]);
});
