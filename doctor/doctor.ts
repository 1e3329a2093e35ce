import type { Settings } from "../components/settings.ts";
import { checkChart } from "./chart.ts";
import { checkExisting } from "./existing.ts";
import type { Finding } from "./finding.ts";
import { checkKind } from "./kind.ts";
import { type Probes, realProbes } from "./probes.ts";
import { checkRehearsal } from "./rehearsal.ts";
import { checkTools } from "./tools.ts";

export { type Finding, problemsOf, refusal } from "./finding.ts";
export { lacksAdmission } from "./kubernetes.ts";

export interface Examination {
  /** Whether a change that replaces a cluster is only warned of. Default true: a preview shows it too. */
  mayReplace?: boolean;
  /** Whether a cloud is asked for what making a cluster takes of the account: permissions, quotas, and the like. Default true. */
  account?: boolean;
  /** Replaces how the machine is looked at; for tests. */
  probes?: Probes;
}

/**
 * Checks this machine, and the cluster where there is one, against the settings before anything is created. Reads only; at most a
 * kernel module is loaded. `env` must have the tools on PATH.
 */
export async function examine(
  settings: Settings,
  env: NodeJS.ProcessEnv = process.env,
  how: Examination = {},
): Promise<Finding[]> {
  const { mayReplace = true, account = true, probes = realProbes(env) } = how;
  const { cluster } = settings;
  const ofCluster = async (): Promise<Finding[]> => {
    switch (cluster.provider) {
      case "kind":
        return checkKind(settings, cluster, probes, mayReplace);
      case "existing":
        return checkExisting(settings, cluster, probes);
      case "rehearsal":
        return checkRehearsal(cluster, probes, mayReplace);
      case "eks":
        // Late, since only a cloud is asked for so much.
        return (await import("./eks.ts")).checkEks(settings, cluster, probes, { account });
    }
  };
  const [chart, found] = await Promise.all([checkChart(settings.cilium, probes), ofCluster()]);
  return [checkTools(cluster.provider, probes), ...found, chart];
}

/** Runs the commands of the findings that can be mended without asking; returns what each came to, an error's last words included. */
export async function mend(
  findings: readonly Finding[],
  env: NodeJS.ProcessEnv = process.env,
  probes = realProbes(env),
): Promise<Finding[]> {
  const mended: Finding[] = [];
  for (const { what, mend: command } of findings) {
    if (command === undefined) continue;
    const { code, stderr, failure } = await probes.run(command.program, command.args, MEND_LIMIT_MS);
    const said = stderr.trim().split("\n").at(-1) || failure;
    mended.push(
      code === 0
        ? { level: "ok", what, evidence: "Started again." }
        : { level: "error", what, evidence: `It could not be started: ${said}` },
    );
  }
  return mended;
}

/** Starting a control plane again takes some seconds, on a loaded machine more. */
const MEND_LIMIT_MS = 120_000;
