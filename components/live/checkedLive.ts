import * as pulumi from "@pulumi/pulumi";
import { readNote } from "../../tools/files.ts";
import { clusterFiles, stateDir } from "../../tools/paths.ts";
import { identityOf, replacementOf } from "../cluster/replacement.ts";
import type { Settings } from "../settings.ts";
import { type Problem, render, UserError } from "../userError.ts";
import { isLive, type Live, readLive, type Unreachable } from "./live.ts";
import { preflight, preflightWarnings } from "./preflight.ts";

/**
 * The live cluster, once it is clear that it can be brought to the settings; undefined where there is none yet. Ends the program, in a preview too, with all
 * that speaks against it: no resource exists before this, the IPsec key among them, so that a refused rotation draws no key and touches no Secret.
 */
export async function checkedLive(settings: Settings): Promise<Live | Unreachable | undefined> {
  const live = await readLive(settings).catch(asRunError);
  if (live === undefined || isReplaced(settings)) return live;
  if (!isLive(live)) {
    const problem = unanswered(settings, live);
    // A preview changes nothing, and shows what it can.
    if (!pulumi.runtime.isDryRun()) throw new pulumi.RunError(render([problem]));
    await pulumi.log.warn(render([problem]));
    return live;
  }
  const now = new Date();
  for (const warning of preflightWarnings(settings, live, now)) await pulumi.log.warn(render([warning]));
  const problems = preflight(settings, live, now);
  // Not thrown as it is: the engine would print a stack.
  if (problems.length > 0) throw new pulumi.RunError(new UserError(problems).message);
  return live;
}

/** A mistake of the user's without a stack, which the engine would print. */
function asRunError(error: unknown): never {
  throw error instanceof UserError ? new pulumi.RunError(error.message) : error;
}

/** What may be changed can only be told from the live cluster, so that nothing is. */
function unanswered({ cluster }: Settings, { unreachable }: Unreachable): Problem {
  return {
    key: "wirecloak:cluster.name",
    value: cluster.name,
    message: `The cluster is there and does not answer, so it cannot be told what may be changed: ${unreachable}`,
    fix: "make doctor, then again; a cluster that is gone for good: make down",
  };
}

/** Whether the settings have the cluster made anew: then the one that is there has no say. */
function isReplaced({ cluster, cilium }: Settings): boolean {
  // Of an EKS cluster no setting is in a record of ours; AWS makes it anew or refuses, and the preview shows it.
  if (cluster.provider === "existing" || cluster.provider === "eks") return false;
  const made = readNote<{ spec: object }>(clusterFiles(stateDir(), cluster.name).record);
  const wanted = cluster.provider === "kind" ? identityOf(cluster, cilium.kubeProxyReplacement) : identityOf(cluster);
  return made !== undefined && replacementOf(made.spec, wanted).length > 0;
}
