import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processesIn } from "../../rehearsal/processes.ts";
import { projectRoot } from "../../tools/paths.ts";
import type { PlannedInjection } from "./injections.ts";
import { kill, type TortureStack, type Updating } from "./stack.ts";

const REHEARSAL = join(projectRoot, "rehearsal/main.ts");
const CLOCK = join(import.meta.dirname, "clock.mjs");

/**
 * What the update must be started with for a clock that jumps in the middle of it.
 * @param after seconds after its begin
 */
export function environmentFor({ injection, jump }: PlannedInjection, after: number): Record<string, string> {
  if (injection.kind !== "clock") return {};
  return {
    NODE_OPTIONS: `--import=${CLOCK}`,
    TORTURE_JUMP_AT: `${Date.now() + after * 1000}`,
    TORTURE_JUMP: `${jump}`,
  };
}

/** Lets it happen, in the middle of an update; returns when it has, and is over where it lasts. */
export async function inject(
  plan: PlannedInjection,
  after: number,
  stack: TortureStack,
  update: Updating,
): Promise<void> {
  const { injection, node: index, holds } = plan;
  const node = index === 0 ? "t-control-plane" : index === 1 ? "t-worker" : `t-worker${index}`;
  await sleep(after * 1000);
  switch (injection.kind) {
    case "kill -9":
      return kill(update.process);
    case "agent crash":
      return during(stack, holds, [["set", "agent-down", node]]);
    case "agent deleted":
      return deleteAgent(stack, node);
    case "partition":
      return during(stack, holds, [["set", "partition", node]]);
    case "loss":
      return during(
        stack,
        2 * holds,
        nodesOf(plan).map((each) => ["set", "loss", each, "--percent", "5"]),
      );
    case "API server":
      endApiServer(stack);
      await sleep(holds * 1000);
      return rehearse(stack, ["start", "--name", "t"]);
    case "Secret":
      // Its policy would refuse that; the API server learns by a watch that it is gone.
      stack.kubectl("delete", "validatingadmissionpolicybinding", "wirecloak-ipsec-keys", "--ignore-not-found");
      await sleep(1000);
      stack.kubectl("-n", "kube-system", "delete", "secret", "cilium-ipsec-keys", "--ignore-not-found");
      return;
    case "reboot":
      return fault(stack, ["reboot", node]);
    case "clock":
      return;
    default:
      throw new Error(`nobody knows how to inject ${injection.kind}`);
  }
}

/** Takes back whatever is still wrong: faults, and programs of the cluster that do not run. */
export function mend(stack: TortureStack): void {
  rehearse(stack, ["start", "--name", "t"]);
  fault(stack, ["clear"]);
}

function nodesOf({ lane }: PlannedInjection): string[] {
  const workers = Array.from({ length: lane.nodes - 1 }, (_, index) => `t-worker${index === 0 ? "" : index + 1}`);
  return ["t-control-plane", ...workers];
}

async function during(stack: TortureStack, seconds: number, orders: string[][]): Promise<void> {
  for (const order of orders) fault(stack, order);
  await sleep(seconds * 1000);
  fault(stack, ["clear"]);
}

function deleteAgent(stack: TortureStack, node: string): void {
  const of = [
    "-n",
    "kube-system",
    "delete",
    "pod",
    "-l",
    "k8s-app=cilium",
    "--field-selector",
    `spec.nodeName=${node}`,
  ];
  stack.kubectl(...of, "--wait=false");
}

function endApiServer(stack: TortureStack): void {
  // Clusters know their processes by the real path of their folder.
  const folder = join(realpathSync(stack.stateDir), "clusters/t");
  for (const { pid, program } of processesIn(folder)) if (program === "kube-apiserver") process.kill(pid, "SIGKILL");
}

function fault(stack: TortureStack, words: string[]): void {
  rehearse(stack, ["fault", "--name", "t", "--", ...words]);
}

function rehearse(stack: TortureStack, args: string[]): void {
  const { status, stderr } = spawnSync("node", [REHEARSAL, ...args], { env: stack.env, encoding: "utf8" });
  if (status !== 0) throw new Error(`rehearsal ${args.join(" ")}: ${stderr}`);
}
