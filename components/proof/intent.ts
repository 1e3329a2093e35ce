import type { Intent } from "../../prover/intent.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { guardPlan } from "../encryption/guard/question.ts";
import { expectedConfig } from "../encryption/values.ts";
import type { Settings } from "../settings.ts";

/** What the prover holds the live cluster against. No secret is in it: only the id of the key. */
export function intentOf(
  settings: Settings,
  cluster: Pick<Cluster, "simulated" | "nodes" | "outside" | "guardPlace" | "guardLimits">,
): Intent {
  const ipsec = settings.encryption === "ipsec";
  return {
    schema: 1,
    cluster: settings.cluster.name,
    provider: settings.cluster.provider,
    simulated: cluster.simulated,
    cilium: { version: settings.cilium.version, namespace: settings.cilium.namespace },
    encryption: settings.encryption,
    nodeEncryption: settings.encryption === "wireguard" && settings.wireguard.nodeEncryption,
    strict: settings.strict,
    keyId: ipsec ? settings.ipsec.keyId : null,
    keyBits: ipsec ? settings.ipsec.keyBits : null,
    config: expectedConfig(settings),
    nodes: cluster.nodes ?? null,
    routing: settings.cilium.routing,
    overlay: settings.cilium.routing === "tunnel" ? settings.cilium.tunnel : null,
    guard: guardPlan(settings, cluster.guardPlace),
    ...(cluster.guardLimits && { guardLimits: [...cluster.guardLimits] }),
    proof: {
      pairs: settings.proof.pairs,
      seconds: settings.proof.seconds,
      image: settings.proof.image,
      outside: cluster.outside?.(settings.proof.image) ?? null,
    },
  };
}
