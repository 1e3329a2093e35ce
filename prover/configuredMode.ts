import type { Intent } from "./intent.ts";

/**
 * How agents encrypt by what `cilium-config` holds. With both modes on they do not start (Cilium's daemon/cmd/daemon.go), so that neither answer is
 * right or harmful then; WireGuard is the one given.
 */
export function configuredMode(data: Readonly<Record<string, string>>): Intent["encryption"] {
  if (data["enable-wireguard"] === "true") return "wireguard";
  return data["enable-ipsec"] === "true" ? "ipsec" : "none";
}
