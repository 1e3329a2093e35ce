/** A way in which a cluster is encrypted, as one config. */
export interface Mode {
  name: string;
  encryption: "wireguard" | "ipsec" | "none";
  nodeEncryption?: true;
  strict?: true;
  /** Cilium's version. */
  cilium: string;
}

const NEW = "1.20.2";
const OLD = "1.19.6";

export const NONE: Mode = { name: "none", encryption: "none", cilium: NEW };
export const WIREGUARD: Mode = { name: "wireguard", encryption: "wireguard", cilium: NEW };
export const WIREGUARD_NODES: Mode = { ...WIREGUARD, name: "wireguard + nodes", nodeEncryption: true };
export const WIREGUARD_STRICT: Mode = { ...WIREGUARD, name: "wireguard strict", strict: true };
export const WIREGUARD_OLD: Mode = { ...WIREGUARD, name: `wireguard ${OLD}`, cilium: OLD };
export const IPSEC: Mode = { name: "ipsec", encryption: "ipsec", cilium: NEW };
export const IPSEC_STRICT: Mode = { ...IPSEC, name: "ipsec strict", strict: true };
export const IPSEC_OLD: Mode = { ...IPSEC, name: `ipsec ${OLD}`, cilium: OLD };

export const ENCRYPTED: readonly Mode[] = [
  ...[WIREGUARD, WIREGUARD_NODES, WIREGUARD_STRICT, WIREGUARD_OLD],
  ...[IPSEC, IPSEC_STRICT, IPSEC_OLD],
];

/** What may pass around the modes of a stack. */
export interface Around {
  routing: "tunnel" | "native";
  nodes: number;
  pace: "fast" | "steady";
  guard: boolean;
  /** IPsec's key; the default where it is not said. */
  keyId?: number;
  keyRotationDuration?: string;
}

/** A stack's config: what `EngineStack.configure` takes. */
export interface StackConfig {
  changes: Record<string, unknown>;
  cluster: Record<string, unknown>;
  cilium: Record<string, unknown>;
}

/** The whole config of a mode. */
export function configOf(mode: Mode, { routing, nodes, pace, guard, keyId, keyRotationDuration }: Around): StackConfig {
  const { encryption, nodeEncryption, strict, cilium: version } = mode;
  const ipsec = { ...(keyId && { keyId }), ...(keyRotationDuration && { keyRotationDuration }) };
  return {
    changes: {
      "wirecloak:encryption": encryption,
      "wirecloak:guard": guard,
      "wirecloak:watch": true,
      ...(encryption === "none" && { "wirecloak:allowPlaintext": { reason: "torture", until: "2099-12-31" } }),
      ...(nodeEncryption && { "wirecloak:wireguard": { nodeEncryption } }),
      ...(strict && { "wirecloak:strict": strict }),
      ...(Object.keys(ipsec).length > 0 && { "wirecloak:ipsec": ipsec }),
    },
    cluster: { workers: nodes - 1 },
    cilium: { version, rollout: pace, routing, ...(routing === "native" && { nativeCidr: "10.244.0.0/16" }) },
  };
}
