// node admission.ts KUBECONFIG   prints, as JSON, the median milliseconds of a dry-run write of cilium-config, which the admission policies judge, and of a
// copy of it under another name, which none is asked about. The two take turns.
import { execFileSync } from "node:child_process";
import { type Change, KubectlProxy } from "../engine/admission/kubectlProxy.ts";

const ROUNDS = 200;
const [kubeconfig = ""] = process.argv.slice(2);
const kubectl = (args: string[], input?: string): string =>
  execFileSync("kubectl", ["--kubeconfig", kubeconfig, "--namespace", "kube-system", ...args], {
    encoding: "utf8",
    input,
  });

const { data } = JSON.parse(kubectl(["get", "configmap", "cilium-config", "--output=json"])) as { data: object };
const copy = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "cilium-config-copy" }, data };
kubectl(["create", "--filename=-"], JSON.stringify(copy));
const api = await KubectlProxy.start(kubeconfig);

const times = { judged: [] as number[], copy: [] as number[] };
for (let round = 0; round < ROUNDS; round++) {
  times.judged.push(await milliseconds("cilium-config"));
  times.copy.push(await milliseconds("cilium-config-copy"));
}
api.stop();
kubectl(["delete", "configmap", "cilium-config-copy"]);
console.log(JSON.stringify({ judged: median(times.judged), copy: median(times.copy) }));

async function milliseconds(name: string): Promise<number> {
  const path = `/api/v1/namespaces/kube-system/configmaps/${name}`;
  const change: Change = { method: "PATCH", path, body: { metadata: { labels: { bench: "admission" } } } };
  const start = performance.now();
  const { code, message } = await api.dryRun(change);
  if (code !== 200) throw new Error(message);
  return performance.now() - start;
}

function median(all: number[]): number {
  return all.toSorted((a, b) => a - b)[all.length / 2] ?? 0;
}
