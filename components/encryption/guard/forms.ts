import type { Settings } from "../../settings.ts";
import { chartVersion } from "../chartVersions.ts";

/**
 * What a cluster's ciphertext looks like between nodes. Identity: the table in force carries these words, and the next update reads them.
 * - `wireguard`: UDP 51871.
 * - `wireguard-nodes`: the same, and what nodes send themselves is encrypted too.
 * - `ipsec`: ESP between nodes.
 * - `ipsec-in-overlay`: ESP inside VXLAN or Geneve, as Cilium up to 1.17 sends it.
 */
export type Form = (typeof FORMS)[number];

const FORMS = ["wireguard", "wireguard-nodes", "ipsec", "ipsec-in-overlay"] as const;

/** The ciphertext that these settings make; none where they encrypt nothing. */
export function formsOf({ encryption, wireguard, ipsec, cilium }: Settings): Form[] {
  if (encryption === "none") return [];
  if (encryption === "wireguard") return [wireguard.nodeEncryption ? "wireguard-nodes" : "wireguard"];
  // From 1.18 on the overlay itself is encrypted; before, only what pods send in it.
  const inside = cilium.routing === "tunnel" && chartVersion(cilium.version).encryptedOverlay === "setting";
  if (!inside) return ["ipsec"];
  return ipsec.encryptedOverlay ? ["ipsec", "ipsec-in-overlay"] : ["ipsec-in-overlay"];
}

/** Both, each once, in a fixed order: what may pass while nodes change from one to the other. */
export function union(one: readonly Form[], other: readonly Form[]): Form[] {
  return FORMS.filter((form) => one.includes(form) || other.includes(form));
}

/** The forms among these words; a word of a later version is none. */
export function formsIn(words: readonly string[]): Form[] {
  return FORMS.filter((form) => words.includes(form));
}
