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
}

/** Null where none is meant to be. */
export function guardReport({ guard: intended }: Intent, seen: Observation): GuardReport | null {
  if (!intended) return null;
  const answer = seen.guard?.after;
  if (!answer || "silent" in answer) return { standing: "unknown", forms: [], digest: null, drops: [] };
  const { said } = answer;
  if (!said) return { standing: "off", forms: [], digest: null, drops: [] };
  const fits = said.intact && intended.forms.every((form) => said.forms.includes(form));
  const { forms, digest } = said;
  return { standing: fits ? "in force" : "changed", forms, digest, drops: guardDrops(seen) };
}

/** In one line. */
export function guardLine(guard: GuardReport | null): string {
  if (!guard) return "guard: none; nothing but the nodes themselves keeps what is readable off the wire";
  const { standing, forms, drops } = guard;
  if (standing === "off" || standing === "unknown") return `guard: ${standing}`;
  const plain = drops.filter(({ plaintext }) => plaintext).reduce((sum, { after }) => sum + after, 0);
  return `guard: ${standing}, lets pass ${forms.join(" and ")}; ${plain} packets dropped so far that could be read`;
}
