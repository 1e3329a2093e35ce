import { join } from "node:path";
import { Kubernetes } from "../../prover/kubernetes.ts";
import { decide } from "../../prover/sniff/decide.ts";
import { sniff } from "../../prover/sniff/sniff.ts";
import { choosePair, parseWorkload, podsOf } from "../../prover/sniff/workload.ts";
import { changedConfig, type Example, type Step } from "./exampleFile.ts";
import type { ExampleStack } from "./exampleStack.ts";

/** What a step saw, and what of it is told to people. */
export interface StepSeen {
  observed: Record<string, unknown>;
  told: string;
}

/** Seconds for workloads to run: most of it is for images. */
const WORKLOAD_PATIENCE = 180;

/** Milliseconds for a command in a pod. */
const COMMAND_TIMEOUT = 15_000;

/** Where the examples' workloads are. */
const NAMESPACE = "default";

/** The run of one example: its stack, and the config as the steps so far have made it. */
export class ExampleRun {
  private readonly example: Example;
  private readonly stack: ExampleStack;
  private config: Record<string, unknown>;

  constructor(example: Example, stack: ExampleStack, config: Record<string, unknown>) {
    this.example = example;
    this.stack = stack;
    this.config = config;
  }

  /** Does a step; what goes wrong in it is part of what it saw. */
  step(step: Step): Promise<StepSeen> {
    switch (step.do) {
      case "up":
        return this.up(step.set);
      case "apply":
        return this.apply();
      case "kubectl":
        return this.kubectl(step.args);
      case "agents":
        return this.agents(step.command);
      case "exec":
        return this.exec(step);
      case "sniff":
        return this.sniff(step);
    }
  }

  private async up(set: Record<string, unknown>): Promise<StepSeen> {
    this.config = changedConfig(this.config, set);
    const { code, output } = await this.stack.up(this.config);
    if (code !== 0) return { observed: { failed: output }, told: output.trim() };
    const outputs = this.stack.outputs();
    const reasons = (outputs.reasons ?? []) as string[];
    return { observed: outputs, told: [outputs.statement, ...reasons].join("\n") };
  }

  private async apply(): Promise<StepSeen> {
    const applied = await this.stack.kubectl([
      ...["apply", "--namespace", NAMESPACE, "--output", "name"],
      ...["--filename", join(this.example.folder, "workloads.yaml")],
    ]);
    if (applied.code !== 0) return failed(applied.output);
    const deployments = applied.stdout.split("\n").filter((name) => name.startsWith("deployment"));
    for (const name of deployments) {
      const patience = ["--timeout", `${WORKLOAD_PATIENCE}s`, "--namespace", NAMESPACE];
      const { code, output } = await this.stack.kubectl(["rollout", "status", name, ...patience]);
      if (code !== 0) return failed(output);
    }
    const pods = await this.api().pods(NAMESPACE);
    const nodes = new Set(pods.map(({ spec }) => spec?.nodeName));
    return { observed: { nodes: nodes.size }, told: `${pods.length} pods on ${nodes.size} nodes` };
  }

  private async kubectl(args: readonly string[]): Promise<StepSeen> {
    const { code, stdout, output } = await this.stack.kubectl(args);
    return code === 0 ? { observed: { output: stdout }, told: stdout.trim() } : failed(output);
  }

  private async agents(command: string[]): Promise<StepSeen> {
    const api = this.api();
    const agents = await api.agentPods();
    const answers = await Promise.all(
      agents.map(({ metadata }) =>
        api.run(metadata?.name ?? "", command, COMMAND_TIMEOUT).catch((error: Error) => error.message),
      ),
    );
    return { observed: { agents: agents.length, answers }, told: answers[0]?.trim() ?? "no agent" };
  }

  private async exec({ from, to, run }: Extract<Step, { do: "exec" }>): Promise<StepSeen> {
    const api = this.api();
    const pods = await api.pods(NAMESPACE);
    const pair = choosePair(podsOf(parseWorkload(from), pods), podsOf(parseWorkload(to), pods));
    if (!pair) return failed(`no pods are ${from} and ${to}`);
    let output = "";
    const keep = (text: string): void => {
      output += text;
    };
    const options = { stdout: keep, stderr: keep, timeout: COMMAND_TIMEOUT };
    await api
      .exec({ ...pair.from }, ["sh", "-c", `TO=${pair.to.ip}\nexport TO\n${run}`], options)
      .catch((error: Error) => keep(`\n${error.message}`));
    return { observed: { output }, told: output.trim() };
  }

  private async sniff({ from, to, for: text, run }: Extract<Step, { do: "sniff" }>): Promise<StepSeen> {
    const { intent } = this.stack.live();
    const options = { from, to, text, command: run, namespace: NAMESPACE, seconds: COMMAND_TIMEOUT / 1000 };
    const seen = await sniff(this.api(), intent, options);
    const decision = decide(seen);
    return { observed: { ...decision, ...seen }, told: `${decision.verdict}: ${decision.statement}` };
  }

  private api(): Kubernetes {
    const { intent, kubeconfig, context } = this.stack.live();
    return Kubernetes.open(kubeconfig, context, intent.cilium.namespace);
  }
}

function failed(output: string): StepSeen {
  return { observed: { failed: output }, told: output.trim() };
}
