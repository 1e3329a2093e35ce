/** How Cilium encrypts the traffic between nodes; the names are the Helm chart's `encryption.type`. */
export type EncryptionMode = "wireguard" | "ipsec" | "none";

/** What only WireGuard mode knows; kept while another mode is on, so that a switch of mode is one line. */
export interface WireguardSettings {
  /** Also encrypt node-to-node and hostNetwork traffic. Beta in Cilium, and control planes opt out by default. */
  nodeEncryption: boolean;
  /** Go duration; `0s` sends none. */
  persistentKeepalive: string;
  /** WireGuard in user space where the kernel has none. Cilium 1.16 only. */
  userspaceFallback: boolean;
}

/** What only IPsec mode knows; kept while another mode is on, so that a switch of mode is one line. */
export interface IpsecSettings {
  /** The SPI of the key in use, 1 to 15. A rotation is one step: 4 after 3, 1 after 15. */
  keyId: number;
  /** AES key size of `rfc4106(gcm(aes))`. */
  keyBits: 128 | 256;
  /** Go duration for which the previous key is still accepted. */
  keyRotationDuration: string;
  /** Encrypt the VXLAN/Geneve header too. Cilium 1.16 and 1.17 only; later versions always do. */
  encryptedOverlay: boolean;
  /** The device IPsec binds to; absent: Cilium finds it. Cilium 1.16 to 1.19 only. */
  interface?: string;
}

/** A cluster in Docker, made by kind: one control plane and the workers. */
export interface KindSettings {
  provider: "kind";
  name: string;
  workers: number;
  podCidr: string;
  serviceCidr: string;
  /** Node image; absent: the one of the pinned kind. */
  image?: string;
}

/** A cluster that is there already. Nothing of it is created or destroyed but Cilium. */
export interface ExistingSettings {
  provider: "existing";
  /** Cilium's `cluster.name`, and the name in evidence. */
  name: string;
  /** Absolute path of the kubeconfig. */
  kubeconfig: string;
  /** Absent: the kubeconfig's current context. */
  context?: string;
  /** The pods' range. Needed for strict mode and for cluster-pool IPAM. */
  podCidr?: string;
}

/** A cluster for machines without Docker: a real Kubernetes API, simulated nodes. */
export interface RehearsalSettings {
  provider: "rehearsal";
  name: string;
  workers: number;
  podCidr: string;
  serviceCidr: string;
}

export type ClusterSettings = KindSettings | ExistingSettings | RehearsalSettings;

export interface CiliumSettings {
  /** Full version, `1.20.2`. */
  version: string;
  /** Namespace of the release, the agents and the IPsec Secret. */
  namespace: string;
  /** Where the chart comes from: repository URL, `oci://...`, or an absolute path of a chart folder, a .tgz, or a folder of `cilium-<version>.tgz`. */
  chart: string;
  routing: "tunnel" | "native";
  /** Tunnel protocol; without effect in native routing. */
  tunnel: "vxlan" | "geneve";
  /** The range that is routed, not masqueraded. There in native routing only. */
  nativeCidr?: string;
  ipam: "kubernetes" | "cluster-pool";
  kubeProxyReplacement: boolean;
  /** Hubble with relay and UI. */
  hubble: boolean;
  /** More Helm values, merged under ours. */
  values: Record<string, unknown>;
}

/** Everything a stack is told, checked, with defaults in place. Made by `loadSettings` only. */
export interface Settings {
  encryption: EncryptionMode;
  wireguard: WireguardSettings;
  ipsec: IpsecSettings;
  /** Cilium's strict mode: pod traffic that would leave a node unencrypted is dropped. */
  strict: boolean;
  /** The reason why plaintext is accepted and the last day (YYYY-MM-DD) for which it is. */
  allowPlaintext?: { reason: string; until: string };
  cluster: ClusterSettings;
  cilium: CiliumSettings;
  proof: {
    /** Whether a failed proof fails the update. */
    enforce: boolean;
  };
}
