import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../tools/paths.ts";

/** `describe`, or where `reason` says why these cases cannot run here, the same counted as skipped under that reason. */
export function describeUnless(reason: string | undefined, name: string, cases: () => void): void {
  const block = reason ? describe.skip : describe;
  block(reason ? `${name} (skipped: ${reason})` : name, cases);
}

/** The official charts' data beside the project (see ../shared/cilium in the house's own checkouts), or why it is not there. */
export const sharedCilium = join(projectRoot, "../shared/cilium");
export const withoutSharedCilium = existsSync(sharedCilium)
  ? undefined
  : "the official charts' data, ../shared/cilium, is not on this machine";
