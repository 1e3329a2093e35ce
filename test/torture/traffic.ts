import { setTimeout as sleep } from "node:timers/promises";
import type { EngineStack } from "../engine/engineStack.ts";

const NAMESPACE = "torture";
const PORT = 7000;

/** Seconds until the pods must run. */
const PATIENCE = 60;

/** From each node's sender to the pods of all other nodes, 20 times a second each, until the cluster ends: without streams from outside, which end with an API server. */
const SEND = `exec 9<> <(:)
while :; do for ip in "$@"; do echo torture > /dev/udp/$ip/${PORT}; done; read -t 0.05 -u 9; done 2>/dev/null`;

/** Puts pods on every node that send to each other whatever becomes of agents, updates and API servers. */
export async function startTraffic(stack: EngineStack): Promise<void> {
  const nodes = stack.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").output.split(" ");
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
  const sink = (node: string, index: number) =>
    pod(`sink-${index}`, node, ["socat", "-u", `UDP4-RECV:${PORT}`, "/dev/null"]);
  apply(stack, [namespace, ...nodes.map(sink)]);
  const sinks = await addresses(stack, nodes.length);
  const sender = (node: string, index: number) => {
    const others = sinks.filter(([name]) => name !== `sink-${index}`).map(([, ip]) => ip);
    return pod(`sender-${index}`, node, ["bash", "-c", SEND, "sender", ...others]);
  };
  apply(stack, nodes.map(sender));
  await addresses(stack, 2 * nodes.length);
}

function pod(name: string, nodeName: string, command: string[]) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      nodeName,
      tolerations: [{ operator: "Exists" }],
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "main", image: "torture", command }],
    },
  };
}

function apply(stack: EngineStack, items: object[]): void {
  const file = stack.file("traffic.json", { apiVersion: "v1", kind: "List", items });
  const { code, output } = stack.kubectl("apply", "-f", file);
  if (code !== 0) throw new Error(`no traffic: ${output}`);
}

/** Names and addresses of the pods, once all run. */
async function addresses(stack: EngineStack, wanted: number): Promise<[string, string][]> {
  const limit = Date.now() + PATIENCE * 1000;
  for (;;) {
    const form = 'jsonpath={range .items[?(@.status.phase=="Running")]}{.metadata.name} {.status.podIP}{"\\n"}{end}';
    const { output } = stack.kubectl("-n", NAMESPACE, "get", "pods", "-o", form);
    const found = output
      .trim()
      .split("\n")
      .map((line) => line.split(" ") as [string, string]);
    if (found.length === wanted && found.every(([, ip]) => ip)) return found;
    if (Date.now() > limit) throw new Error(`pods for traffic do not run:\n${output}`);
    await sleep(300);
  }
}
