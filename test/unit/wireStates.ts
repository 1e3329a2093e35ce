import type { WireState } from "../../prover/watch/change.ts";

export const WIREGUARD: WireState = {
  encryption: "wireguard",
  nodeEncryption: false,
  strict: false,
  keyId: null,
  cilium: "1.20.2",
};
export const IPSEC: WireState = { ...WIREGUARD, encryption: "ipsec", keyId: 3 };
