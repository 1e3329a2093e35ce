// node main.ts widen|narrow|remove|show   reads a GuardOrder (JSON) from stdin
// `widen` lets the ciphertext in force and that of the order pass, `narrow` only the order's, `remove` takes the guard away where it is of the order's generation
// and of the resource that asks. `show` takes a ShowOrder and prints what is in force as JSON, a table of ours with its counters: null where there is nothing. It changes nothing.
// Each may be cut short at any moment and run again: nft changes all or nothing.
import { spawnSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { json } from "node:stream/consumers";
import { note } from "../../../prover/watch/journal.ts";
import { isBridge, type NodeNetwork } from "../../cluster/guardPlace.ts";
import { UserError } from "../../userError.ts";
import { type Form, formsSent } from "./forms.ts";
import { type GuardOrder, type GuardRun, type GuardStep, guardDocument, type ShowOrder } from "./order.ts";
import { guardShown } from "./shown.ts";
import { type GuardTable, parseGuardTable } from "./table.ts";

/** Where no table is made. */
const NOTHING: Omit<GuardRun, "owner"> = { network: { nodes: [], controlPlanes: [] }, sent: [] };

const [step] = process.argv.slice(2);
try {
  const order = await json(process.stdin);
  if (step === "show") console.log(JSON.stringify(await shown(order as ShowOrder)));
  else if (step === "widen" || step === "narrow" || step === "remove") take(step, order as GuardOrder);
  else
    throw new UserError([
      { key: "command", value: step, message: "Not known.", allowed: "widen, narrow, remove, show" },
    ]);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function shown({ table, place, forms = [] }: ShowOrder) {
  if (!isBridge(place)) {
    // Late, since an update asks some ten times, and only a cloud's place needs these.
    const [{ runAws }, { findEksGroups }, { eksGuardInForce }] = await Promise.all([
      import("../../cluster/eksFound.ts"),
      import("../../cluster/eksGroups.ts"),
      import("../../cluster/eksGuard.ts"),
    ]);
    return eksGuardInForce(place, forms, await findEksGroups(place, runAws));
  }
  return guardShown(tableIn({ table }, list({ place })));
}

function take(step: GuardStep, order: GuardOrder): void {
  const owner = ownerBefore() ?? (step === "remove" ? undefined : randomBytes(4).toString("hex"));
  const listed = list(order);
  const absent = order.place.ofCluster ? absence(step, listed) : undefined;
  if (absent !== undefined) console.error(absent);
  const phase = step === "widen" ? "guard widened" : order.forms.length > 0 ? "guard narrowed" : "guard opened";
  // Plaintext passes as soon as nft has it: noted before that, or what then passes would count as leaked.
  if (step !== "remove" && phase === "guard opened") note(process.env.WATCH, phase);
  const dropped = absent === undefined ? change(step, order, owner, tableIn(order, listed)) : {};
  if (step !== "remove" && phase !== "guard opened") note(process.env.WATCH, phase);
  // A new text for each run, so that what must follow a step can be bound to it.
  if (step !== "remove") console.log(JSON.stringify({ run: randomUUID(), owner, dropped }));
}

/** Whose run this is: an update's and a delete's resource is told what it printed before, a new one is not. */
function ownerBefore(): string | undefined {
  try {
    return (JSON.parse(process.env.PULUMI_COMMAND_STDOUT ?? "") as { owner?: string }).owner;
  } catch {
    return undefined;
  }
}

/** Takes the step; returns what the table that it found had dropped, which goes where the table goes. */
function change(
  step: GuardStep,
  order: GuardOrder,
  owner: string | undefined,
  live: GuardTable | undefined,
): GuardTable["dropped"] {
  if (step === "remove") {
    const document = guardDocument(step, order, live, { ...NOTHING, owner: owner ?? live?.owner ?? "" });
    if (document !== undefined) nft(order, ["-f", "-"], document);
    else if (live) console.error(`The table ${order.table} is another's, and stays.`);
    return {};
  }
  const sent = step === "widen" && live?.generation !== order.generation ? sentNow(order) : [];
  const run: GuardRun = { owner: owner ?? "", network: network(order), sent };
  const document = guardDocument(step, order, live, run);
  if (document === undefined) return {};
  nft(order, ["-f", "-"], document);
  const made = tableIn(order, list(order));
  if (made) {
    // Once more with what nft makes of it, so that the table tells by itself whether it was changed.
    const sealed = guardDocument(step, order, made, run, made.digest);
    if (sealed !== undefined) nft(order, ["-f", "-"], sealed);
  }
  return live?.dropped ?? {};
}

/** The ciphertext that the cluster sends, where no guard in force tells. Says what a first guard on a readable wire does. */
function sentNow({ live, forms }: GuardOrder): Form[] {
  if (live === undefined) return [];
  const { status, stdout, stderr } = run(live, []);
  if (status !== 0) throw failed("what the cluster sends now cannot be learned", stderr);
  const facts = JSON.parse(stdout) as Parameters<typeof formsSent>[0];
  const sent = formsSent(facts);
  if (facts.config !== null && sent.length === 0 && forms.length > 0)
    console.error(
      "From now until all nodes encrypt, the guard drops what pods on different nodes send each other: so far it is readable.",
    );
  return sent;
}

/** Why a cluster that brings the guard's place with it has none, in a sentence; undefined where it has one. */
function absence(step: GuardStep, { status, stderr }: Listed): string | undefined {
  if (status === 0) return undefined;
  if (step === "remove") return "The cluster does not run, and its guard went with it.";
  // A rehearsal for want of rights has nodes without packets.
  return stderr.includes("has no wire") ? `There is nothing to guard: ${stderr.trim()}` : undefined;
}

type Listed = ReturnType<typeof run>;

/** All tables in one call: asked for one, nft ends alike where it is not there and where nothing works. */
function list({ place }: Pick<GuardOrder, "place">): Listed {
  return run(place.nft, ["list", "ruleset", "bridge"]);
}

function tableIn({ table }: Pick<GuardOrder, "table">, { status, stdout, stderr }: Listed): GuardTable | undefined {
  if (status !== 0) throw failed("nft did not answer", stderr);
  const from = `\n${stdout}`.indexOf(`\ntable bridge ${table} {\n`);
  return from < 0 ? undefined : parseGuardTable(stdout.slice(from, stdout.indexOf("\n}\n", from) + 3));
}

function network({ place }: GuardOrder): NodeNetwork {
  const { status, stdout, stderr } = run(place.network, []);
  if (status !== 0) throw failed("the nodes' network cannot be learned", stderr);
  const { controlPlanes, ...rest } = JSON.parse(stdout) as NodeNetwork;
  // Docker writes addresses with the network's prefix.
  return { ...rest, controlPlanes: controlPlanes.map((address) => address.replace(/\/.*/, "")) };
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
