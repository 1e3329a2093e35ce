import type { Intent } from "./intent.ts";
import type { Observation } from "./observation.ts";

/** Traffic that stays plain even where everything is as intended, so that nobody believes more than is true. */
export function notEncrypted(intent: Intent, seen: Observation): string[] {
  if (intent.encryption === "none") return ["all traffic between nodes: encryption is off"];
  return [
    "traffic between pods of the same node: it never leaves the node",
    ...nodeTraffic(intent, seen),
    ...(intent.strict ? [] : ["pod traffic to an address that Cilium does not know yet: strict mode is off"]),
    "traffic that leaves the cluster",
  ];
}

function nodeTraffic(intent: Intent, seen: Observation): string[] {
  const what = "node-to-node and hostNetwork traffic";
  if (intent.encryption === "ipsec") return [`${what}: Cilium encrypts it in WireGuard mode only`];
  if (!intent.nodeEncryption) return [`${what}: node encryption is off`];
  const optedOut = seen.agents.flatMap(({ node, status }) =>
    "said" in status && status.said.nodeEncryption === "OptedOut" ? [node] : [],
  );
  return optedOut.length > 0
    ? [`${what} of ${optedOut.join(", ")}: opted out of node encryption, as Cilium lets control planes do`]
    : [];
}
