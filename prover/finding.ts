import type { Intent } from "./intent.ts";
import type { Observation } from "./observation.ts";

/** What one check found at one place. */
export interface Finding {
  /** Name of the check. */
  check: string;
  /** `contradicts` the intent; `unobserved`: evidence is missing; `note`: worth saying, changes no verdict. */
  effect: "contradicts" | "unobserved" | "note";
  /** The node it is about; null where it is about the whole cluster. */
  node: string | null;
  /** What was found, one sentence part without a full stop. */
  message: string;
  /** Where it was read; null where nothing could be. */
  evidence: string | null;
  /** What to do; null where there is nothing to. */
  fix: string | null;
  /** It may go away by itself in a rollout, so it is worth waiting for. */
  passing: boolean;
}

/** A finding as its check writes it. */
export type Found = Omit<Finding, "check">;

export interface Check {
  /** Identity in evidence and tests: never rename. */
  name: string;
  /** What was found, in the nodes' order; nothing where the observation agrees with the intent. */
  look(intent: Intent, seen: Observation): Found[];
}

/** A finding that differs from the intent. */
export function contradicts(
  found: Pick<Found, "node" | "message" | "evidence" | "fix"> & { passing?: boolean },
): Found {
  return { effect: "contradicts", passing: false, ...found };
}

/** Evidence that is missing. */
export function unobserved(found: Pick<Found, "node" | "message" | "evidence" | "fix"> & { passing?: boolean }): Found {
  return { effect: "unobserved", passing: false, ...found };
}

/** Worth saying, without a bearing on the verdict. */
export function note(found: Pick<Found, "node" | "message" | "evidence">): Found {
  return { effect: "note", passing: false, fix: null, ...found };
}
