import "./memory.ts";
import { Command, InvalidArgumentError, Option } from "commander";
import { endedBy, ProverError } from "./proverError.ts";
import type { BeginArguments } from "./watch/begin.ts";
import { note, PHASES } from "./watch/journal.ts";

interface Arguments {
  intent: string;
  kubeconfig: string;
  context?: string;
  json?: true;
  summary?: true;
  evidence?: string;
  captures?: string;
  watch?: string;
  wait: number;
}

const EXIT_CODES = `
Exit codes:
  0  nothing contradicts the intent (verdict "proven" or "not proven")
  1  the verdict is "failed"
  2  wrong arguments, intent or kubeconfig
  3  the cluster could not be asked`;

const program = new Command("prover").description("Proves that a live cluster is what it is meant to be.");
program
  .command("verify")
  .description("read the cluster back, look at what crosses between its nodes, and judge both")
  .requiredOption("--intent <file>", "the intent as JSON; - is standard input")
  .requiredOption("--kubeconfig <file>", "the cluster's kubeconfig; the ambient one is never used")
  .option("--context <name>", "context of that kubeconfig (default: its current one)")
  .option("--json", "print the report as one JSON document")
  .addOption(new Option("--summary", "print verdict and reasons only, as JSON").conflicts("json"))
  .option("--evidence <folder>", "leave evidence.json and evidence.html there")
  .option("--captures <folder>", "leave the readable packets of every capture there, as pcap files")
  .option(
    "--watch <folder>",
    "the watch over the change that this is the proof of: its journal gets the proof's begin and end",
  )
  .option("--wait <seconds>", "how long a rollout in flight may still take", seconds, 60)
  .addHelpText("after", EXIT_CODES)
  .action(prove);

program
  .command("live")
  .description("print what the cluster's API shows of it, as JSON; reads only, asks no agent, and tells no key")
  .requiredOption("--kubeconfig <file>", "the cluster's kubeconfig; the ambient one is never used")
  .option("--context <name>", "context of that kubeconfig (default: its current one)")
  .option("--namespace <name>", "Cilium's namespace", "kube-system")
  .action(live);
const watch = program
  .command("watch")
  .description("watch a change of the cluster, from before it begins until after its proof");
watch
  .command("begin")
  .description("leave a watch running, told by an order (JSON) on standard input; prints its id")
  .requiredOption("--kubeconfig <file>", "the cluster's kubeconfig; the ambient one is never used")
  .option("--context <name>", "context of that kubeconfig (default: its current one)")
  .requiredOption("--folder <folder>", "where the watch keeps its journal, its log and its result")
  .requiredOption("--evidence <folder>", "where the evidence of the proof is, which gets the change")
  .option("--update", "an update runs this, whose end ends the watch")
  .action(begin);
watch
  .command("end <id>")
  .description("end that watch and print what it saw, as JSON; null where nothing was watched")
  .requiredOption("--folder <folder>", "as it was begun with")
  .action(end);
watch
  .command("note <moment>")
  .description("note that a moment of the change has come")
  .requiredOption("--folder <folder>", "as it was begun with")
  .action(moment);

// Commander ends with 1 where the arguments are wrong; ours is 2, and 0 stays for --help.
for (const command of [program, ...program.commands, ...watch.commands])
  command.exitOverride((error) => process.exit(error.exitCode && 2));

try {
  await program.parseAsync();
} catch (error) {
  process.exit(endedBy(error));
}

async function prove({ intent: file, kubeconfig, context, json, summary, ...rest }: Arguments): Promise<void> {
  const { intentFrom, run } = await import("./run.ts");
  const intent = await intentFrom(file);
  const api = (await kubernetes()).open(kubeconfig, context, intent.cilium.namespace);
  const code = await run(intent, api, { ...rest, shown: json ? "json" : summary ? "summary" : "text" });
  // Connections to agents that do not answer would keep the process.
  process.exit(code);
}

async function live({ kubeconfig, context, namespace }: { kubeconfig: string; context?: string; namespace: string }) {
  const { readFacts } = await import("./live/read.ts");
  const facts = await readFacts((await kubernetes()).open(kubeconfig, context, namespace));
  process.stdout.write(`${JSON.stringify(facts)}\n`);
}

/** Late, as all that only one command needs: an update starts this program several times. */
async function kubernetes() {
  return (await import("./kubernetes.ts")).Kubernetes;
}

async function begin(options: Omit<BeginArguments, "order">): Promise<void> {
  const [{ beginWatch }, { readOrder }] = await Promise.all([import("./watch/begin.ts"), import("./watch/order.ts")]);
  const id = await beginWatch({ ...options, order: await readOrder(process.stdin) });
  await new Promise((resolve) => process.stdout.write(`${id}\n`, resolve));
  // Kept connections to the API server would keep the process.
  process.exit();
}

async function end(id: string, { folder }: { folder: string }): Promise<void> {
  const { changeText, endOf, isLeak } = await import("./watch/end.ts");
  const change = await endOf(folder, id);
  console.log(JSON.stringify(change));
  if (!change) return;
  console.error(changeText(change));
  if (isLeak(change)) {
    console.error(
      "Readable packets passed the guard while the cluster was to be encrypted before and after this change.",
    );
    process.exitCode = 1;
  }
}

function moment(name: string, { folder }: { folder: string }): void {
  const phase = PHASES.find((known) => known === name);
  if (!phase) throw new ProverError("usage", `no moment ${JSON.stringify(name)}; allowed: ${PHASES.join(", ")}`);
  note(folder, phase);
}

function seconds(value: string): number {
  if (!/^\d{1,5}$/.test(value)) throw new InvalidArgumentError("allowed: whole seconds, 0 looks once.");
  return Number(value);
}
