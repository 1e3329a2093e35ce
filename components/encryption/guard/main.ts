// node main.ts widen|narrow|remove|show   reads a GuardOrder (JSON) from stdin
// `widen` lets the ciphertext in force and that of the order pass, `narrow` only the order's, `remove` takes the guard away where it is of the order's generation.
// `show` prints what is in force, with its counters, as JSON. Each may be cut short at any moment and run again: nft changes all or nothing.
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { json } from "node:stream/consumers";
import type { NodeNetwork } from "../../cluster/guardPlace.ts";
import { UserError } from "../../userError.ts";
import { type GuardOrder, type GuardStep, guardDocument } from "./order.ts";
import { type GuardTable, parseGuardTable } from "./table.ts";

const [step] = process.argv.slice(2);
try {
  const order = (await json(process.stdin)) as GuardOrder;
  if (step === "show") console.log(JSON.stringify(inForce(order) ?? null));
  else if (step === "widen" || step === "narrow" || step === "remove") take(step, order);
  else
    throw new UserError([
      { key: "command", value: step, message: "Not known.", allowed: "widen, narrow, remove, show" },
    ]);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function take(step: GuardStep, order: GuardOrder): void {
  const absent = order.place.ofCluster ? absence(step, order) : undefined;
  if (absent !== undefined) console.error(absent);
  const dropped = absent === undefined ? change(step, order) : {};
  // A new text for each run, so that what must follow a step can be bound to it.
  if (step !== "remove") console.log(JSON.stringify({ run: randomUUID(), dropped }));
}

/** Takes the step; returns what the table that it found had dropped, which goes where the table goes. */
function change(step: GuardStep, order: GuardOrder): GuardTable["dropped"] {
  const live = inForce(order);
  const around = step === "remove" ? { nodes: [], controlPlanes: [] } : network(order);
  const document = guardDocument(step, order, live, around);
  if (document !== undefined) nft(order, ["-f", "-"], document);
  else if (step === "remove" && live) console.error(`The table ${order.table} is another cluster's, and stays.`);
  return live?.dropped ?? {};
}

/** Why a cluster that brings the guard's place with it has none, in a sentence; undefined where it has one. */
function absence(step: GuardStep, { place }: GuardOrder): string | undefined {
  const { status, stderr } = run(place.nft, ["list", "tables"]);
  if (status === 0) return undefined;
  if (step === "remove") return "The cluster does not run, and its guard went with it.";
  // A rehearsal for want of rights has nodes without packets.
  return stderr.includes("has no wire") ? `There is nothing to guard: ${stderr.trim()}` : undefined;
}

function inForce(order: GuardOrder): GuardTable | undefined {
  // Asked for first: a table that is not there and an nft that does not work both end with 1.
  const tables = nft(order, ["list", "tables"]).split("\n");
  if (!tables.includes(`table bridge ${order.table}`)) return undefined;
  return parseGuardTable(nft(order, ["list", "table", "bridge", order.table]));
}

function network({ place }: GuardOrder): NodeNetwork {
  const { status, stdout, stderr } = run(place.network, []);
  if (status !== 0) throw failed("the nodes' network cannot be learned", stderr);
  const { nodes, controlPlanes } = JSON.parse(stdout) as NodeNetwork;
  // Docker writes addresses with the network's prefix.
  return { nodes, controlPlanes: controlPlanes.map((address) => address.replace(/\/.*/, "")) };
}

function nft({ place }: GuardOrder, args: string[], input?: string): string {
  const { status, stdout, stderr } = run(place.nft, args, input);
  if (status !== 0) throw failed("nft did not take it", stderr);
  return stdout;
}

function failed(what: string, stderr: string): UserError {
  return new UserError([
    {
      key: "wirecloak:guard",
      value: true,
      message: `The guard cannot be set: ${what}: ${stderr.trim().split("\n").slice(0, 3).join(" ")}`,
      fix: "make doctor; or go without it: pulumi config set wirecloak:guard false",
    },
  ]);
}

function run([program = "", ...first]: string[], args: string[], input = "") {
  const result = spawnSync(program, [...first, ...args], { input, encoding: "utf8", cwd: tmpdir() });
  return { ...result, stderr: result.stderr || result.error?.message || "" };
}
