import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { bench } from "../prover/bench/bench.ts";
import { readBenchRuns, statistics, withRun } from "../prover/bench/benchRuns.ts";
import { benchText, comparable, ratioOf } from "../prover/bench/benchText.ts";
import { Kubernetes } from "../prover/kubernetes.ts";
import { endedBy } from "../prover/proverError.ts";
import { writeWhole } from "../tools/files.ts";
import { evidenceFolder } from "../tools/paths.ts";
import { say } from "./say.ts";
import type { FindCluster } from "./status.ts";

interface Flags {
  stack?: string;
  runs: number;
  seconds: number;
  compare?: true | string;
  json?: true;
}

/** `wirecloak bench`: what encryption costs between two pods. */
export function registerBench(program: Command, find: FindCluster): void {
  program
    .command("bench")
    .description("TCP throughput between pods on different nodes, by iperf3, and how it compares with another mode's")
    .option("--runs <n>", "how often", positive, 5)
    .option("--seconds <n>", "how long each time", positive, 5)
    .option("--compare [mode]", "with the last bench of that mode (default: the newest of another one)")
    .option("-s, --stack <name>", "the stack (default: the one that is there)")
    .option("--json", "print one JSON document")
    .action(async (flags: Flags) => {
      process.exit(await run(flags, find));
    });
}

async function run({ stack, runs, seconds, compare, json }: Flags, find: FindCluster): Promise<number> {
  const { intent, kubeconfig, context } = await find(stack);
  try {
    const api = Kubernetes.open(kubeconfig, context, intent.cilium.namespace);
    const made = await bench(api, intent, { runs, seconds, progress: (line) => console.error(line) });
    const file = join(evidenceFolder(intent.cluster), "bench.json");
    const all = withRun(readBenchRuns(file), made);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeWhole(file, `${JSON.stringify(all, null, 2)}\n`);
    const other = compare === undefined ? null : comparable(all, made, compare === true ? undefined : compare);
    const document = { ...made, ...statistics(made.gbits), ...(other && { other, ratio: ratioOf(made, other) }) };
    const shown = json ? `${JSON.stringify(document, null, 2)}\n` : benchText(made, other);
    await new Promise((resolve) => process.stdout.write(shown, resolve));
    if (compare !== undefined && !other) say("nothing to compare with yet: bench the other mode first, then this one");
    return 0;
  } catch (error) {
    return endedBy(error);
  }
}

function positive(value: string): number {
  if (!/^[1-9]\d{0,2}$/.test(value)) throw new InvalidArgumentError("allowed: 1 to 999.");
  return Number(value);
}
