import { allChecks } from "../../prover/checks/checks.ts";
import { evidenceText } from "../../prover/evidence/digest.ts";
import { evidenceOf, type Proof } from "../../prover/evidence/document.ts";
import { pageOf } from "../../prover/evidence/html/page.ts";
import { observationOf } from "../../prover/evidence/rawObservation.ts";
import type { Evidence } from "../../prover/evidence/schema.ts";
import { judge } from "../../prover/judge.ts";
import type { Observation } from "../../prover/observation.ts";
import { failed, notProven, proven } from "./proverEvidence/proofs.ts";
import { nodeName } from "./proverTroubles/healthy.ts";

/** A run of which only the pairs of a ring were tested; everybody's ordinary traffic was seen all the same. */
function sampled(nodes: number, make: (made: { nodes: number }) => Proof): Proof {
  const proof = make({ nodes });
  const { wire } = proof.observation;
  const next = new Map(Array.from({ length: nodes }, (_, index) => [nodeName(index), nodeName((index + 1) % nodes)]));
  if (wire) {
    wire.flows = wire.flows.filter(({ from, to }) => next.get(from) === to);
    wire.pairs = { total: nodes * (nodes - 1), tested: nodes, sample: "a ring of all nodes" };
  }
  return proof;
}

const read = (document: Evidence): Observation => observationOf(JSON.parse(evidenceText(document)));

/** What a judgement says, whatever the order in which it was read. */
function conclusion(proof: Proof, seen: Observation): unknown {
  const { verdict, findings } = judge(proof.intent, seen, allChecks);
  return { verdict, findings: findings.map((finding) => JSON.stringify(finding)).sort() };
}

test.each<[string, Proof]>([
  ["4 nodes", proven()],
  ["4 nodes, failed", failed()],
  ["4 nodes, not proven", notProven()],
  ["120 nodes", sampled(120, (made) => proven("wireguard", made))],
  ["120 nodes, IPsec, failed", sampled(120, failed)],
  ["120 nodes, not proven", sampled(120, notProven)],
  ["120 nodes, strange peers", strangePeers()],
])("somebody else can judge the document again, and comes to the same conclusion: %s", (_, proof) => {
  const document = evidenceOf(proof);
  expect(document.intent).toEqual(proof.intent);
  expect(conclusion(proof, read(document))).toEqual(conclusion(proof, proof.observation));
});

function strangePeers(): Proof {
  const proof = sampled(120, (made) => proven("wireguard", made));
  const [first, second, third] = proof.observation.agents.map((agent) =>
    "said" in agent.encryption ? agent.encryption.said.wireguard : null,
  );
  const stranger = Buffer.alloc(32, 0xee).toString("base64");
  if (first?.peers) first.peers = [...first.peers.slice(3), stranger];
  if (second?.peers) second.peers = [...second.peers, second.publicKey];
  if (third?.peers) third.peers = [...third.peers, third.peers[0] ?? ""];
  const [agent] = proof.observation.agents;
  if (agent?.counters && "said" in agent.counters.after) {
    agent.counters.after.said.peers?.push({ publicKey: stranger, endpoint: null, lastHandshake: null, rx: 0, tx: 0 });
  }
  return proof;
}

test("a small observation is kept as it is", () => {
  const { abridged, observation } = evidenceOf(proven());
  expect(abridged).toEqual([]);
  expect(observation.agents).toHaveLength(4);
});

test("the peers of a large cluster are packed without a loss, doubled and own keys included", () => {
  const proof = strangePeers();
  const peers = (seen: Observation): unknown[] =>
    seen.agents
      .map((agent) => [
        agent.node,
        "said" in agent.encryption ? agent.encryption.said.wireguard?.peers?.toSorted() : null,
      ])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  expect(peers(read(evidenceOf(proof)))).toEqual(peers(proof.observation));
});

test("twice the nodes make no more than about twice the document, and it says what it left out", () => {
  const documents = [105, 210].map((nodes) => evidenceOf(sampled(nodes, (made) => proven("wireguard", made))));
  const [small = 0, large = 0] = documents.map((document) => evidenceText(document).length);
  expect(large / small).toBeLessThan(2.2);
  expect(large).toBeLessThan(210 * 8_000);
  expect(documents[0]?.abridged.join()).toContain("no check looks at them");
});

test("a page stays small, whatever the size of the cluster", () => {
  const page = pageOf(evidenceOf(sampled(150, (made) => notProven(made))), "0".repeat(64));
  expect(page.length).toBeLessThan(500_000);
});

test("a leak of everything fills no disk, and is told of", () => {
  const proof = failed();
  const vantage = proof.observation.wire?.vantages.find(({ node }) => node === nodeName(1));
  const [packet] = vantage?.plaintext ?? [];
  if (vantage && packet)
    vantage.plaintext = Array.from({ length: 5_000 }, (_, index) => ({ ...packet, src: `10.244.1.${index}` }));
  const document = evidenceOf(proof);
  expect(evidenceText(document).length).toBeLessThan(200_000);
  expect(document.abridged).toEqual(["dev-worker1 eth0: 4900 further kinds of readable packets are left out"]);
  expect(document.pairs.find((pair) => pair.result === "readable")?.readablePackets).toBe(30_000);
});
