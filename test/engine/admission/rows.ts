import { ipsecKeyLine } from "../../../components/encryption/ipsecKey.ts";
import { agent, breakGlass, config, create, day, keys, nodeConfig, patch, remove, removeAll } from "./changes.ts";
import type { Change } from "./kubectlProxy.ts";

/** A change, and what its refusal says; absent where it is let through. */
export type Row = [what: string, change: Change, refused?: RegExp];

/** The key of every line; no message may have any of it. */
export const KEY = "0123456789".repeat(4);

export const WIREGUARD_ROWS: Row[] = [
  ["WireGuard off", config({ "enable-wireguard": "false" }), /it says none\. Allowed: wireguard \(ConfigMap/],
  ["WireGuard taken away", config({ "enable-wireguard": null }), /it says none/],
  ["WireGuard with another word than Go's", config({ "enable-wireguard": "yes" }), /it says none/],
  ["WireGuard with a space", config({ "enable-wireguard": "true " }), /it says none/],
  ["the other mode", config({ "enable-wireguard": "false", "enable-ipsec": "true" }), /it says ipsec/],
  ["both modes", config({ "enable-ipsec": "true" }), /it says wireguard and ipsec/],
  ["ztunnel instead", config({ "enable-wireguard": null, "enable-ztunnel": "true" }), /it says none/],
  ["the same option in capitals", config({ "Enable-WireGuard": "false" }), /and enable-wireguard=false/],
  ["no cilium-config", remove("configmaps", "cilium-config"), /cannot be deleted.*pulumi destroy/],
  ["no ConfigMaps", removeAll("configmaps"), /cilium-config is among them/],
  ["no Secrets", removeAll("secrets"), /cilium-ipsec-keys is among them/],
  ["a day that is over", config({ "enable-wireguard": "false" }, breakGlass(day(-1))), /do not count/],
  ["a day without a reason", config({ "enable-wireguard": "false" }, breakGlass(day(1), " ")), /do not count/],
  ["no day", config({ "enable-wireguard": "false" }, breakGlass("tomorrow")), /do not count/],
  ["a day in another spelling", config({ "enable-wireguard": "false" }, breakGlass("2099-1-1")), /do not count/],
  ["an exemption until tomorrow", config({ "enable-wireguard": "false" }, breakGlass(day(1)))],
  ["an exemption until today", config({ "enable-wireguard": null, "enable-ipsec": "true" }, breakGlass(day(0)))],
  ["an option that has nothing to do with it", config({ debug: "true" })],
  ["another of Go's words", config({ "enable-wireguard": "T" })],
  ["the other mode off", config({ "enable-ipsec": "false" })],
  ["more than is asked for", config({ "encrypt-node": "true", "enable-encryption-strict-mode-egress": "true" })],
  ["capitals that say the same", config({ "Enable-WireGuard": "true" })],
  ["a longer keepalive", config({ "wireguard-persistent-keepalive": "25s" })],
  ["another ConfigMap", create("configmaps", { metadata: { name: "other" }, data: { "enable-wireguard": "false" } })],
  ["another ConfigMap gone", remove("configmaps", "kube-root-ca.crt")],
  ["cilium-config elsewhere", elsewhere()],
  ["no key, which nobody uses", remove("secrets", "cilium-ipsec-keys")],
  ["a bad key, which nobody uses", keys("no key at all")],
];

export const WIREGUARD_NODE_ROWS: Row[] = [
  [
    "nodes without WireGuard",
    nodeConfig({ "enable-wireguard": "false" }),
    /this CiliumNodeConfig.*: enable-wireguard=false/,
  ],
  ["nodes with IPsec", nodeConfig({ "enable-wireguard": "false", "enable-ipsec": "true" }), /enable-ipsec=true/],
  ["nodes with both modes", nodeConfig({ "enable-ipsec": "true" }), /enable-ipsec=true/],
  ["nodes in capitals", nodeConfig({ "ENABLE-WIREGUARD": "0" }), /enable-wireguard=0/],
  ["nodes by the older API", older(nodeConfig({ "enable-wireguard": "false" })), /enable-wireguard=false/],
  [
    "nodes that had WireGuard",
    patch("ciliumnodeconfigs", "there", { spec: { defaults: { "enable-wireguard": "" } } }),
    /enable-wireguard=/,
  ],
  [
    "nodes taken out too long ago",
    nodeConfig({ "enable-wireguard": "false" }, breakGlass("2020-01-01")),
    /do not count/,
  ],
  ["nodes taken out", nodeConfig({ "enable-wireguard": "false" }, breakGlass(day(1)))],
  ["nodes that keep it", nodeConfig({ "enable-wireguard": "true", "enable-ipsec": "false" })],
  ["nodes with something else", nodeConfig({ debug: "true", "enable-wireguard-userspace-fallback": "false" })],
  ["nodes whose override goes", remove("ciliumnodeconfigs", "there")],
];

export const IPSEC_ROWS: Row[] = [
  ["IPsec off", config({ "enable-ipsec": "false" }), /it says none/],
  ["the other mode", config({ "enable-ipsec": null, "enable-wireguard": "true" }), /it says wireguard/],
  [
    "keys from elsewhere",
    config({ "ipsec-key-file": "/tmp/keys" }),
    /it says ipsec without ipsec-key-file=\/etc\/ipsec\/keys/,
  ],
  ["a shorter rotation", config({ "ipsec-key-rotation-duration": "1m" })],
  ["nodes without IPsec", nodeConfig({ "enable-ipsec": "false" }), /enable-ipsec=false/],
  ["agents with the other mode's flag", agent({ args: ["--enable-wireguard=true"] }), /enable-wireguard=true/],
  [
    "agents with keys from elsewhere",
    agent({ env: [{ name: "CILIUM_IPSEC_KEY_FILE", value: "/tmp/keys" }] }),
    /ipsec-key-file=\/tmp\/keys/,
  ],
  ["no Secret", remove("secrets", "cilium-ipsec-keys"), /cannot be deleted/],
  ["an empty Secret", patch("secrets", "cilium-ipsec-keys", { data: null }), /another key/],
  [
    "a key by another name",
    patch("secrets", "cilium-ipsec-keys", { data: { keys: null, key: "eA==" } }),
    /another key/,
  ],
  ["a key without the plus sign", keys(`3 rfc4106(gcm(aes)) ${KEY} 128`), /the plus sign/],
  ["a key of id 0", keys(`0+ rfc4106(gcm(aes)) ${KEY} 128`), /ID of 1 to 15/],
  ["a key of id 16", keys(`16+ rfc4106(gcm(aes)) ${KEY} 128`), /ID of 1 to 15/],
  ["a key of an id with a zero before", keys(`03+ rfc4106(gcm(aes)) ${KEY} 128`), /ID of 1 to 15/],
  ["a key that only signs", keys(`3+ rfc4543(gcm(aes)) ${KEY} 128`), /rfc4106/],
  ["a null cipher", keys(`3+ hmac(sha256) ${KEY} ecb(cipher_null) 00`), /rfc4106/],
  ["a short key", keys(`3+ rfc4106(gcm(aes)) ${KEY.slice(8)} 128`), /20 or 36 bytes/],
  ["two keys", keys(`3+ rfc4106(gcm(aes)) ${KEY} 128\n4+ rfc4106(gcm(aes)) ${KEY} 128\n`), /another key/],
  ["a bad key for a day that is over", keys("x", breakGlass(day(-1))), /do not count/],
  ["a bad key for a day to come", keys(`3 rfc4106(gcm(aes)) ${KEY} 128`, breakGlass(day(1)))],
  ["the next key", keys(ipsecKeyLine(4, KEY))],
  ["a key with a line's end", keys(`${ipsecKeyLine(15, KEY)}\n`)],
  ["a longer key", keys(ipsecKeyLine(10, KEY + KEY.slice(0, 32)))],
  ["a label on the Secret", patch("secrets", "cilium-ipsec-keys", { metadata: { labels: { a: "b" } } })],
  ["another Secret", create("secrets", { metadata: { name: "other" }, data: { keys: "eA==" } })],
];

export const STRICT_ROWS: Row[] = [
  ["no node encryption", config({ "encrypt-node": null }), /it says wireguard without encrypt-node=true/],
  ["node encryption off", config({ "encrypt-node": "false" }), /without encrypt-node=true/],
  ["more nodes that opt out", config({ "node-encryption-opt-out-labels": "kubernetes.io/os" }), /opt-out/],
  [
    "no strict mode",
    config({ "enable-encryption-strict-mode-egress": "false" }),
    /without enable-encryption-strict-mode-egress=true/,
  ],
  [
    "strict mode of one direction",
    config({ "enable-encryption-strict-mode-ingress": null }),
    /without enable-encryption-strict-mode-ingress=true/,
  ],
  [
    "strict mode of a smaller range",
    config({ "encryption-strict-egress-cidr": "10.244.0.0/24" }),
    /without encryption-strict-egress-cidr=10.244.0.0\/16/,
  ],
  ["nodes without node encryption", nodeConfig({ "encrypt-node": "false" }), /encrypt-node=false/],
  [
    "nodes without strict mode",
    nodeConfig({ "Enable-Encryption-Strict-Mode-Egress": "false" }),
    /strict-mode-egress=false/,
  ],
  [
    "agents without node encryption",
    agent({ env: [{ name: "CILIUM_ENCRYPT_NODE", value: "false" }] }),
    /encrypt-node=false/,
  ],
  [
    "agents with another range",
    agent({ args: ["--encryption-strict-egress-cidr", "10.0.0.0/8"] }),
    /encryption-strict-egress-cidr=true/,
  ],
  ["agents with the same range", agent({ args: ["--encryption-strict-egress-cidr=10.244.0.0/16"] })],
  ["all as it was", config({ "encrypt-node": "true", debug: "true" })],
];

export const SWITCH_ROWS: Row[] = [
  ["the old mode", config({ debug: "true" })],
  ["the new mode", config({ "enable-wireguard": null, "enable-ipsec": "true", "ipsec-key-file": "/etc/ipsec/keys" })],
  [
    "neither",
    config({ "enable-wireguard": null }),
    /Allowed: wireguard, or ipsec ipsec-key-file=\/etc\/ipsec\/keys \(/,
  ],
  ["both", config({ "enable-ipsec": "true" }), /wireguard and ipsec/],
  ["some nodes of the new mode", nodeConfig({ "enable-wireguard": "false", "enable-ipsec": "true" })],
  ["some nodes of neither", nodeConfig({ "enable-wireguard": "false", "enable-ipsec": "false" }), /enable-ipsec=false/],
  ["no Secret", remove("secrets", "cilium-ipsec-keys"), /cannot be deleted/],
  ["no cilium-config", remove("configmaps", "cilium-config"), /cannot be deleted/],
];

export const NONE_ROWS: Row[] = [
  ["no encryption", config({ "enable-wireguard": "false" })],
  ["another mode", config({ "enable-wireguard": "false", "enable-ipsec": "true" })],
  ["no cilium-config", remove("configmaps", "cilium-config")],
  ["no Secret", remove("secrets", "cilium-ipsec-keys")],
  ["nodes without encryption", nodeConfig({ "enable-wireguard": "false" })],
  ["agents without encryption", agent({ args: ["--enable-wireguard=false", "--config-dir=/etc/mine"] })],
];

/** The same name in a namespace where no Cilium is. */
function elsewhere(): Change {
  const body = { metadata: { name: "cilium-config" }, data: { "enable-wireguard": "false" } };
  return { method: "POST", path: "/api/v1/namespaces/default/configmaps", body };
}

function older(change: Change): Change {
  const body = { ...change.body, apiVersion: "cilium.io/v2alpha1" };
  return { ...change, body, path: change.path.replace("/v2/", "/v2alpha1/") };
}
