import { evidenceText } from "../../prover/evidence/digest.ts";
import { evidenceOf, type Proof } from "../../prover/evidence/document.ts";
import { pageOf } from "../../prover/evidence/html/page.ts";
import { keyMaterialIn, REMOVED } from "../../prover/evidence/keyMaterial.ts";
import { failed, notProven, proven } from "./proverEvidence/proofs.ts";

const PSK = "0e9c8a1f5b3d7e2460c1a8f3d5b7e9024c6a8e1f";
const SECRETS: [string, string][] = [
  ["a line of the IPsec Secret", `3+ rfc4106(gcm(aes)) ${PSK} 128`],
  ["a state of ip xfrm", `aead rfc4106(gcm(aes)) 0x${PSK} 128`],
  ["an authentication key of ip xfrm", "auth-trunc hmac(sha256) 0x00112233445566778899 128"],
  ["a bare 20 byte key", PSK],
  ["a bare 36 byte key", PSK + PSK.slice(0, 32)],
  ["a WireGuard private key", Buffer.alloc(32, 0x5a).toString("base64")],
  ["the answer of wg showconf", `[Interface] PrivateKey = ${Buffer.alloc(32, 7).toString("base64")}`],
  ["a PEM private key", "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEI"],
];

/** Places where text of the cluster gets into the document. */
const PLACES: [string, (proof: Proof, text: string) => void][] = [
  [
    "an agent's message",
    (proof, text) => Object.assign(proof.observation.agents[0] ?? {}, { status: { silent: text } }),
  ],
  ["a ConfigMap's value", (proof, text) => Object.assign(proof.observation.config?.data ?? {}, { x: text })],
  ["a ConfigMap's key", (proof, text) => Object.assign(proof.observation.config?.data ?? {}, { [text]: "x" })],
  ["a finding's evidence", (proof, text) => Object.assign(proof.report.findings[0] ?? {}, { evidence: text })],
  ["a reason", (proof, text) => proof.report.reasons.push(text)],
  [
    "an example of a packet",
    (proof, text) =>
      Object.assign(proof.observation.wire?.vantages.flatMap(({ plaintext }) => plaintext)[0] ?? {}, { example: text }),
  ],
  ["a version", (proof, text) => Object.assign(proof.versions.tools, { tcpdump: text })],
];

test.each([proven("wireguard"), proven("ipsec"), failed(), notProven()])(
  "what a proof leaves behind holds nothing that looks like a key",
  (proof) => {
    const document = evidenceOf(proof);
    expect(keyMaterialIn(document)).toEqual([]);
    expect(JSON.stringify(document)).not.toContain(REMOVED);
  },
);

// The positive control of the test above: it would see one.
test.each(SECRETS)("a planted key is seen: %s", (_, secret) => {
  const document: Record<string, unknown> = {
    ...evidenceOf(failed()),
    observation: { agents: [{ said: `x ${secret}` }] },
  };
  expect(keyMaterialIn(document)).toEqual(["observation.agents.0.said"]);
});

describe.each(PLACES)("a key in %s", (_, plant) => {
  test.each(SECRETS)("does not get into the files: %s", (_, secret) => {
    const proof = failed();
    plant(proof, `before ${secret} after`);
    const document = evidenceOf(proof);
    const files = evidenceText(document) + pageOf(document, "0".repeat(64));
    expect([files.includes(REMOVED), files.includes(secret.slice(-24))]).toEqual([true, false]);
    expect(keyMaterialIn(document)).toEqual([]);
  });
});

test("a private key in the place of a public one cannot be told from it; the fields that hold public keys are few", () => {
  const key = Buffer.alloc(32, 9).toString("base64");
  expect(keyMaterialIn({ publicKey: key, wireguardKey: key, peers: [key] })).toEqual([]);
  expect(keyMaterialIn({ key, publickey: key, value: [key] })).toEqual(["key", "publickey", "value.0"]);
});

test("digests of images, versions and identifiers are not taken for keys", () => {
  const harmless = {
    image: `docker.io/nicolaka/netshoot@sha256:${"a1".repeat(32)}`,
    version: "1.20.2 (v1.20.2-8d3e5d9f)",
    bootId: "00000000-0000-4000-8000-000000000001",
    example: "IP 10.244.1.7.40112 > 10.244.3.7.31987: UDP, length 48",
  };
  expect(keyMaterialIn(harmless)).toEqual([]);
});
