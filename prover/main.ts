import "./memory.ts";
import { Command, InvalidArgumentError, Option } from "commander";
import { Kubernetes } from "./kubernetes.ts";
import { readFacts } from "./live/read.ts";
import { endedBy } from "./proverError.ts";
import { intentFrom, run } from "./run.ts";

interface Arguments {
  intent: string;
  kubeconfig: string;
  context?: string;
  json?: true;
  summary?: true;
  evidence?: string;
  captures?: string;
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

// Commander ends with 1 where the arguments are wrong; ours is 2, and 0 stays for --help.
for (const command of [program, ...program.commands])
  command.exitOverride((error) => process.exit(error.exitCode && 2));

try {
  await program.parseAsync();
} catch (error) {
  process.exit(endedBy(error));
}

async function prove({ intent: file, kubeconfig, context, json, summary, ...rest }: Arguments): Promise<void> {
  const intent = await intentFrom(file);
  const api = Kubernetes.open(kubeconfig, context, intent.cilium.namespace);
  const code = await run(intent, api, { ...rest, shown: json ? "json" : summary ? "summary" : "text" });
  // Connections to agents that do not answer would keep the process.
  process.exit(code);
}

async function live({ kubeconfig, context, namespace }: { kubeconfig: string; context?: string; namespace: string }) {
  const facts = await readFacts(Kubernetes.open(kubeconfig, context, namespace));
  process.stdout.write(`${JSON.stringify(facts)}\n`);
}

function seconds(value: string): number {
  if (!/^\d{1,5}$/.test(value)) throw new InvalidArgumentError("allowed: whole seconds, 0 looks once.");
  return Number(value);
}
