import { lacksAdmission, problemsOf } from "../../doctor/doctor.ts";
import { glassSentence } from "../../prover/live/brokenGlass.ts";
import { readNote } from "../../tools/files.ts";
import { clusterFiles, stateDir } from "../../tools/paths.ts";
import { identityOf, replacementOf } from "../cluster/replacement.ts";
import { drifted, repairs } from "../live/drift.ts";
import { isLive, type Live, type Repairs, type Unreachable } from "../live/live.ts";
import { preflight, preflightWarnings } from "../live/preflight.ts";
import type { Settings } from "../settings.ts";
import type { Problem } from "../userError.ts";
import type { Looked } from "./look.ts";

/** What a program knows before it makes resources. */
export interface Checked {
  settings: Settings;
  /** The cluster as it is; undefined where there is none yet. */
  live: Live | Unreachable | undefined;
  /** What this update has to repair. */
  repairs: Repairs;
}

/** What comes of a look: what is told, and what stops the program, in previews too. */
export interface Judgement {
  checked: Checked;
  warnings: Problem[];
  /** What is not as the last update left it, each in a sentence. */
  drift: string[];
  /** What somebody has taken out of admission, each in a sentence. */
  brokenGlass: string[];
  /** With any of these no resource may be made, the IPsec key among them: a refused rotation draws no key and touches no Secret. */
  problems: Problem[];
}

/** The moment of a look. */
export interface Moment {
  /** A preview changes nothing, and shows what it can. */
  preview: boolean;
  now: Date;
}

/** Judges whether machine and live cluster can be brought to the settings. */
export function judge(asked: Settings, { findings, live, problems }: Looked, { preview, now }: Moment): Judgement {
  const settings = { ...asked, admission: asked.admission && !lacksAdmission(findings) };
  const checked = { settings, live, repairs: repairs(live) };
  const warnings = problemsOf(findings, "warning");
  const refusing = (refusals: Problem[]): Judgement => ({
    ...{ checked, warnings, drift: [], brokenGlass: [], problems: refusals },
  });
  const refused = [...problemsOf(findings, "error"), ...problems];
  if (refused.length > 0 || live === undefined) return refusing(refused);
  const brokenGlass = isLive(live) ? live.brokenGlass.map((glass) => glassSentence(glass, now)) : [];
  const going = { checked, drift: drifted(live), brokenGlass, problems: [] };
  if (isReplaced(settings)) return { ...going, warnings };
  if (!isLive(live)) {
    const silent = unanswered(settings, live);
    // What may be changed cannot be told, so that nothing is.
    return preview ? { ...going, warnings: [...warnings, silent] } : refusing([silent]);
  }
  warnings.push(...preflightWarnings(settings, live, now));
  const against = preflight(settings, live, now);
  return against.length > 0 ? refusing(against) : { ...going, warnings };
}

/** Drift as a text for people; none where there is none. */
export function driftText(drift: readonly string[]): string[] {
  return drift.length > 0
    ? [`not as the last update left it; this one puts it right and proves it:${list(drift)}`]
    : [];
}

/**
 * Break-glass as a text for people; none where there is none. No update takes the annotations off, and so none has anything to repair: they are their writer's,
 * helm leaves what it has not written, and after their day nothing goes through by them.
 */
export function glassText(brokenGlass: readonly string[]): string[] {
  return brokenGlass.length > 0
    ? [`taken out of admission by hand; this update leaves that as it is:${list(brokenGlass)}`]
    : [];
}

function list(items: readonly string[]): string {
  return items.map((what) => `\n  - ${what}`).join("");
}

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
