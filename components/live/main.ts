// node main.ts   reads a SettleOrder (JSON) from stdin, looks at the live cluster without a change to it, and prints the SettledRecord as one line
import { randomUUID } from "node:crypto";
import { json } from "node:stream/consumers";
import { UserError } from "../userError.ts";
import { type LivePlace, lookAt, type Repairs } from "./live.ts";
import { recordOf } from "./record.ts";

/** What the program is told. Nothing in it is secret. */
export interface SettleOrder {
  place: LivePlace;
  repairs: Repairs;
  /** The proof may say otherwise when it is done again. */
  proveAgain: boolean;
}

const { place, ...left } = (await json(process.stdin)) as SettleOrder;
const live = await lookAt(place);
if ("unreachable" in live) {
  const problem = { key: "cluster", value: place.kubeconfig, message: `It does not answer: ${live.unreachable}` };
  console.error(new UserError([{ ...problem, fix: "pulumi up" }]).message);
  process.exit(1);
}
console.log(JSON.stringify(recordOf(live, { ...left, run: randomUUID(), at: new Date().toISOString() })));
