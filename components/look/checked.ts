import * as pulumi from "@pulumi/pulumi";
import { projectRoot } from "../../tools/paths.ts";
import { asArgument } from "../argumentProblems.ts";
import { loadCloudOf } from "../cluster/cloud.ts";
import { loadSettings } from "../settings.ts";
import { settingsOfArguments } from "../settingsArguments.ts";
import { type Problem, render, UserError } from "../userError.ts";
import { type Checked, driftText, glassText, type Judgement, judge } from "./judge.ts";
import { look, lookNow } from "./look.ts";

/**
 * The stack's config, checked against itself, this machine and the live cluster before any resource exists. Rejects with all problems in one error, and
 * with no stack, which the engine would print.
 */
export async function checkedConfig(): Promise<Checked> {
  try {
    const { settings, warnings } = loadSettings(pulumi.runtime.allConfig(), { projectRoot, today: today() });
    const judgement = judge(settings, await look({ settings, account: isAccountAsked() }), moment());
    for (const text of told(warnings, judgement)) await pulumi.log.warn(text);
    const checked = passed(judgement);
    await loadCloudOf(settings.cluster.provider);
    return checked;
  } catch (error) {
    throw error instanceof UserError ? new pulumi.RunError(error.message) : error;
  }
}

/** The same of an EncryptedCluster's arguments, and at once: a constructor cannot wait. */
export function checkedArguments(name: string, args: object): Checked {
  try {
    const place = { projectRoot: process.cwd(), today: today() };
    const { settings, warnings } = settingsOfArguments(name, args, place);
    const judgement = judge(settings, lookNow({ settings, account: isAccountAsked() }), moment());
    for (const text of told(warnings, judgement, asArgument)) void pulumi.log.warn(`EncryptedCluster ${name}: ${text}`);
    return passed(judgement);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new pulumi.RunError(`EncryptedCluster ${name}:\n\n${render(error.problems.map(asArgument))}`);
  }
}

/** What people are told, in order. */
function told(warnings: readonly Problem[], judgement: Judgement, spell = (problem: Problem) => problem): string[] {
  return [
    ...[...warnings, ...judgement.warnings].map((warning) => render([spell(warning)])),
    ...driftText(judgement.drift),
    ...glassText(judgement.brokenGlass),
  ];
}

/** An update comes after a preview, or after the doctor of `make up`: these have asked the account a moment ago. */
function isAccountAsked(): boolean {
  return pulumi.runtime.isDryRun();
}

function passed({ checked, problems }: Judgement): Checked {
  if (problems.length > 0) throw new UserError(problems);
  return checked;
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function moment() {
  return { preview: pulumi.runtime.isDryRun(), now: new Date() };
}
