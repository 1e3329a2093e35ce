import type { Command } from "commander";
import { Kubernetes } from "../prover/kubernetes.ts";
import { endedBy } from "../prover/proverError.ts";
import { run } from "../prover/run.ts";
import { evidenceFolder } from "../tools/paths.ts";
import type { FindCluster } from "./status.ts";

/** `wirecloak verify`: the proof of `up` again, by hand. */
export function registerVerify(program: Command, find: FindCluster): void {
  program
    .command("verify")
    .description("prove the cluster again: send markers between its nodes, and look at what crosses")
    .option("-s, --stack <name>", "the stack (default: the one that is there)")
    .option("--json", "print one JSON document")
    .option("--captures <folder>", "leave the readable packets of every capture there, as pcap files")
    .action(async ({ stack, json, captures }: { stack?: string; json?: boolean; captures?: string }) => {
      const { intent, kubeconfig, context } = await find(stack);
      try {
        const evidence = evidenceFolder(intent.cluster);
        const api = Kubernetes.open(kubeconfig, context, intent.cilium.namespace);
        const shown = json ? "json" : "text";
        const code = await run(intent, api, { wait: 0, settled: true, evidence, ...(captures && { captures }), shown });
        if (!json) console.log(`evidence: ${evidence}/evidence.html`);
        process.exit(code);
      } catch (error) {
        process.exit(endedBy(error));
      }
    });
}
