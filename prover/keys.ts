import type { Intent } from "./intent.ts";
import type { Observation } from "./observation.ts";

/** `old and new`: a rotation is in flight, and what is encrypted with the key before is still read. */
export type KeyState = "new only" | "old and new";

/** Whether a node with so many IPsec keys in use has one key id or two; null where the number is neither's. */
export function keyState(intent: Intent, seen: Observation, keysInUse: number | null): KeyState | null {
  if (intent.encryption !== "ipsec" || keysInUse === null || keysInUse === 0) return null;
  const one = keysOfOneId(intent, seen);
  return keysInUse === one ? "new only" : keysInUse === 2 * one ? "old and new" : null;
}

/** One in each direction for each other node, twice that in a tunnel and twice again with IPv6 (cilium-cli, encrypt/status.go). */
function keysOfOneId({ overlay }: Intent, { nodes, config }: Observation): number {
  return 2 * (nodes.length - 1) * (overlay === null ? 1 : 2) * (config?.data["enable-ipv6"] === "true" ? 2 : 1);
}
