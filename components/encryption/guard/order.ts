import type { GuardPlace, NodeNetwork } from "../../cluster/guardPlace.ts";
import { type Form, union } from "./forms.ts";
import { type Guarded, guardRemoval, guardRuleset } from "./ruleset.ts";
import type { GuardTable } from "./table.ts";

/** What the guard's program is told on stdin. Nothing in it is secret. */
export interface GuardOrder {
  /** Identity: the table's name. */
  table: string;
  /** Which of the clusters that bore this name. */
  generation: string;
  /** The ciphertext of the settings; empty where they encrypt nothing. */
  forms: Form[];
  pods: string[];
  place: GuardPlace;
}

/** What the guard's program does: before Cilium changes, after the proof, and when the guard goes. */
export type GuardStep = "widen" | "narrow" | "remove";

/**
 * The nft document that takes a step; undefined where nothing is to be done.
 * @param live the table in force
 */
export function guardDocument(
  step: GuardStep,
  order: Omit<GuardOrder, "place">,
  live: GuardTable | undefined,
  network: NodeNetwork,
): string | undefined {
  const { table, generation, pods } = order;
  const ours = live?.generation === generation ? live : undefined;
  // Another cluster of this name has set it: it is that one's.
  if (step === "remove") return ours && guardRemoval(table);
  const forms = step === "widen" ? union(ours?.forms ?? [], order.forms) : order.forms;
  // Plaintext that is allowed passes from the last step on; until then what was in force stays.
  if (forms.length === 0) return live && guardRemoval(table);
  const nodes = network.nodes;
  const guarded: Guarded = { table, generation, forms, nodes, pods, optedOut: network.controlPlanes };
  return guardRuleset(guarded, ours?.dropped);
}
