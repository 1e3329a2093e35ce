import { type Agents, agree } from "../../../../components/encryption/agents/agree.ts";
import { allChecks } from "../../../../prover/checks/checks.ts";
import { judge } from "../../../../prover/judge.ts";
import type { Observation } from "../../../../prover/observation.ts";
import { reportOf } from "../../../../prover/report.ts";
import type { Verification } from "../../../../prover/verify.ts";
import { healthy, intentFor } from "../../proverTroubles/healthy.ts";
import { agent, config, daemonSet, status } from "../../proverTroubles/trouble.ts";

type Spoil = (seen: Observation) => void;

/** A look at a cluster in WireGuard mode in which `spoil` went wrong. */
function seen(spoil: Spoil): Verification {
  const intent = intentFor("wireguard");
  const observation = healthy("wireguard");
  spoil(observation);
  const cost = { requests: 1, seconds: 1 };
  return { observation, report: reportOf(intent, observation, judge(intent, observation, allChecks), cost) };
}

const well: Spoil = () => undefined;
/** Its agent still runs the configuration before the change, though it was started anew. */
const disagrees: Spoil = (cluster) => {
  status(cluster, 2).mode = "IPsec";
};
const pulls: Spoil = (cluster) => {
  Object.assign(agent(cluster, 2), { ready: false, waiting: "ContainerCreating" });
  daemonSet(cluster).ready = 3;
};
const crashes: Spoil = (cluster) => {
  Object.assign(agent(cluster, 2), { ready: false, waiting: "CrashLoopBackOff" });
  daemonSet(cluster).ready = 3;
};
const wrongConfig: Spoil = (cluster) => {
  config(cluster)["enable-wireguard"] = "false";
};

/** One agent is of the new revision, and the others still run the configuration before the change. */
const rolls: Spoil = (cluster) => {
  daemonSet(cluster).updated = 1;
  for (const node of [1, 2, 3]) status(cluster, node).mode = "IPsec";
};
const rollsAndCrashes: Spoil = (cluster) => {
  rolls(cluster);
  crashes(cluster);
};

/** Agents as these looks find them, one after the other; each look takes all of its time. */
async function agreed(...looks: Spoil[]) {
  let now = 0;
  const told: string[] = [];
  const done: string[] = [];
  const agents: Agents = {
    look: async (seconds) => {
      now += seconds;
      done.push("look");
      return seen(looks[Math.min(done.filter((what) => what === "look").length, looks.length) - 1] ?? well);
    },
    restart: async () => void done.push("restart"),
    tell: (line) => told.push(line),
    now: () => now,
  };
  return { ...(await agree(agents, 60)), done, told: told.join("\n") };
}

describe("the agents agree", () => {
  test("at once: nothing is restarted", async () => {
    expect(await agreed(well)).toEqual({ agreed: true, restarted: false, done: ["look"], told: "" });
  });

  test("after one more restart, which is said with node and reason", async () => {
    const { told, ...came } = await agreed(disagrees, well);
    expect(came).toEqual({ agreed: true, restarted: true, done: ["look", "restart", "look"] });
    expect(told).toMatch(/dev-worker2: .*encryption is IPsec.*\nrestarting all agents once more/);
  });

  test("not even then: they are not restarted a third time, and what is wrong is said again", async () => {
    const { told, ...came } = await agreed(disagrees);
    expect(came).toEqual({ agreed: false, restarted: true, done: ["look", "restart", "look"] });
    expect(told.match(/encryption is IPsec/g)).toHaveLength(2);
  });

  test("once every node has the image, without a restart", async () => {
    expect(await agreed(pulls, pulls, well)).toMatchObject({ agreed: true, restarted: false });
  });

  test("once all are of the newest revision: those of the one before are not restarted for what they say", async () => {
    expect(await agreed(rolls, rolls, well)).toEqual({
      ...{ agreed: true, restarted: false, told: "" },
      done: ["look", "look", "look"],
    });
  });

  test("not where the rollout is stuck on an agent that does not come up", async () => {
    expect(await agreed(rollsAndCrashes)).toMatchObject({ agreed: false, done: ["look"] });
  });

  test("not where an image never comes: that ends too", async () => {
    const { done, ...came } = await agreed(pulls);
    expect(came).toMatchObject({ agreed: false, restarted: false });
    expect(done).toHaveLength(15);
  });

  test("not where an agent does not come up, or cilium-config is wrong: no restart helps there", async () => {
    expect(await agreed(crashes)).toMatchObject({ agreed: false, done: ["look"] });
    expect(await agreed(wrongConfig)).toMatchObject({ agreed: false, done: ["look"] });
  });
});
