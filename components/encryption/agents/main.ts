// node main.ts KUBECONFIG SECONDS [CONTEXT]   reads the prover's Intent (JSON) from stdin, prints {"agreed", "restarted"} as one line
// Waits until every agent is on the new configuration and all agree, and restarts them once more where they do not. Ends with 0 also where they do not agree:
// the proof that follows says so, with its evidence. 2 and 3 as the prover's.
import { tmpdir } from "node:os";
import { Kubernetes } from "../../../prover/kubernetes.ts";
import { endedBy, ProverError } from "../../../prover/proverError.ts";
import { intentFrom } from "../../../prover/run.ts";
import { verify } from "../../../prover/verify.ts";
import { note } from "../../../prover/watch/journal.ts";
import { runCommand } from "../../../tools/command.ts";
import { agree } from "./agree.ts";

const [kubeconfig = "", seconds = "", context] = process.argv.slice(2);
const tell = (line: string): void => console.error(line);

try {
  const intent = await intentFrom("-");
  const { namespace } = intent.cilium;
  const api = Kubernetes.open(kubeconfig, context, namespace);
  const at = [`--kubeconfig=${kubeconfig}`, ...(context === undefined ? [] : [`--context=${context}`])];
  const restart = async (): Promise<void> => {
    const args = [...at, "--namespace", namespace, "rollout", "restart", "daemonset/cilium"];
    const { code, stderr } = await runCommand("kubectl", args, { cwd: tmpdir(), env: process.env, timeoutMs: 30_000 });
    if (code !== 0) throw new ProverError("unanswered", `the agents cannot be restarted: ${stderr.trim()}`);
  };
  const look = (wait: number) => verify(intent, api, { wait, progress: tell });
  const said = await agree({ look, restart, tell, now: () => performance.now() / 1000 }, Number(seconds));
  if (said.agreed) note(process.env.WATCH, "agents agree");
  await new Promise((resolve) => process.stdout.write(`${JSON.stringify(said)}\n`, resolve));
  // Connections to agents that do not answer would keep the process.
  process.exit(0);
} catch (error) {
  process.exit(endedBy(error));
}
