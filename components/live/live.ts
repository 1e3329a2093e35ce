import type { LiveFacts } from "../../prover/live/facts.ts";
import type { Form } from "../encryption/guard/forms.ts";
import type { Settings } from "../settings.ts";

export type { ChangedBy, LiveFacts, LiveNode, LiveSecret } from "../../prover/live/facts.ts";
export type { Repairs, SettledRecord } from "../../prover/live/record.ts";

/** A cluster as it is when the program starts, before any resource. */
export interface Live extends LiveFacts {
  /** The guard in force; null where there is none, undefined where the settings want none or it could not be asked. */
  guard: LiveGuard | null | undefined;
}

/** The guard in force, as its program shows it. */
export interface LiveGuard {
  generation: string;
  forms: Form[];
}

/** There is a kubeconfig, but its cluster does not answer. */
export interface Unreachable {
  unreachable: string;
}

/** Reads the live cluster of these settings, without a change to it; undefined where there is none yet. */
export async function readLive(_settings: Settings): Promise<Live | Unreachable | undefined> {
  return undefined;
}

/** Whether a cluster was read. */
export function isLive(live: Live | Unreachable | undefined): live is Live {
  return live !== undefined && !("unreachable" in live);
}
