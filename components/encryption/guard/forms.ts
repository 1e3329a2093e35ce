import lt from "semver/functions/lt.js";
import { configuredMode } from "../../../prover/configuredMode.ts";
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

/** What a live cluster sends, by its own configuration; nothing where it has no Cilium, or one that encrypts nothing. */
export function formsSent(live: {
  config: { data: Record<string, string> } | null;
  agents: readonly { version: string | null }[];
}): Form[] {
  const is = (option: string, value = "true") => live.config?.data[option] === value;
  const mode = configuredMode(live.config?.data ?? {});
  if (mode === "wireguard") return [is("encrypt-node") ? "wireguard-nodes" : "wireguard"];
  if (mode === "none") return [];
  // Of a version that nobody knows both are possible, and both are ciphertext.
  const earlier = live.agents.some(({ version }) => version === null || lt(version, "1.18.0-0"));
  const later = live.agents.some(({ version }) => version === null || !lt(version, "1.18.0-0"));
  if (is("routing-mode", "native") || !earlier) return ["ipsec"];
  return later || is("enable-ipsec-encrypted-overlay") ? ["ipsec", "ipsec-in-overlay"] : ["ipsec-in-overlay"];
}

/** Both, each once, in a fixed order: what may pass while nodes change from one to the other. */
export function union(one: readonly Form[], other: readonly Form[]): Form[] {
  return FORMS.filter((form) => one.includes(form) || other.includes(form));
}

/** The forms among these words; a word of a later version is none. */
export function formsIn(words: readonly string[]): Form[] {
  return FORMS.filter((form) => words.includes(form));
}
