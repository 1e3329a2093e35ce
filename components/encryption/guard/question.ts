import { join } from "node:path";
import type { GuardPlan, GuardQuestion } from "../../../prover/intent.ts";
import { type GuardPlace, isBridge } from "../../cluster/guardPlace.ts";
import type { Settings } from "../../settings.ts";
import { formsOf } from "./forms.ts";
import type { ShowOrder } from "./order.ts";
import { ruleForms } from "./securityGroup.ts";
import { tableOf } from "./table.ts";

/** Sets, takes away and shows; a program of its own, which knows nothing of Pulumi. */
export const GUARD_PROGRAM = join(import.meta.dirname, "main.ts");

/** Prints what is in force, told by a ShowOrder on standard input. */
export const SHOW_GUARD: string[] = ["node", GUARD_PROGRAM, "show"];

/** How the prover asks for the guard of these settings; null where none is meant to be. */
export function guardPlan(settings: Settings, place: GuardPlace | undefined): GuardPlan | null {
  const forms = formsOf(settings);
  const question = guardQuestion(settings, place);
  if (!question || !place || forms.length === 0) return null;
  return { ...question, forms: isBridge(place) ? forms : ruleForms(forms) };
}

/** How to ask for what is in force, whatever the settings have encrypted; null where they want no guard. */
export function guardQuestion(settings: Settings, place: GuardPlace | undefined): GuardQuestion | null {
  if (!settings.guard || place === undefined) return null;
  const order: ShowOrder = {
    table: tableOf(settings.cluster.name),
    place,
    // A table tells of itself what passes.
    ...(!isBridge(place) && { forms: formsOf(settings) }),
  };
  return { command: SHOW_GUARD, input: JSON.stringify(order) };
}
