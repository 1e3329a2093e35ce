import { existsSync } from "node:fs";
import { kubeconfigPlace } from "../components/cluster/place.ts";
import { SHOW_GUARD } from "../components/encryption/guard/question.ts";
import { hasKubeconfig } from "../components/live/live.ts";
import type { Settings } from "../components/settings.ts";
import { UserError } from "../components/userError.ts";
import type { Intent } from "../prover/intent.ts";
import { toolFolders } from "../tools/folders.ts";
import { chooseStack } from "./chooseStack.ts";
import { openSession, pulumiHome, pulumiOutput, type Session } from "./session.ts";
import type { LiveCluster } from "./status.ts";

/** The live cluster of the stack asked for, or of the one that is there. Throws a UserError where there is none. */
export async function findLiveCluster(asked: string | undefined): Promise<LiveCluster> {
  const { name, settings } = chooseStack(asked, "other");
  const session = openSession(await toolFolders(settings.cluster.provider, pulumiHome()));
  const live = liveCluster(session, name);
  const { maxAgeDays } = settings.rotation;
  if (live)
    return { ...(await onThisMachine(live, settings)), ...(maxAgeDays !== undefined && { maxKeyAgeDays: maxAgeDays }) };
  throw new UserError([
    { key: "stack", value: name, message: "It has no finished cluster.", fix: `make up STACK=${name}` },
  ]);
}

/** The last update may have run elsewhere: its kubeconfig is on that machine, and so is the program that shows the guard. */
export async function onThisMachine(live: LiveCluster, settings: Settings): Promise<LiveCluster> {
  const { intent, kubeconfig } = live;
  const guard = intent.guard && { ...intent.guard, command: SHOW_GUARD };
  const moved = !existsSync(kubeconfig) && (await hasKubeconfig(settings));
  return { ...live, intent: { ...intent, guard }, ...(moved && kubeconfigPlace(settings.cluster)) };
}

/** Where a stack's cluster is and what it is meant to be; undefined where it has none. */
export function liveCluster(session: Session, stack: string): LiveCluster | undefined {
  return clusterIn(JSON.parse(pulumiOutput(session, ["stack", "output", "--json", "--stack", stack]) ?? "{}"));
}

/** The same, from the stack's outputs. */
export function clusterIn(outputs: {
  intent?: string;
  kubeconfigPath?: string;
  context?: string | null;
}): LiveCluster | undefined {
  if (!outputs.intent || !outputs.kubeconfigPath) return undefined;
  return {
    intent: JSON.parse(outputs.intent) as Intent,
    kubeconfig: outputs.kubeconfigPath,
    ...(outputs.context && { context: outputs.context }),
  };
}
