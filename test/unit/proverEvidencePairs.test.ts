import { evidenceOf } from "../../prover/evidence/document.ts";
import type { PairEvidence } from "../../prover/evidence/schema.ts";
import type { VantageSeen, WireObservation } from "../../prover/wire/observation.ts";
import { failed, leak, notProven, proofOf, proven } from "./proverEvidence/proofs.ts";
import { harmless } from "./proverTroubles/harmless.ts";
import { nodeName } from "./proverTroubles/healthy.ts";
import { orderedFaults } from "./proverTroubles/orderedFaults.ts";
import { soleFaults } from "./proverTroubles/soleFaults.ts";

const [a, b, c] = [nodeName(1), nodeName(2), nodeName(3)];

/** The results of the pairs that are not encrypted, as `from>to result`. */
function troubled(pairs: PairEvidence[]): string[] {
  return pairs.filter(({ result }) => result !== "encrypted").map(({ from, to, result }) => `${from}>${to} ${result}`);
}

function pairsAfter(
  worsen: (wire: WireObservation) => void,
  name: "wireguard" | "ipsec" = "wireguard",
): PairEvidence[] {
  return evidenceOf(proofOf(name, { nodes: 4, worsen: ({ wire }) => worsen(wire) })).pairs;
}

function at(wire: WireObservation, node: string | null): VantageSeen {
  const found = wire.vantages.find((vantage) => vantage.node === node);
  if (!found) throw new Error(`no vantage of ${node}`);
  return found;
}

function blind(vantage: VantageSeen, form?: "vxlan"): void {
  for (const control of vantage.controls) if (form === undefined || control.form === form) control.seen = 0;
}

const all = [nodeName(0), a, b, c];
const from = (node: string): string[] => all.filter((to) => to !== node).map((to) => `${node}>${to} not observed`);

test.each(["wireguard", "wireguard with node encryption", "ipsec"] as const)(
  "all pairs of a healthy cluster are encrypted: %s",
  (name) => {
    const { pairs, tested } = evidenceOf(proven(name));
    expect(troubled(pairs)).toEqual([]);
    expect(pairs).toHaveLength(12);
    expect(tested?.results).toEqual({ encrypted: 12, notObserved: 0, readable: 0 });
    expect(pairs[0]).toEqual({
      from: "dev-control-plane",
      to: "dev-worker1",
      result: "encrypted",
      sent: 6,
      returned: 6,
      encryptedPackets: 16,
      readablePackets: 0,
      missing: [],
    });
  },
);

test("no pair is encrypted where encryption is off", () => {
  expect(evidenceOf(proven("none")).tested?.results).toEqual({ encrypted: 0, notObserved: 0, readable: 12 });
});

test("a readable packet at any one place makes its pair readable, that direction only", () => {
  expect(troubled(pairsAfter((wire) => at(wire, a).plaintext.push(leak(1, 3, 6))))).toEqual([`${a}>${c} readable`]);
  expect(troubled(pairsAfter((wire) => at(wire, null).plaintext.push(leak(1, 3, 6))))).toEqual([`${a}>${c} readable`]);
  expect(troubled(evidenceOf(failed()).pairs)).toEqual([`${a}>${c} readable`]);
});

test("readable wins over not observed", () => {
  const pairs = pairsAfter((wire) => {
    at(wire, a).plaintext.push(leak(1, 3, 6));
    at(wire, a).complete = false;
  });
  expect(troubled(pairs)).toContain(`${a}>${c} readable`);
});

test("packets between node addresses without a marker are no leak", () => {
  const packet = { ...leak(1, 3, 6), form: "node" as const, marker: false };
  expect(troubled(pairsAfter((wire) => at(wire, a).plaintext.push(packet)))).toEqual([]);
  const marked = proofOf("wireguard with node encryption", {
    worsen: ({ wire }) => at(wire, a).plaintext.push({ ...packet, marker: true }),
  });
  expect(troubled(evidenceOf(marked).pairs)).toEqual([`${a}>${c} readable`]);
});

test.each<[string, (vantage: VantageSeen) => void]>([
  ["is silent", (vantage) => (vantage.silent = "exec failed")],
  ["ends early", (vantage) => (vantage.complete = false)],
  ["loses packets", (vantage) => (vantage.dropped = 3)],
  ["is blind for a control", blind],
  ["is blind for one form of control", (vantage) => blind(vantage, "vxlan")],
  ["was sent no control", (vantage) => (vantage.controls = [])],
  ["sees nothing encrypted", (vantage) => (vantage.ciphertext = [])],
])("a capture that %s leaves what passes it not observed", (_, worsen) => {
  expect(troubled(pairsAfter((wire) => worsen(at(wire, a))))).toEqual(from(a));
  expect(troubled(pairsAfter((wire) => worsen(at(wire, null))))).toEqual(all.flatMap(from));
});

test("a pair is not observed without a capture on the sender, or when markers of one kind do not come back", () => {
  expect(troubled(pairsAfter((wire) => wire.vantages.splice(wire.vantages.indexOf(at(wire, b)), 1)))).toEqual(from(b));
  const lost = pairsAfter((wire) => {
    for (const flow of wire.flows) if (flow.from === a && flow.to === b && flow.protocol === "udp") flow.returned = 0;
  });
  expect(troubled(lost)).toEqual([`${a}>${b} not observed`]);
  expect(lost.find((pair) => pair.result !== "encrypted")?.missing).toEqual(["pod udp: none of 3 markers came back"]);
});

test("encrypted in another mode, or with another key, is not what was meant", () => {
  const other = pairsAfter((wire) => {
    for (const vantage of wire.vantages) for (const stream of vantage.ciphertext) stream.kind = "esp";
  });
  expect(troubled(other)).toHaveLength(12);
  const key = pairsAfter((wire) => {
    for (const vantage of wire.vantages) for (const stream of vantage.ciphertext) if (stream.from === a) stream.spi = 4;
  }, "ipsec");
  expect(troubled(key)).toEqual(from(a));
});

describe("the pairs agree with the verdict, whatever is wrong", () => {
  const faults = [...harmless, ...orderedFaults, ...soleFaults].flatMap((fault) =>
    fault.in.map((name): [string, typeof name, typeof fault] => [fault.name, name, fault]),
  );

  test.each(faults)("%s (%s)", (_, name, fault) => {
    const { verdict, pairs, vantages, findings } = evidenceOf(proofOf(name, { worsen: fault.spoil }));
    // No green page without a proof, and no proof with a pair that is not green.
    if (verdict === "proven") expect(troubled(pairs)).toEqual([]);
    if (verdict === "proven") expect(vantages.filter((vantage) => vantage.readablePackets > 0)).toEqual([]);
    const leaked = findings.some(({ check }) => check === "wire-readable");
    expect(vantages.some((vantage) => vantage.readablePackets > 0)).toBe(leaked);
  });
});

test("pairs that were not tested are not in the document", () => {
  const proof = proven();
  const { wire } = proof.observation;
  if (wire) {
    wire.flows = wire.flows.filter((flow) => flow.from === a && flow.to === b);
    wire.pairs = { total: 12, tested: 1, sample: "a ring" };
  }
  const { pairs, tested } = evidenceOf(proof);
  expect(pairs.map((pair) => `${pair.from}>${pair.to}`)).toEqual([`${a}>${b}`]);
  expect([tested?.pairsTotal, tested?.pairsTested, tested?.sample]).toEqual([12, 1, "a ring"]);
});

test("vantage points list the readable packets that tell most, and count the others", () => {
  const proof = proofOf("wireguard", {
    worsen: ({ wire }) => {
      for (let index = 0; index < 30; index++)
        at(wire, a).plaintext.push({ ...leak(1, 3, index + 1), marker: index === 3 });
    },
  });
  const vantage = evidenceOf(proof).vantages.find(({ node }) => node === a);
  expect(vantage?.readable.slice(0, 2).map(({ marker, packets }) => [marker, packets])).toEqual([
    [true, 4],
    [false, 30],
  ]);
  expect([vantage?.readable.length, vantage?.readableLeftOut, vantage?.readablePackets]).toEqual([20, 10, 465]);
});

test("a run in which one node is silent says so of each of its pairs", () => {
  const { tested, pairs } = evidenceOf(notProven());
  expect(tested?.results).toEqual({ encrypted: 4, notObserved: 8, readable: 0 });
  expect(pairs.filter((pair) => pair.from === c).flatMap((pair) => pair.missing)).toContain("pod tcp: no probe pod");
});
