import * as pulumi from "@pulumi/pulumi";
import { glassSentence } from "../../prover/live/brokenGlass.ts";
import { drifted, repairs } from "./drift.ts";
import { isLive, type Live, type Repairs, type Unreachable } from "./live.ts";

/** The repairs that this update has to make, after it has said what is off, in previews too. */
export async function repairsTold(live: Live | Unreachable | undefined): Promise<Repairs> {
  for (const warning of [...driftWarning(live), ...glassWarning(live, new Date())]) await pulumi.log.warn(warning);
  return repairs(live);
}

function driftWarning(live: Live | Unreachable | undefined): string[] {
  const off = drifted(live);
  return off.length > 0 ? [`not as the last update left it; this one puts it right and proves it:${list(off)}`] : [];
}

/**
 * What somebody has taken out of admission. No update takes the annotations off, and so none has anything to repair: they are their writer's, helm leaves what it
 * has not written, and after their day nothing goes through by them.
 */
export function glassWarning(live: Live | Unreachable | undefined, now: Date): string[] {
  const broken = isLive(live) ? live.brokenGlass.map((glass) => glassSentence(glass, now)) : [];
  return broken.length > 0 ? [`taken out of admission by hand; this update leaves that as it is:${list(broken)}`] : [];
}

function list(items: readonly string[]): string {
  return items.map((what) => `\n  - ${what}`).join("");
}
