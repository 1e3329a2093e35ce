// node main.ts widen|narrow|remove   reads an AdmissionOrder (JSON) from stdin
// `widen` has the admission policies let through what the order wants beside what they let through now, `narrow` the order's alone, `remove` takes their
// parameter away. Each may be cut short at any moment and run again.
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { type Problem, UserError } from "../../userError.ts";
import { ALLOWED, allowedText, PARAMETER, parameterManifest } from "./params.ts";

/** What the program is told on stdin. Nothing in it is secret. */
export interface AdmissionOrder {
  kubeconfig: string;
  context?: string;
  namespace: string;
  /** Which of the clusters that bore this name. Nobody reads it. */
  generation: string;
  /** A line of the parameter (params.ts). */
  wanted: string;
  /** The options of cilium-config that are about to come; null: absent. */
  config: Record<string, string | null>;
  /** The mode has no use for Secret cilium-ipsec-keys. */
  withoutKeys: boolean;
  /** Another one has the step run again though nothing else in the order changed. Nobody reads it. */
  repair?: string;
}

/** Milliseconds for the API server to take up a changed parameter; it takes some ten. */
const TAKEN_UP = 10_000;

const [step] = process.argv.slice(2);
try {
  const order = (await json(process.stdin)) as AdmissionOrder;
  if (step === "widen" || step === "narrow") await set(step, order);
  else if (step === "remove") kubectl(order, ["delete", "configmap", PARAMETER, "--ignore-not-found"]);
  else throw problem("Not known.", { value: step, allowed: "widen, narrow, remove" });
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function set(step: "widen" | "narrow", order: AdmissionOrder): Promise<void> {
  const text = allowedText(step, order.wanted, live(order));
  const manifest = JSON.stringify(parameterManifest(order.namespace, text));
  // By a name of its own, so that the live preflight can tell it from a hand.
  const apply = ["apply", "--server-side", "--force-conflicts", "--field-manager=wirecloak", "--filename=-"];
  kubectl(order, apply, manifest);
  await takenUp(step, order);
  // A new text for each run, so that what must follow a step can be bound to it.
  console.log(JSON.stringify({ run: randomUUID() }));
}

/** What is let through now; undefined where there is no parameter. */
function live(order: AdmissionOrder): string | undefined {
  const found = kubectl(order, ["get", "configmap", PARAMETER, "--ignore-not-found", "--output=json"]);
  if (found === "") return undefined;
  const { data } = JSON.parse(found) as { data?: Record<string, string> };
  return data?.[ALLOWED];
}

/** Waits until the API server would not refuse what the update does next: it learns of a changed parameter as everybody does, by a watch. */
async function takenUp(step: "widen" | "narrow", order: AdmissionOrder): Promise<void> {
  const patch = JSON.stringify({ data: order.config });
  const next = [["patch", "configmap", "cilium-config", "--type=merge", `--patch=${patch}`]];
  if (step === "narrow" && order.withoutKeys) next.push(["delete", "secret", "cilium-ipsec-keys"]);
  const end = performance.now() + TAKEN_UP;
  for (const args of next) {
    for (;;) {
      const { stderr } = run(order, [...args, "--dry-run=server"]);
      // What is not there yet, or what others have against it, is none of the parameter's.
      if (!stderr.includes("ValidatingAdmissionPolicy 'wirecloak-")) break;
      if (performance.now() > end)
        throw problem(`The API server goes on refusing what it was told to allow: ${stderr.trim()}`);
      await sleep(100);
    }
  }
}

function kubectl(order: AdmissionOrder, args: string[], input?: string): string {
  const { status, stdout, stderr } = run(order, args, input);
  if (status !== 0) throw problem(`The parameter of the admission policies cannot be set: ${stderr.trim()}`);
  return stdout;
}

function run({ kubeconfig, context, namespace }: AdmissionOrder, args: string[], input = "") {
  const at = [`--kubeconfig=${kubeconfig}`, `--namespace=${namespace}`, "--request-timeout=30s"];
  if (context !== undefined) at.push(`--context=${context}`);
  const result = spawnSync("kubectl", [...at, ...args], { input, encoding: "utf8", cwd: tmpdir() });
  return { ...result, stderr: result.stderr || result.error?.message || "" };
}

function problem(message: string, more: Partial<Problem> = {}): UserError {
  const fix = "pulumi up; or go without it: pulumi config set wirecloak:admission false";
  return new UserError([{ key: "wirecloak:admission", value: true, message, fix, ...more }]);
}
