import { parseEncryption, parseStatus } from "../../prover/agentAnswer.ts";

// The documents are as Cilium 1.20's api/v1/models print them: Go leaves zeros and empty strings out.
test.each([
  [
    "WireGuard",
    {
      mode: "Wireguard",
      wireguard: {
        interfaces: [{ name: "cilium_wg0", "listen-port": 51871, "public-key": "k", "peer-count": 3, peers: null }],
      },
    },
    { mode: "Wireguard", message: null, wireguard: { publicKey: "k", peerCount: 3, peers: null }, ipsec: null },
  ],
  [
    "WireGuard with its peers named",
    {
      mode: "Wireguard",
      wireguard: {
        interfaces: [{ "public-key": "k", "peer-count": 1, peers: [{ "public-key": "p", "allowed-ips": [] }] }],
      },
    },
    { mode: "Wireguard", message: null, wireguard: { publicKey: "k", peerCount: 1, peers: ["p"] }, ipsec: null },
  ],
  [
    "WireGuard without peers",
    { mode: "Wireguard", wireguard: { interfaces: [{ "public-key": "k", peers: null }] } },
    { mode: "Wireguard", message: null, wireguard: { publicKey: "k", peerCount: 0, peers: null }, ipsec: null },
  ],
  [
    "WireGuard without a device",
    { mode: "Wireguard", msg: "wireguard state mismatch between kernel and agent" },
    { mode: "Wireguard", message: "wireguard state mismatch between kernel and agent", wireguard: null, ipsec: null },
  ],
  [
    "IPsec",
    {
      mode: "IPsec",
      ipsec: {
        "decrypt-interfaces": ["eth0"],
        "keys-in-use": 6,
        "max-seq-number": "N/A",
        "error-count": 2,
        "xfrm-errors": { XfrmInNoStates: 2 },
      },
    },
    { mode: "IPsec", message: null, wireguard: null, ipsec: { keysInUse: 6, errors: { XfrmInNoStates: 2 } } },
  ],
  ["no encryption", { mode: "Disabled" }, { mode: "Disabled", message: null, wireguard: null, ipsec: null }],
])("encrypt status is read: %s", (_name, document, said) => {
  expect(parseEncryption(JSON.stringify(document))).toEqual({ said });
});

test("status is read, whatever else it tells", () => {
  const document = {
    cilium: { state: "Ok", msg: "1.20.2 (v1.20.2-8d3e5d9f)" },
    cluster: {},
    encryption: { mode: "IPsec" },
  };
  expect(parseStatus(JSON.stringify(document))).toEqual({
    said: { mode: "IPsec", version: "1.20.2 (v1.20.2-8d3e5d9f)", nodeEncryption: null },
  });
});

test("lines before the document are passed over", () => {
  expect(parseEncryption('time="now" level=warning\n\n{\n  "mode": "Disabled"\n}\n')).toHaveProperty(
    "said.mode",
    "Disabled",
  );
});

test.each([
  ["nothing", "", /without a JSON document: ""/],
  ["text", "Encryption: Wireguard", /without a JSON document: "Encryption: Wireguard"/],
  ["half a document", '{"mode": "IPs', /broken JSON/],
  ["no mode", "{}", /unknown shape: mode/],
  ["an unknown mode", '{"mode": "Quantum"}', /unknown shape: mode/],
  ["a count that is no number", '{"mode": "IPsec", "ipsec": {"keys-in-use": "6"}}', /unknown shape: ipsec.keys-in-use/],
])("an answer of %s is no answer", (_name, output, silent) => {
  expect(parseEncryption(output)).toEqual({ silent: expect.stringMatching(silent) });
});
