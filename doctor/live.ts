import { isLive, readLive } from "../components/live/live.ts";
import { preflight, preflightWarnings } from "../components/live/preflight.ts";
import type { Settings } from "../components/settings.ts";
import { type Problem, UserError } from "../components/userError.ts";
import { error, type Finding, ok, warning } from "./finding.ts";

/** Whether the live cluster, where one answers, can be brought to the settings by one update: what the update itself would say. */
export async function checkLive(settings: Settings, look: typeof readLive = readLive): Promise<Finding[]> {
  let live: Awaited<ReturnType<typeof readLive>>;
  try {
    live = await look(settings);
  } catch (failure) {
    // Where it cannot even be told whether there is a cluster; the other findings say more of why.
    if (!(failure instanceof UserError)) throw failure;
    return failure.problems.map((problem) => as(error, problem));
  }
  if (!isLive(live)) return [];
  const now = new Date();
  const found = [
    ...preflight(settings, live, now).map((problem) => as(error, problem)),
    ...preflightWarnings(settings, live, now).map((problem) => as(warning, problem)),
  ];
  return found.length > 0 ? found : [ok("change", "The live cluster can be brought to the settings.")];
}

function as(level: typeof error, { key, value, message, allowed, fix }: Problem): Finding {
  const about = value === undefined ? key : `${key} = ${JSON.stringify(value)}`;
  return level(about, `${message}${allowed === undefined ? "" : ` Allowed: ${allowed}.`}`, fix);
}
