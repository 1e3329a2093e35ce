import type { Command } from "commander";
import type { Settings } from "../components/settings.ts";
import { examine, type Finding, mend } from "../doctor/doctor.ts";
import { checkLive } from "../doctor/live.ts";
import { toolFolders } from "../tools/folders.ts";
import { chooseStack } from "./chooseStack.ts";
import { runnable } from "./runnable.ts";
import { say } from "./say.ts";
import { openSession, pulumiHome } from "./session.ts";

/** `wirecloak doctor`: what this machine lacks for a stack, each with its fix. Exit 1 where something must be mended first. */
export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .description("check this machine, and the cluster where there is one, against the stack's settings")
    .option("-s, --stack <name>", "the stack (default: the one that `up` takes)")
    .option("--mend", "start again what is only stopped")
    .option("--json", "print the findings as JSON")
    .action(async (options: { stack?: string; mend?: boolean; json?: boolean }) => {
      const { name, settings } = chooseStack(options.stack, "up");
      const { env } = openSession(await toolFolders(settings.cluster.provider, pulumiHome()));
      const machine = await examination(settings, env, { mend: options.mend ?? false, mayReplace: false });
      // `up` needs no such look before: the program takes its own.
      const findings = [...machine, ...(await checkLive(settings))];
      console.log(options.json ? JSON.stringify(findings, undefined, 2) : runnable(renderFindings(findings), name));
      if (findings.some(({ level }) => level === "error")) process.exitCode = 1;
    });
}

/** Examines, and where asked to, starts what is only stopped and looks again. */
export async function examination(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  { mend: mayMend, mayReplace }: { mend: boolean; mayReplace: boolean },
): Promise<Finding[]> {
  const findings = await examine(settings, env, { mayReplace });
  if (!mayMend || findings.every(({ mend: command }) => command === undefined)) return findings;
  const mended = await mend(findings, env);
  for (const { what, evidence } of mended) say(`${what}: ${evidence}`);
  return [...(await examine(settings, env, { mayReplace })), ...mended.filter(({ level }) => level === "error")];
}

const SIGN = { ok: "✓", warning: "!", error: "✗" } as const;

/** A line a finding, and under it what mends it. */
export function renderFindings(findings: readonly Finding[]): string {
  return findings
    .flatMap(({ level, what, evidence, fix }) => [
      `${SIGN[level]} ${what}: ${evidence}`,
      ...(fix === undefined || level === "ok" ? [] : [`    fix: ${fix}`]),
    ])
    .join("\n");
}
