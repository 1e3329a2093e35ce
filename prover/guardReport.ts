import { type GuardDrop, guardDrops } from "./checks/guard.ts";
import type { Intent } from "./intent.ts";
import type { Observation } from "./observation.ts";

/** The guard between the nodes, for people. */
export interface GuardReport {
  /** `changed`: by hand, or it is another mode's. `unknown`: it could not be asked. */
  standing: "in force" | "changed" | "off" | "unknown";
  /** The ciphertext that it lets pass, in its own words. */
  forms: string[];
  /** Of its rules; null where there are none. */
  digest: string | null;
  drops: GuardDrop[];
  /** Of a guard that a cloud carries: who told, and when. Absent where nothing was told, or it tells of itself. */
  told?: { by: string; at: string };
}

/** Null where none is meant to be. */
export function guardReport({ guard: intended }: Intent, seen: Observation): GuardReport | null {
  if (!intended) return null;
  const answer = seen.guard?.after;
  if (!answer || "silent" in answer) return { standing: "unknown", forms: [], digest: null, drops: [] };
  const { said } = answer;
  if (!said) return { standing: "off", forms: [], digest: null, drops: [] };
  const { forms, digest, rules } = said;
  const fits = said.intact && !rules?.open.length && intended.forms.every((form) => forms.includes(form));
  return {
    ...{ standing: fits ? "in force" : "changed", forms, digest, drops: guardDrops(seen) },
    ...(rules && { told: { by: rules.by, at: rules.at } }),
  };
}

/**
 * In one line.
 * @param carried true where a cloud carries it
 */
export function guardLine(guard: GuardReport | null, carried = false): string {
  if (!guard && carried)
    return "guard: in security groups, which see no contents; nobody asked whether they are in force";
  if (!guard) return "guard: none; nothing but the nodes themselves keeps what is readable off the wire";
  const { standing, forms, drops, told } = guard;
  if (standing === "off" || standing === "unknown") return `guard: ${standing}`;
  if (told) {
    const word = standing === "in force" ? standing : "not in force";
    return `guard: ${word}, as ${told.by} told at ${told.at}; security groups let pass ${listed(forms)}, and see no contents`;
  }
  const plain = drops.filter(({ plaintext }) => plaintext).reduce((sum, { after }) => sum + after, 0);
  return `guard: ${standing}, lets pass ${forms.join(" and ")}; ${plain} packets dropped so far that could be read`;
}

function listed(forms: readonly string[]): string {
  return forms.length > 0 ? forms.join(" and ") : "no ciphertext";
}
