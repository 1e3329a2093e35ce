import type { V1ConfigMap } from "@kubernetes/client-node";
import type { AdmissionObject } from "../clusterApi.ts";
import { lastChange } from "./changedBy.ts";
import { digestOf } from "./digest.ts";
import type { LiveFacts } from "./facts.ts";

/** ConfigMap in Cilium's namespace that says what the admission policies let through. Identity: never rename. */
export const PARAMETER = "wirecloak-admission";
/** Its one key: what may be configured, an alternative a line. */
export const ALLOWED = "allowed";

/** The names of the policies and of their bindings. Identity: the API server's refusals, the audit log and people know them. */
export const POLICIES = {
  config: "wirecloak-cilium-config",
  keys: "wirecloak-ipsec-keys",
  nodeConfig: "wirecloak-cilium-node-config",
  agents: "wirecloak-cilium-agents",
  collections: "wirecloak-collections",
  parameter: "wirecloak-parameter",
} as const;

const NAMES: readonly string[] = Object.values(POLICIES);

/** What may be told of the parameter. */
export function admissionFacts(parameter: V1ConfigMap | null): LiveFacts["admission"] {
  if (parameter === null) return null;
  return { allowed: parameter.data?.[ALLOWED] ?? "", by: lastChange(parameter.metadata?.managedFields, ["data"]) };
}

/** Our policies and bindings, in an order of their own. The generation is another after each change of what they say, and the id of another object is another. */
export function policyFacts(objects: readonly AdmissionObject[]): NonNullable<LiveFacts["policies"]> {
  return objects
    .flatMap(({ kind, metadata: { name = "", uid, generation, managedFields } = {} }) =>
      NAMES.includes(name)
        ? [{ kind, name, digest: digestOf([uid, generation]), by: lastChange(managedFields, ["spec"]) }]
        : [],
    )
    .sort((a, b) => (`${a.name} ${a.kind}` < `${b.name} ${b.kind}` ? -1 : 1));
}
