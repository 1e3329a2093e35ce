import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { digestOf, evidenceText } from "../../prover/evidence/digest.ts";
import { evidenceOf, type Proof } from "../../prover/evidence/document.ts";
import { evidenceSchema, jsonSchema } from "../../prover/evidence/schema.ts";
import { projectRoot } from "../../tools/paths.ts";
import { failed, notProven, proofOf, proven } from "./proverEvidence/proofs.ts";
import { CASES } from "./proverTroubles/healthy.ts";

const PROOFS: [string, Proof][] = [
  ...CASES.map((name): [string, Proof] => [name, proven(name)]),
  ["failed", failed()],
  ["not proven", notProven()],
  ["without a test on the wire", withoutWire()],
  ["one node", proven("wireguard", { nodes: 1 })],
];

function withoutWire(): Proof {
  const proof = proven();
  return { ...proof, observation: { ...proof.observation, wire: null } };
}

test("the published schema is that of the code", () => {
  // Mended by: node prover/evidence/publishSchema.ts && make format
  const published = readFileSync(join(projectRoot, "docs/evidence.schema.json"), "utf8");
  expect(JSON.parse(published)).toEqual(JSON.parse(jsonSchema()));
});

test.each(PROOFS)("a document is valid by the published schema: %s", (_, proof) => {
  const document = JSON.parse(evidenceText(evidenceOf(proof)));
  expect(() => evidenceSchema.parse(document)).not.toThrow();
  const validate = new Ajv2020({ strict: false }).compile(JSON.parse(jsonSchema()));
  expect([validate(document), validate.errors]).toEqual([true, null]);
  expect([validate({ ...document, verdict: "fine" }), validate({ ...document, schema: 2 })]).toEqual([false, false]);
});

test("the file is the document, and its verdict comes before all else that it says", () => {
  const document = evidenceOf(failed());
  const text = evidenceText(document);
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(document)));
  expect(Object.keys(document).slice(0, 2)).toEqual(["schema", "verdict"]);
});

test("the digest is what sha256sum says of the file", () => {
  const text = evidenceText(evidenceOf(proven()));
  expect(digestOf(text)).toBe(createHash("sha256").update(Buffer.from(text)).digest("hex"));
});

describe("equal observations have equal digests", () => {
  const digest = (proof: Proof): string => digestOf(evidenceText(evidenceOf(proof)));

  test("in whatever order things were read", () => {
    const proof = notProven();
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const observation = shuffled(proof.observation, randomOf(seed)) as Proof["observation"];
        return digest({ ...proof, observation }) === digest(proof);
      }),
      { numRuns: 20 },
    );
  });

  test("and other ones others", () => {
    const proof = proven();
    const [flow] = proof.observation.wire?.flows ?? [];
    const before = digest(proof);
    if (flow) flow.returned -= 1;
    expect(digest(proof)).not.toBe(before);
  });
});

/** Park and Miller's generator. */
function randomOf(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state;
  };
}

/** Lists in another order, but for the addresses of a node, of which the first is the one that others route to. */
function shuffled(value: unknown, random: () => number, key = ""): unknown {
  if (value === null || typeof value !== "object") return value;
  if (!Array.isArray(value)) {
    const entries = Object.entries(value).map(([name, member]) => [name, shuffled(member, random, name)] as const);
    return Object.fromEntries(
      entries
        .map((entry) => ({ entry, at: random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ entry }) => entry),
    );
  }
  const members = value.map((member) => shuffled(member, random));
  if (["nodeIps", "addresses", "options", "command"].includes(key)) return members;
  return members
    .map((member) => ({ member, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ member }) => member);
}

describe("what it says of the key", () => {
  test("its id, size and age where somebody knows it", () => {
    expect(evidenceOf({ ...proven("ipsec"), keyAgeDays: 12 }).encryption.key).toEqual({
      id: 3,
      bits: 128,
      ageDays: 12,
    });
    expect(evidenceOf(proven("ipsec")).encryption.key).toEqual({ id: 3, bits: 128, ageDays: null });
  });

  test("WireGuard has no key id", () => {
    expect(evidenceOf(proven("wireguard")).encryption.key).toBeNull();
  });
});

describe("the map to controls", () => {
  test("a proven run of a real cluster supports them; no other run does", () => {
    const supported = (proof: Proof): boolean[] => [
      ...new Set(evidenceOf(proof).controls.map((control) => control.supported)),
    ];
    expect(supported(proven())).toEqual([true]);
    expect(supported(proven("wireguard", { simulated: true }))).toEqual([false]);
    expect(supported(failed())).toEqual([false]);
    expect(supported(notProven())).toEqual([false]);
    expect(supported(proofOf("none"))).toEqual([false]);
  });

  test("nothing ever complies", () => {
    for (const [, proof] of PROOFS) {
      const { controls } = evidenceOf(proof);
      expect(controls.map(({ control }) => control).join()).toMatch(
        /4\.2\.1.*SC-8.*SC-13.*164\.312\(e\)\(1\).*A\.8\.24/,
      );
      for (const { wording } of controls) {
        expect(wording).toMatch(/^(Supports|A proven run of a real cluster would support) /);
        expect(wording).not.toMatch(/compl(y|ies|iant)|certif/i);
      }
    }
  });
});
