// node main.ts   reads a SettleOrder (JSON) from stdin, looks at the live cluster without a change to it, and prints the SettledRecord as one line
import { randomUUID } from "node:crypto";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Kubernetes } from "../../prover/kubernetes.ts";
import type { LiveFacts } from "../../prover/live/facts.ts";
import { readFacts } from "../../prover/live/read.ts";
import { ProverError } from "../../prover/proverError.ts";
import { UserError } from "../userError.ts";
import { byPrograms, type LivePlace, lookAt, type Repairs, TIMEOUT, type Unreachable, unreachable } from "./live.ts";
import { recordOf } from "./record.ts";

/** What the program is told. Nothing in it is secret. */
export interface SettleOrder {
  place: LivePlace;
  repairs: Repairs;
  /** The proof may say otherwise when it is done again. */
  proveAgain: boolean;
}

const { place, ...left } = (await json(process.stdin)) as SettleOrder;
const live = await lookAt(place, { ...byPrograms, cluster: (asked) => Promise.race([clusterOf(asked), silence()]) });
if ("unreachable" in live) {
  const problem = { key: "cluster", value: place.kubeconfig, message: `It does not answer: ${live.unreachable}` };
  console.error(new UserError([{ ...problem, fix: "pulumi up" }]).message);
  process.exit(1);
}
console.log(JSON.stringify(recordOf(live, { ...left, run: randomUUID(), at: new Date().toISOString() })));
// Kept connections to the API server would keep the process.
process.exit();

/** What the prover's `live` prints, without another program that loads the Kubernetes client. */
async function clusterOf({ kubeconfig, context, namespace }: LivePlace): Promise<LiveFacts | Unreachable> {
  try {
    return await readFacts(Kubernetes.open(kubeconfig, context, namespace));
  } catch (error) {
    if (error instanceof ProverError) return unreachable(error.message);
    throw error;
  }
}

function silence(): Promise<Unreachable> {
  return sleep(TIMEOUT, unreachable(`no answer in ${TIMEOUT / 1000} s`));
}
