import type { Check } from "../finding.ts";
import { agentChecks } from "./agents.ts";
import { ciliumNodeChecks } from "./ciliumNodes.ts";
import { configChecks } from "./config.ts";
import { guardChecks } from "./guard.ts";
import { leftoverChecks } from "./leftovers.ts";
import { recordChecks } from "./record.ts";
import { rolloutChecks } from "./rollout.ts";
import { wireChecks } from "./wire.ts";

/** What says whether the agents are in the middle of a rollout; looked at first, so that they are not asked in it. */
export const settledChecks: readonly Check[] = [...configChecks, ...rolloutChecks];

/** All checks, in the order in which their findings are shown. */
export const allChecks: readonly Check[] = [
  ...settledChecks,
  ...recordChecks,
  ...ciliumNodeChecks,
  ...agentChecks,
  ...leftoverChecks,
  ...guardChecks,
  ...wireChecks,
];
