import { type Command, InvalidArgumentError } from "commander";
import { Kubernetes } from "../prover/kubernetes.ts";
import { endedBy } from "../prover/proverError.ts";
import { decide, exitCodeOf } from "../prover/sniff/decide.ts";
import { sniff } from "../prover/sniff/sniff.ts";
import { sniffText } from "../prover/sniff/sniffText.ts";
import type { FindCluster } from "./status.ts";

interface Flags {
  stack?: string;
  for: string;
  namespace: string;
  run?: string;
  seconds: number;
  json?: true;
}

const NOTES = `
A workload is a pod's name, pod/NAME, deployment/NAME or a label selector: app=frontend. "select frontend" is app=frontend.
Where several pods fit, a sender and a receiver on different nodes are taken. Without a receiver, all that the sender
sends to pods of other nodes is looked at.

  wirecloak sniff "select frontend" "select backend" --for password --run 'curl -s http://$TO/?password=secret'

Single quotes keep $TO from your own shell. Without --run it only listens. TLS, compression and the edge between two TCP segments hide a text.

Exit codes:
  0  not readable on the wire: seen inside the node, and not after
  1  readable on the wire
  2  wrong arguments; nothing was done
  3  nothing proven: the text was not seen at all, or the wire could not be`;

/** `wirecloak sniff`: whether the packets of any two workloads carry a text in clear. */
export function registerSniff(program: Command, find: FindCluster): void {
  program
    .command("sniff")
    .description("whether packets between two workloads carry a text in clear: before and after encryption")
    .argument("<from>", "the sender")
    .argument("[to]", "the receiver (default: pods on all other nodes)")
    .requiredOption("--for <text>", "what to look for, at least 4 characters")
    .option("-n, --namespace <name>", "their namespace", "default")
    .option("--run <command>", "run in the sender meanwhile, by sh; $TO is the receiver's address")
    .option("--seconds <n>", "how long to listen, or the command may take", seconds, 10)
    .option("-s, --stack <name>", "the stack (default: the one that is there)")
    .option("--json", "print one JSON document")
    .addHelpText("after", NOTES)
    .action(async (from: string, to: string | undefined, flags: Flags) => {
      process.exit(await run(from, to, flags, find));
    });
}

async function run(from: string, to: string | undefined, flags: Flags, find: FindCluster): Promise<number> {
  const { intent, kubeconfig, context } = await find(flags.stack);
  try {
    const seen = await sniff(Kubernetes.open(kubeconfig, context, intent.cilium.namespace), intent, {
      ...{ from, text: flags.for, namespace: flags.namespace, seconds: flags.seconds },
      ...(to !== undefined && { to }),
      ...(flags.run !== undefined && { command: flags.run }),
      progress: (line) => console.error(line),
    });
    const decision = decide(seen);
    const document = { schema: 1, cluster: intent.cluster, simulated: intent.simulated, ...decision, ...seen };
    const shown = flags.json
      ? `${JSON.stringify(document, null, 2)}\n`
      : sniffText(seen, decision, process.stdout.isTTY ?? false);
    await new Promise((resolve) => process.stdout.write(shown, resolve));
    return exitCodeOf(decision.verdict);
  } catch (error) {
    return endedBy(error);
  }
}

function seconds(value: string): number {
  if (!/^[1-9]\d{0,3}$/.test(value)) throw new InvalidArgumentError("allowed: whole seconds, at least 1.");
  return Number(value);
}
