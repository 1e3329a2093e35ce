import * as pulumi from "@pulumi/pulumi";
import { drifted, repairs } from "./drift.ts";
import type { Live, Repairs, Unreachable } from "./live.ts";

/** The repairs that this update has to make, after it has said what is off, in previews too. */
export async function repairsTold(live: Live | Unreachable | undefined): Promise<Repairs> {
  const off = drifted(live);
  if (off.length > 0) {
    const list = off.map((what) => `  - ${what}`).join("\n");
    await pulumi.log.warn(`not as the last update left it; this one puts it right and proves it:\n${list}`);
  }
  return repairs(live);
}
