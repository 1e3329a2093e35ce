import type { V1ConfigMap } from "@kubernetes/client-node";
import { lastChange } from "./changedBy.ts";
import type { LiveFacts } from "./facts.ts";

/** ConfigMap in Cilium's namespace that says what the admission policies let through. Identity: never rename. */
export const PARAMETER = "wirecloak-admission";
/** Its one key: what may be configured, an alternative a line. */
export const ALLOWED = "allowed";

/** What may be told of the parameter. */
export function admissionFacts(parameter: V1ConfigMap | null): LiveFacts["admission"] {
  if (parameter === null) return null;
  return { allowed: parameter.data?.[ALLOWED] ?? "", by: lastChange(parameter.metadata?.managedFields, ["data"]) };
}
