import "../../prover/memory.ts";
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { parseIntent } from "../../prover/intent.ts";
import { Kubernetes } from "../../prover/kubernetes.ts";
import { verify } from "../../prover/verify.ts";
import { observeWire } from "../../prover/wire/observe.ts";

/** What one look at a cluster cost, as this script prints it: one JSON document a line. */
export interface Cost {
  nodes: number;
  verdict: string;
  /** Ordered node pairs that were tested on the wire. */
  pairs: number;
  seconds: number;
  /** Requests to the Kubernetes API, commands in agents included. */
  requests: number;
  /** The most memory that this process ever held, in MiB, Node.js and its libraries included. */
  peakMiB: number;
}

const { intent, kubeconfig, context, wire } = new Command("prove")
  .description("Looks at a cluster once, in a process of its own, and prints what that cost as a line of JSON.")
  .requiredOption("--intent <file>", "the intent as JSON")
  .requiredOption("--kubeconfig <file>", "the cluster's kubeconfig")
  .option("--context <name>", "context of that kubeconfig (default: its current one)")
  .option("--wire", "look at the wire too, as a proof does; else the cluster is read back only")
  .parse()
  .opts<{ intent: string; kubeconfig: string; context?: string; wire?: true }>();

const wanted = parseIntent(readFileSync(intent, "utf8"), intent);
const api = Kubernetes.open(kubeconfig, context, wanted.cilium.namespace);
const { report } = await verify(wanted, api, {
  wait: 0,
  ...(wire && { wire: (cluster, seed) => observeWire(api, wanted, cluster, { seed }) }),
});
const cost: Cost = {
  nodes: report.nodes.length,
  verdict: report.verdict,
  pairs: report.wire?.pairs.tested ?? 0,
  seconds: Math.round(report.seconds * 100) / 100,
  requests: report.requests,
  peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
};
process.stdout.write(`${JSON.stringify(cost)}\n`, () => process.exit());
