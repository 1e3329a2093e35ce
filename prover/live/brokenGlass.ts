import type { ManagedFields } from "../clusterApi.ts";
import type { Observation } from "../observation.ts";
import { byWhom, lastChange } from "./changedBy.ts";
import type { ChangedBy } from "./facts.ts";

/** The annotations by which somebody lets something through, until a day and for a reason. Identity: people have them in their objects. */
export const BREAK_GLASS = { until: "wirecloak.io/plaintext-until", reason: "wirecloak.io/plaintext-reason" } as const;

/** Characters of an annotation that are kept: an object's annotations may have 256 KiB. */
const KEPT = 200;

/** An object that somebody has taken out of admission, in the words of its annotations. */
export interface BrokenGlass {
  kind: "ConfigMap" | "Secret" | "DaemonSet" | "CiliumNodeConfig";
  namespace: string;
  name: string;
  /** A day, YYYY-MM-DD; anything else has no effect. */
  until: string;
  /** Without one there is no effect either. */
  reason: string;
  /** Who last wrote one of the annotations. */
  by: ChangedBy | null;
}

/** `without effect`: admission takes no account of it. */
export type GlassStanding = "in force" | "expired" | "without effect";

/** The part of an object's metadata that tells. */
interface Metadata {
  name?: string;
  namespace?: string;
  annotations?: Record<string, string>;
  managedFields?: ManagedFields[];
}

/** Whether an object has one of the annotations: a list of one, or of none. */
export function brokenGlassIn(kind: BrokenGlass["kind"], metadata: Metadata = {}): BrokenGlass[] {
  const { name = "", namespace = "", annotations = {}, managedFields } = metadata;
  if (!(BREAK_GLASS.until in annotations || BREAK_GLASS.reason in annotations)) return [];
  // Somebody else's words: no control character of theirs reaches a terminal.
  const text = (annotation: string) => (annotations[annotation] ?? "").slice(0, KEPT).replaceAll(/\p{C}/gu, " ");
  const by = lastChange(managedFields, ...Object.values(BREAK_GLASS).map((each) => ["metadata", "annotations", each]));
  return [{ kind, namespace, name, until: text(BREAK_GLASS.until), reason: text(BREAK_GLASS.reason).trim(), by }];
}

/** All that were seen in a cluster. */
export function brokenGlassOf({
  brokenGlass = [],
  settled,
}: Pick<Observation, "brokenGlass" | "settled">): BrokenGlass[] {
  return [...brokenGlass, ...(settled?.secret?.brokenGlass ?? [])];
}

/** As the admission policies have it: until the end of its day, by the API server's UTC. */
export function glassStanding({ until, reason }: BrokenGlass, now: Date): GlassStanding {
  if (reason === "" || !/^\d{4}-\d{2}-\d{2}$/.test(until)) return "without effect";
  return now.toISOString().slice(0, 10) <= until ? "in force" : "expired";
}

/** In words for people: who, what, until when, and the command that takes it off. */
export function glassSentence(glass: BrokenGlass, now: Date): string {
  const { kind, namespace, name, until, reason, by } = glass;
  const standing = glassStanding(glass, now);
  const did = `by ${byWhom(by)}, until "${until}", reason "${reason}"`;
  const means = {
    "in force": "admission lets changes of it through until the end of that day (UTC)",
    expired: "admission lets nothing through by it any more",
    "without effect": "admission takes no account of it, since it needs a reason and a day, YYYY-MM-DD",
  }[standing];
  const off = Object.values(BREAK_GLASS)
    .map((annotation) => `${annotation}-`)
    .join(" ");
  const command = `kubectl -n ${namespace} annotate ${kind.toLowerCase()} ${name} ${off}`;
  return `break-glass on ${kind} ${name} is ${standing} (${did}): ${means}; once encryption is as it should be, take it off: ${command}`;
}
