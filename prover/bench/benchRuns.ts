import { readFileSync } from "node:fs";
import { z } from "zod";

/** How fast pods of two nodes talked to each other: plain data. */
export interface BenchRun {
  /** `wireguard`, `ipsec` or `none`. */
  mode: string;
  simulated: boolean;
  cilium: string;
  routing: string;
  /** The nodes of the two pods. */
  from: string;
  to: string;
  /** Of the pod's device; null where it was not told. */
  mtu: number | null;
  /** Of each run. */
  seconds: number;
  /** One TCP stream: of each run what the receiver counted. */
  gbits: number[];
  takenAt: string;
}

/** The newest bench of each mode: bench.json beside the evidence. */
export interface BenchRuns {
  /** Version of this document's shape. */
  schema: 1;
  runs: BenchRun[];
}

const shape: z.ZodType<BenchRuns> = z.object({
  schema: z.literal(1),
  runs: z.array(
    z.object({
      ...{ mode: z.string(), simulated: z.boolean(), cilium: z.string(), routing: z.string() },
      ...{ from: z.string(), to: z.string(), mtu: z.number().nullable(), seconds: z.number() },
      ...{ gbits: z.array(z.number()).min(1), takenAt: z.string() },
    }),
  ),
});

/** The runs kept in a file; none where there is no such file, or one that is not understood. */
export function readBenchRuns(file: string): BenchRuns {
  try {
    return shape.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return { schema: 1, runs: [] };
  }
}

/** With a new run in place of the last one of its mode; the newest comes first. */
export function withRun({ runs }: BenchRuns, run: BenchRun): BenchRuns {
  return { schema: 1, runs: [run, ...runs.filter(({ mode }) => mode !== run.mode)] };
}

export interface Statistics {
  mean: number;
  /** Of the sample; null for a single value. */
  deviation: number | null;
}

export function statistics(values: readonly number[]): Statistics {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null };
}
