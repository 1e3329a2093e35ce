import * as pulumi from "@pulumi/pulumi";
import { examine, lacksAdmission, problemsOf, refusal } from "../doctor/doctor.ts";
import { projectRoot } from "../tools/paths.ts";
import { loadSettings, type Settings } from "./settings.ts";
import { render, UserError } from "./userError.ts";

/**
 * The stack's settings, checked against themselves and against this machine before any resource exists.
 * Ends the program with all problems in one error, and with no stack.
 */
export async function checkedSettings(): Promise<Settings> {
  try {
    const today = new Date().toISOString().slice(0, 10);
    const { settings, warnings } = loadSettings(pulumi.runtime.allConfig(), { projectRoot, today });
    // An update comes after a preview, or after the doctor of `make up`: these have asked the account a moment ago.
    const findings = await examine(settings, process.env, { account: pulumi.runtime.isDryRun() });
    for (const warning of [...warnings, ...problemsOf(findings, "warning")]) await pulumi.log.warn(render([warning]));
    const refused = refusal(findings);
    if (refused) throw refused;
    return { ...settings, admission: settings.admission && !lacksAdmission(findings) };
  } catch (error) {
    if (error instanceof UserError) throw new pulumi.RunError(error.message);
    throw error;
  }
}
