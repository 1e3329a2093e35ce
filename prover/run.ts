import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { readBenchRuns } from "./bench/benchRuns.ts";
import { evidenceOf } from "./evidence/document.ts";
import { proverVersion, writeEvidence } from "./evidence/files.ts";
import { type Intent, parseIntent } from "./intent.ts";
import type { Kubernetes } from "./kubernetes.ts";
import { keyAgeDays } from "./live/keyAge.ts";
import { readSettled } from "./live/read.ts";
import { ProverError } from "./proverError.ts";
import { statusText } from "./status.ts";
import { summaryOf } from "./summary.ts";
import { verify } from "./verify.ts";
import { note } from "./watch/journal.ts";
import { observeWire } from "./wire/observe.ts";

export interface Run {
  /** Seconds that a rollout in flight may still take. */
  wait: number;
  /** Folder for evidence.json and evidence.html; absent: none is written. */
  evidence?: string;
  /** Folder for what was captured, as pcap files; absent: nothing is kept. */
  captures?: string;
  /** Folder of the watch over the change that this proof is of, which notes when it began and ended. */
  watch?: string;
  /** Holds the Secret against the record of the last update too; not in an update. */
  settled?: boolean;
  /** What goes to standard output. */
  shown: "text" | "json" | "summary";
}

/** Proves a cluster: prints what came of it, leaves the evidence, and resolves with the exit code, 1 where it failed. */
export async function run(
  intent: Intent,
  api: Kubernetes,
  { wait, evidence, captures, watch, settled = false, shown }: Run,
): Promise<0 | 1> {
  const progress = (line: string): void => console.error(line);
  const startedAt = new Date().toISOString();
  note(watch, "proof began");
  const { report, observation } = await verify(intent, api, {
    wait,
    settled,
    progress,
    wire: (cluster, seed) => observeWire(api, intent, cluster, { seed, progress, ...(captures && { keep: captures }) }),
  });
  note(watch, "proof ended");
  // Before anything that could end this run with a failure.
  if (evidence !== undefined) {
    const endedAt = new Date().toISOString();
    const versions = { prover: proverVersion(), kubernetes: null, tools: { node: process.version } };
    const isIpsec = intent.encryption === "ipsec";
    const keyAge = isIpsec ? keyAgeDays(observation.settled ?? (await readSettled(api)), new Date()) : null;
    const benches = readBenchRuns(join(evidence, "bench.json")).runs;
    const proof = { report, intent, observation, versions, keyAgeDays: keyAge, benches, startedAt, endedAt };
    writeEvidence(evidence, evidenceOf(proof));
  }
  const path = evidence === undefined ? null : join(evidence, "evidence.json");
  const documents = { json: report, summary: summaryOf(report, path) };
  const out = shown === "text" ? statusText(report) : `${JSON.stringify(documents[shown], null, 2)}\n`;
  await new Promise((resolve) => process.stdout.write(out, resolve));
  // Whoever runs this for its JSON shows people standard error.
  if (shown !== "text")
    console.error(report.verdict === "failed" ? [report.statement, ...report.reasons].join("\n- ") : report.statement);
  return report.verdict === "failed" ? 1 : 0;
}

/** Reads an intent from a file, or from standard input where it is `-`. Throws a usage ProverError. */
export async function intentFrom(file: string): Promise<Intent> {
  if (file === "-") return parseIntent(await text(process.stdin), "standard input");
  try {
    return parseIntent(readFileSync(file, "utf8"), file);
  } catch (error) {
    if (error instanceof ProverError) throw error;
    throw new ProverError("usage", `the intent cannot be read: ${(error as Error).message}`);
  }
}
