import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { examine, type Finding, refusal } from "../../doctor/doctor.ts";
import { type Live, readLive, type Unreachable } from "../live/live.ts";
import type { Settings } from "../settings.ts";
import { type Problem, UserError } from "../userError.ts";

/** What there is before any resource exists. */
export interface Looked {
  /** What the doctor says of this machine. */
  findings: Finding[];
  /** The cluster of the settings; absent where there is none yet, or where the doctor refuses. */
  live?: Live | Unreachable;
  /** Why it cannot be told whether there is a cluster. */
  problems: Problem[];
}

/** What is looked at. */
export interface Looking {
  settings: Settings;
  /** Whether a cloud's account is asked, too. */
  account: boolean;
}

/** Looks at this machine and at the live cluster. Reads only. */
export async function look({ settings, account }: Looking): Promise<Looked> {
  const findings = await examine(settings, process.env, { account });
  if (refusal(findings)) return { findings, problems: [] };
  try {
    const live = await readLive(settings);
    return { findings, problems: [], ...(live && { live }) };
  } catch (error) {
    if (error instanceof UserError) return { findings, problems: error.problems };
    throw error;
  }
}

/** The same in a process of its own. */
const PROGRAM = join(import.meta.dirname, "main.ts");

/** Bytes of a thousand nodes at most. */
const ANSWER = 64 << 20;

/** `look`, for a constructor, which cannot wait for a promise. */
export function lookNow(looking: Looking): Looked {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [PROGRAM], {
    env: process.env,
    input: JSON.stringify(looking),
    encoding: "utf8",
    maxBuffer: ANSWER,
  });
  if (status !== 0) throw error ?? new Error(stderr);
  return JSON.parse(stdout) as Looked;
}
