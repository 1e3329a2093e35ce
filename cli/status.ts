import type { Command } from "commander";
import { evidenceStanding, withEvidence } from "../prover/evidence/standing.ts";
import type { Intent } from "../prover/intent.ts";
import { Kubernetes } from "../prover/kubernetes.ts";
import { brokenGlassOf, glassStanding } from "../prover/live/brokenGlass.ts";
import { keyAgeDays } from "../prover/live/keyAge.ts";
import { endedBy } from "../prover/proverError.ts";
import { statusText } from "../prover/status.ts";
import { verify } from "../prover/verify.ts";
import { evidenceFolder } from "../tools/paths.ts";
import { brokenGlassText } from "./brokenGlassText.ts";
import { keyAgeText } from "./keyAgeText.ts";

/** A stack's live cluster and what it is meant to be. */
export interface LiveCluster {
  intent: Intent;
  /** Path of the kubeconfig. */
  kubeconfig: string;
  /** Absent: the kubeconfig's current context. */
  context?: string;
  /** `rotation.maxAgeDays` of its stack. */
  maxKeyAgeDays?: number;
}

/** Finds the cluster of the stack asked for, or of the one that is there. Throws a UserError where there is none. */
export type FindCluster = (stack: string | undefined) => Promise<LiveCluster>;

/** `wirecloak status`: asks the live cluster, never the stack's outputs. */
export function registerStatus(program: Command, find: FindCluster): void {
  program
    .command("status")
    .description("what the cluster says of its encryption now, and whether the last proof still holds")
    .option("-s, --stack <name>", "the stack (default: the one that is there)")
    .option("--json", "print one JSON document")
    .action(async (options: { stack?: string; json?: boolean }) => {
      process.exit(await showStatus(await find(options.stack), options.json ?? false));
    });
}

/** Looks once and prints what was seen; resolves with the exit code (`wirecloak --help` lists them). */
export async function showStatus(live: LiveCluster, json: boolean): Promise<number> {
  const { intent, kubeconfig, context, maxKeyAgeDays } = live;
  try {
    const api = Kubernetes.open(kubeconfig, context, intent.cilium.namespace);
    const { report, observation } = await verify(intent, api, { wait: 0, settled: true, counters: true });
    const evidence = evidenceStanding(evidenceFolder(intent.cluster), { intent, observation });
    const status = withEvidence(report, evidence);
    const page = evidence ? `evidence: ${evidence.page}\n` : "evidence: none yet; ./bin/wirecloak verify\n";
    const now = new Date();
    const days = intent.encryption === "ipsec" && observation.settled ? keyAgeDays(observation.settled, now) : null;
    const broken = brokenGlassOf(observation);
    const brokenGlass = broken.map((glass) => ({ ...glass, standing: glassStanding(glass, now) }));
    const shown = json
      ? `${JSON.stringify({ ...status, keyAgeDays: days, brokenGlass }, null, 2)}\n`
      : `${statusText(status)}${keyAgeText(days, maxKeyAgeDays)}${brokenGlassText(broken, now)}${page}`;
    await new Promise((resolve) => process.stdout.write(shown, resolve));
    return status.verdict === "failed" ? 1 : 0;
  } catch (error) {
    return endedBy(error);
  }
}
