import { readFileSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { Command, InvalidArgumentError } from "commander";
import { parseIntent } from "./intent.ts";
import { Kubernetes } from "./kubernetes.ts";
import { ProverError } from "./proverError.ts";
import { statusText } from "./status.ts";
import { verify } from "./verify.ts";

interface Arguments {
  intent: string;
  kubeconfig: string;
  context?: string;
  json?: true;
  evidence?: string;
  wait: number;
}

const EXIT_CODES = `
Exit codes:
  0  nothing contradicts the intent (verdict "proven" or "not proven")
  1  the verdict is "failed"
  2  wrong arguments, intent or kubeconfig
  3  the cluster could not be asked`;

const program = new Command("prover").description("Compares a live cluster with what it is meant to be.");
program
  .command("verify")
  .description("read cilium-config, the rollout, every CiliumNode and every agent back, and judge them")
  .requiredOption("--intent <file>", "the intent as JSON; - is standard input")
  .requiredOption("--kubeconfig <file>", "the cluster's kubeconfig; the ambient one is never used")
  .option("--context <name>", "context of that kubeconfig (default: its current one)")
  .option("--json", "print the report as one JSON document")
  .option("--evidence <file>", "also write the report with the intent and everything observed to this file")
  .option("--wait <seconds>", "how long a rollout in flight may still take", seconds, 60)
  .addHelpText("after", EXIT_CODES)
  .action(run);

// Commander ends with 1 where the arguments are wrong; ours is 2, and 0 stays for --help.
for (const command of [program, ...program.commands])
  command.exitOverride((error) => process.exit(error.exitCode && 2));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof ProverError)) throw error;
  console.error(error.message);
  process.exit(error.kind === "usage" ? 2 : 3);
}

async function run(args: Arguments): Promise<void> {
  const fromStdin = args.intent === "-";
  const intent = parseIntent(
    fromStdin ? await text(process.stdin) : read(args.intent),
    fromStdin ? "standard input" : args.intent,
  );
  const kubernetes = Kubernetes.open(args.kubeconfig, args.context, intent.cilium.namespace);
  const { report, observation } = await verify(intent, kubernetes, {
    wait: args.wait,
    progress: (line) => console.error(line),
  });
  if (args.evidence !== undefined) write(args.evidence, { ...report, intent, observation });
  const shown = args.json ? `${JSON.stringify(report, null, 2)}\n` : statusText(report);
  await new Promise((resolve) => process.stdout.write(shown, resolve));
  // Whoever runs this for its JSON shows people standard error.
  if (args.json && report.verdict === "failed") console.error([report.statement, ...report.reasons].join("\n- "));
  // Connections to agents that do not answer would keep the process.
  process.exit(report.verdict === "failed" ? 1 : 0);
}

function seconds(value: string): number {
  if (!/^\d{1,5}$/.test(value)) throw new InvalidArgumentError("allowed: whole seconds, 0 looks once.");
  return Number(value);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new ProverError("usage", `the intent cannot be read: ${(error as Error).message}`);
  }
}

function write(file: string, document: unknown): void {
  try {
    writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
  } catch (error) {
    throw new ProverError("usage", `the evidence cannot be written: ${(error as Error).message}`);
  }
}
