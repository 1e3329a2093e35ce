import { readFileSync } from "node:fs";
import { Command } from "commander";
import { parseIntent } from "../../prover/intent.ts";
import { Kubernetes } from "../../prover/kubernetes.ts";
import { verify } from "../../prover/verify.ts";

/** What one read-back of a cluster cost, as this script prints it: one JSON document a line. */
export interface ReadBackCost {
  nodes: number;
  verdict: string;
  seconds: number;
  /** Requests to the Kubernetes API, commands in agents included. */
  requests: number;
  /** The most memory that this process ever held, in MiB, Node.js and its libraries included. */
  peakMiB: number;
}

const { intent, kubeconfig, context } = new Command("readback")
  .description("Reads a cluster back once, in a process of its own, and prints what that cost as a line of JSON.")
  .requiredOption("--intent <file>", "the intent as JSON")
  .requiredOption("--kubeconfig <file>", "the cluster's kubeconfig")
  .option("--context <name>", "context of that kubeconfig (default: its current one)")
  .parse()
  .opts<{ intent: string; kubeconfig: string; context?: string }>();

const wanted = parseIntent(readFileSync(intent, "utf8"), intent);
const { report } = await verify(wanted, Kubernetes.open(kubeconfig, context, wanted.cilium.namespace), { wait: 0 });
const cost: ReadBackCost = {
  nodes: report.nodes.length,
  verdict: report.verdict,
  seconds: Math.round(report.seconds * 100) / 100,
  requests: report.requests,
  peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
};
console.log(JSON.stringify(cost));
