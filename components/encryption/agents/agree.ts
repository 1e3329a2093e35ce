import type { Observation } from "../../../prover/observation.ts";
import { sentences } from "../../../prover/report.ts";
import type { Verification } from "../../../prover/verify.ts";

/** How the agents are looked at and restarted; tests give their own. */
export interface Agents {
  /** Looks until all agree, what is wrong cannot pass by itself, or so many seconds are over. */
  look(seconds: number): Promise<Verification>;
  /** Has every agent started anew, at the pace of the DaemonSet. */
  restart(): Promise<void>;
  /** Gets a line for people. */
  tell(line: string): void;
  /** Seconds of a clock that never goes back. */
  now(): number;
}

/** Seconds for nodes to get the image, some 200 MB, before it is given up. */
const LONGEST_START = 900;

/** A container that waits for this may still start by itself. */
const STARTING = new Set(["ContainerCreating", "PodInitializing", "ErrImagePull", "ImagePullBackOff"]);

/**
 * Waits until every agent is on the new configuration and all agree. Where all run and some still do not agree, they are restarted once more: users report
 * that a change of mode needs it (hcloud-k8s/terraform-hcloud-kubernetes#146). What they come to is judged by the proof that follows.
 * @param seconds for agents that run to agree
 */
export async function agree(agents: Agents, seconds: number): Promise<{ agreed: boolean; restarted: boolean }> {
  const start = agents.now();
  let restarted = false;
  for (;;) {
    const { report, observation } = await agents.look(seconds);
    const wrong = report.findings.filter(({ effect }) => effect === "contradicts");
    if (wrong.length === 0) return { agreed: true, restarted };
    const mayPass = wrong.every(({ passing }) => passing);
    const comes = isRollingOut(observation) || (mayPass && isStarting(observation));
    if (comes && agents.now() - start < LONGEST_START) continue;
    // Another start changes nothing of what is wrong with the whole cluster, nor of an agent that does not come up.
    const helps = isRolledOut(observation) && wrong.some(({ node }) => node !== null);
    agents.tell(["the agents do not agree with the settings:", ...sentences(wrong)].join("\n- "));
    if (restarted || !helps) return { agreed: false, restarted };
    agents.tell("restarting all agents once more");
    await agents.restart();
    restarted = true;
  }
}

function isStarting({ agents }: Observation): boolean {
  return agents.some(({ waiting }) => waiting !== null && STARTING.has(waiting));
}

/** Some agents are still of the revision before, so that nothing they say counts. Where Helm does not wait, the rollout is waited for here. */
function isRollingOut({ daemonSet: set, agents }: Observation): boolean {
  const stuck = agents.some(({ waiting }) => waiting !== null && !STARTING.has(waiting));
  return set !== null && !stuck && (set.observedGeneration !== set.generation || set.updated < set.desired);
}

function isRolledOut({ daemonSet: set }: Observation): boolean {
  if (set === null || set.observedGeneration !== set.generation) return false;
  return set.updated === set.desired && set.ready === set.desired;
}
