import { parseIntent } from "../../prover/intent.ts";
import { ProverError } from "../../prover/proverError.ts";
import { CASES, intentFor } from "./proverTroubles/healthy.ts";

test.each(CASES)("an intent is read back as it was written: %s", (name) => {
  expect(parseIntent(JSON.stringify(intentFor(name)), "intent.json")).toEqual(intentFor(name));
});

test.each([
  ["not JSON", "{", /intent\.json is not JSON/],
  ["another schema", { schema: 2 }, /schema: /],
  ["an unknown mode", { encryption: "wiregard" }, /encryption: .*"wireguard"\|"ipsec"\|"none"/],
  ["an unknown key", { nodeEncyption: true }, /nodeEncyption/],
  ["key id 0", { encryption: "ipsec", keyId: 0 }, /keyId: /],
  ["key id 16", { encryption: "ipsec", keyId: 16 }, /keyId: /],
  ["IPsec without a key id", { encryption: "ipsec", keyId: null }, /keyId: must be a key id in ipsec mode/],
  ["a key id without IPsec", { keyId: 3 }, /keyId: .*null in the others/],
  [
    "node encryption without WireGuard",
    { encryption: "none", nodeEncryption: true },
    /nodeEncryption: exists in wireguard mode only/,
  ],
  ["a version that is a number", { cilium: { version: 1.2, namespace: "kube-system" } }, /cilium\.version: /],
  ["config values that are no text", { config: { "enable-wireguard": true } }, /config\.enable-wireguard: /],
  ["no nodes", { nodes: 0 }, /nodes: /],
])("refused as a usage error: %s", (_name, change, message) => {
  const text = typeof change === "string" ? change : JSON.stringify({ ...intentFor("wireguard"), ...change });
  let thrown: unknown;
  try {
    parseIntent(text, "intent.json");
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ProverError);
  expect(thrown).toMatchObject({ kind: "usage", message: expect.stringMatching(message) });
});
