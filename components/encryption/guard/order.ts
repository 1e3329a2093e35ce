import type { BridgePlace, GuardPlace, NodeNetwork } from "../../cluster/guardPlace.ts";
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
  place: BridgePlace;
  /** Another one has the step run again though nothing else in the order changed. Nobody reads it. */
  repair?: string;
  /** A program that prints what the cluster is like now (prover/live/facts.ts), asked where no guard is in force yet that could tell. */
  live?: string[];
}

/** What the guard's program is told where it only shows. */
export interface ShowOrder {
  /** Identity: the table's name. */
  table: string;
  place: GuardPlace;
  /** The ciphertext that must pass: a security group does not tell what it is meant to be. */
  forms?: Form[];
}

/** What belongs to one run of the program. */
export interface GuardRun {
  /** Which of Pulumi's resources runs it. */
  owner: string;
  network: NodeNetwork;
  /** The ciphertext that the cluster sends now, where no guard in force could tell. */
  sent: readonly Form[];
}

/** What the guard's program does: before Cilium changes, after the proof, and when the guard goes. */
export type GuardStep = "widen" | "narrow" | "remove";

/**
 * The nft document that takes a step; undefined where nothing is to be done.
 * @param live the table in force
 * @param seal digest of the table that the same document makes
 */
export function guardDocument(
  step: GuardStep,
  order: Omit<GuardOrder, "place">,
  live: GuardTable | undefined,
  { owner, network, sent }: GuardRun,
  seal?: string,
): string | undefined {
  const { table, generation, pods } = order;
  const ours = live?.generation === generation ? live : undefined;
  // Another cluster of this name has set it, or another resource in this one's place: it is that one's.
  if (step === "remove") return ours?.owner === owner ? guardRemoval(table) : undefined;
  const forms = step === "widen" ? union(ours?.forms ?? sent, order.forms) : order.forms;
  // Plaintext that is allowed passes from the last step on; until then what was in force stays.
  if (forms.length === 0) return live && guardRemoval(table);
  const members = network.members && [...new Set([...network.members, ...(ours?.members ?? [])])];
  const guarded: Guarded = {
    ...{ table, generation, forms, nodes: network.nodes, pods, optedOut: network.controlPlanes, members },
    // The second step belongs to the first one's resource.
    owner: step === "widen" ? owner : (ours?.owner ?? owner),
  };
  return guardRuleset(guarded, ours?.dropped, seal);
}
