// `make bench`: what a stack's life and the read-back cost on this machine, as tables. Nothing here is asserted.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { delimiter, join } from "node:path";
import { toolFolders } from "../../tools/folders.ts";
import { cacheDir, projectRoot } from "../../tools/paths.ts";
import { EngineStack, type Run } from "../engine/engineStack.ts";

process.env.PULUMI_HOME = join(cacheDir(), "pulumi-home");
process.env.PATH = [
  ...(await toolFolders("rehearsal", process.env.PULUMI_HOME)),
  join(projectRoot, "node_modules/.bin"),
  process.env.PATH ?? "",
].join(delimiter);
spawnSync("node", [join(projectRoot, "rehearsal/main.ts"), "package"], { stdio: "inherit" });

const [cpu] = cpus();
console.log(
  `Machine: ${cpu?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.version}`,
);
console.log("In rehearsal: a real Kubernetes API, simulated nodes and agents.\n");

let previews = { without: 0, with: 0 };
let writes = { judged: 0, copy: 0 };
console.log("| nodes | first up, s | second up, s | switch to IPsec, s | destroy, s |");
console.log("|---:|---:|---:|---:|---:|");
for (const nodes of [4, 100])
  withStack(nodes, (stack, first) => {
    const second = timed(() => stack.up("--expect-no-changes"));
    stack.configure({ "wirecloak:encryption": "ipsec" }, sizedFor(nodes));
    const change = timed(() => stack.up());
    if (nodes === 4) [previews, writes] = [packCost(stack), admissionCost(stack)];
    const destroy = timed(() => stack.pulumi("destroy", "--yes", "--skip-preview", "--non-interactive"));
    console.log(`| ${[nodes, first, second, change, destroy].join(" | ")} |`);
  });

console.log("\nThe policy pack, in `pulumi preview` of an unchanged stack of 4 nodes (median of 5):\n");
console.log("| without the pack, s | with it, s | ratio |");
console.log("|---:|---:|---:|");
const ratio = (previews.with / previews.without).toFixed(2);
console.log(`| ${previews.without.toFixed(1)} | ${previews.with.toFixed(1)} | ${ratio} |`);

console.log("\nThe admission policies, in a dry-run write of cilium-config and of a copy of it (median of 200):\n");
console.log("| which none is asked about, ms | cilium-config, ms |");
console.log("|---:|---:|");
console.log(`| ${writes.copy.toFixed(1)} | ${writes.judged.toFixed(1)} |`);

console.log("\nA look at a cluster in WireGuard mode (`prover/main.ts verify`):\n");
console.log("| nodes | look | pairs | seconds | API requests | peak MiB | seconds per 100 nodes | verdict |");
console.log("|---:|---|---:|---:|---:|---:|---:|---|");
for (const [nodes, wire] of [
  [4, "on"],
  [100, "on"],
  [1000, "off"],
] as const) {
  // A thousand nodes on the wire are more than a machine of 24 GiB holds: there the pods answer that they have none.
  process.env.WIRECLOAK_REHEARSAL_WIRE = wire;
  withStack(nodes, (stack) => {
    for (const look of ["read-back", "proof"] as const) {
      const { seconds, requests, peakMiB, verdict, pairs } = cost(stack, look);
      const per100 = ((100 * Number(seconds)) / nodes).toFixed(2);
      const what = look === "proof" ? `proof, wire ${wire}` : look;
      const row = [nodes, what, pairs, Number(seconds).toFixed(1), requests, peakMiB, per100, verdict];
      console.log(`| ${row.join(" | ")} |`);
    }
  });
}

/** What one look at a stack's cluster costs, in a process of its own. */
function cost(stack: EngineStack, look: "read-back" | "proof"): Record<string, unknown> {
  const intent = join(stack.home, "intent.json");
  writeFileSync(intent, String(stack.outputs().intent));
  const kubeconfig = join(stack.stateDir, "clusters/t/kubeconfig");
  const program = join(projectRoot, "test/bench/prove.ts");
  const args = [program, "--intent", intent, "--kubeconfig", kubeconfig, ...(look === "proof" ? ["--wire"] : [])];
  const { stdout, stderr } = spawnSync("node", args, { encoding: "utf8", env: stack.env });
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Seconds of a preview without the pack and with it, each the median of runs that take turns. */
function packCost(stack: EngineStack): { without: number; with: number } {
  const pack = ["--policy-pack", join(projectRoot, "policies/launch")];
  const runs = Array.from({ length: 5 }, () => ({
    without: secondsOf(() => stack.pulumi("preview", "--non-interactive")),
    with: secondsOf(() => stack.pulumi("preview", "--non-interactive", ...pack)),
  }));
  const median = (all: number[]) => all.toSorted((a, b) => a - b)[2] ?? 0;
  return { without: median(runs.map((run) => run.without)), with: median(runs.map((run) => run.with)) };
}

/** Milliseconds of a write that the admission policies judge, and of one that they do not. */
function admissionCost(stack: EngineStack): typeof writes {
  const args = [join(projectRoot, "test/bench/admission.ts"), join(stack.stateDir, "clusters/t/kubeconfig")];
  const { stdout, stderr } = spawnSync("node", args, { encoding: "utf8", env: stack.env });
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout) as typeof writes;
}

/** Stands a stack up, hands it over, and removes it whatever happens. */
function withStack(nodes: number, work: (stack: EngineStack, firstUp: string) => void): void {
  const stack = new EngineStack();
  try {
    stack.configure({}, sizedFor(nodes));
    const first = timed(() => stack.up());
    work(stack, first);
  } finally {
    stack.close();
  }
}

/** A cluster of so many nodes, with room for a /24 each. */
function sizedFor(nodes: number): Record<string, unknown> {
  return { workers: nodes - 1, podCidr: "10.0.0.0/13" };
}

/** Seconds that a command took, for a table. */
function timed(run: () => Run): string {
  return secondsOf(run).toFixed(1);
}

/** Seconds that a command took; throws what it said where it failed. */
function secondsOf(run: () => Run): number {
  const start = performance.now();
  const { code, output } = run();
  if (code !== 0) throw new Error(output);
  return (performance.now() - start) / 1000;
}
