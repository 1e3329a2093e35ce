/**
 * The options of the Cilium agent that the settings decide. The chart writes them into ConfigMap `cilium-config`; `extraConfig` (appended to it, so it
 * overrides), `extraArgs` and `extraEnv` (`CILIUM_*`) reach the same options past the chart's own values.
 */
interface OwnedOption {
  name: string;
  /** The setting to use instead. Absent: no setting stands for it. */
  setting?: string;
  /** It matters in IPsec mode only. */
  ipsecOnly?: true;
}

const ENCRYPTION: readonly OwnedOption[] = [
  { name: "enable-ipsec", setting: "encryption" },
  { name: "enable-wireguard", setting: "encryption" },
  { name: "enable-ztunnel", setting: "encryption" },
  { name: "encrypt-node", setting: "wireguard.nodeEncryption" },
  { name: "node-encryption-opt-out-labels", setting: "wireguard.nodeEncryption" },
  { name: "enable-encryption-strict-mode", setting: "strict" },
  { name: "enable-encryption-strict-mode-egress", setting: "strict" },
  { name: "enable-encryption-strict-mode-ingress", setting: "strict" },
  { name: "encryption-strict-mode-cidr", setting: "strict" },
  { name: "encryption-strict-mode-allow-remote-node-identities", setting: "strict" },
  { name: "encryption-strict-egress-cidr", setting: "strict" },
  { name: "encryption-strict-egress-allow-remote-node-identities", setting: "strict" },
  { name: "ipsec-key-file" },
  { name: "ipsec-key-rotation-duration", setting: "ipsec.keyRotationDuration" },
  { name: "enable-ipsec-key-watcher" },
  { name: "enable-ipsec-encrypted-overlay", setting: "ipsec.encryptedOverlay" },
  { name: "encrypt-interface", setting: "ipsec.interface" },
  { name: "wireguard-persistent-keepalive", setting: "wireguard.persistentKeepalive" },
  { name: "enable-wireguard-userspace-fallback", setting: "wireguard.userspaceFallback" },
];

const COUPLED: readonly OwnedOption[] = [
  { name: "boot-id-file", ipsecOnly: true },
  { name: "enable-host-legacy-routing", ipsecOnly: true },
  { name: "dnsproxy-enable-transparent-mode", ipsecOnly: true },
  { name: "enable-host-firewall", ipsecOnly: true },
  { name: "cni-chaining-mode", ipsecOnly: true },
  { name: "cni-chaining-target", ipsecOnly: true },
  { name: "routing-mode", setting: "cilium.routing" },
  { name: "tunnel", setting: "cilium.tunnel" },
  { name: "tunnel-protocol", setting: "cilium.tunnel" },
  { name: "ipv4-native-routing-cidr", setting: "cilium.nativeCidr" },
  { name: "auto-direct-node-routes" },
  { name: "ipam", setting: "cilium.ipam" },
  { name: "cluster-pool-ipv4-cidr", setting: "cluster.podCidr" },
  { name: "kube-proxy-replacement", setting: "cilium.kubeProxyReplacement" },
  { name: "enable-hubble", setting: "cilium.hubble" },
  { name: "cluster-name", setting: "cluster.name" },
  { name: "enable-ipv4" },
  // Where the agent reads its options from.
  { name: "config" },
  { name: "config-dir" },
];

const OWNED = new Map([...ENCRYPTION, ...COUPLED].map((option) => [option.name, option]));

/** The owned option that a name means, however its spelling: `--enable-ipsec=false`, `CILIUM_ENABLE_IPSEC`, `Enable-IPsec`. */
export function ownedOption(name: string): OwnedOption | undefined {
  const [bare = ""] = normal(name).trim().replace(/^-+/, "").split(/[=\s]/);
  return OWNED.get(bare) ?? OWNED.get(bare.replace(/^cilium-/, ""));
}

const ANYWHERE = new RegExp(
  `(?<![a-z0-9])(?:${ENCRYPTION.map((option) => option.name).join("|")}|etc/ipsec|cilium-ipsec-keys)(?![a-z0-9-])`,
);

/** Whether a text names an option that decides about encryption, or the IPsec key's place. */
export function namesEncryption(text: string): boolean {
  return ANYWHERE.test(normal(text));
}

/** viper, which Cilium reads options with, knows no case and takes `_` for `-` in the environment. */
function normal(text: string): string {
  return text.toLowerCase().replaceAll("_", "-");
}
