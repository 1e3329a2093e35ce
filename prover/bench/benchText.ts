import { type BenchRun, type BenchRuns, statistics } from "./benchRuns.ts";

/** The last run to compare one with: of the mode asked for, or the newest of any other mode. */
export function comparable({ runs }: BenchRuns, { mode }: BenchRun, asked?: string): BenchRun | null {
  return runs.find((run) => run.mode !== mode && (asked === undefined || run.mode === asked)) ?? null;
}

/** How much of the other's throughput a run has. */
export function ratioOf(run: BenchRun, other: BenchRun): number {
  return statistics(run.gbits).mean / statistics(other.gbits).mean;
}

/** A run, and what it is compared with, as a table for a terminal; every line ends in a line feed. */
export function benchText(run: BenchRun, other: BenchRun | null): string {
  const lines = [
    `pod on ${run.from} to pod on ${run.to}, one TCP stream, ${run.gbits.length} runs of ${run.seconds} s`,
    row("mode", "Gbit/s", "deviation", "n", "MTU"),
    ...[run, ...(other ? [other] : [])].map(runRow),
  ];
  if (other) lines.push(`${run.mode} has ${(100 * ratioOf(run, other)).toFixed(0)} % of ${other.mode}'s throughput`);
  if (run.simulated)
    lines.push("in rehearsal: encryption in user space of one process; this is not your cluster's speed");
  return `${lines.join("\n")}\n`;
}

function runRow({ mode, gbits, mtu }: BenchRun): string {
  const { mean, deviation } = statistics(gbits);
  return row(mode, mean.toFixed(3), deviation?.toFixed(3) ?? "-", String(gbits.length), String(mtu ?? "-"));
}

function row(mode: string, ...numbers: string[]): string {
  return [mode.padEnd(10), ...numbers.map((number) => number.padStart(10))].join("");
}
