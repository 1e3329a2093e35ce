import type { V1Pod } from "@kubernetes/client-node";
import { ProverError } from "../proverError.ts";

/** How a person names a workload. */
export type WorkloadName =
  | { by: "pod"; name: string }
  | { by: "deployment"; name: string }
  | { by: "labels"; labels: Record<string, string> };

/** One pod that stands for a workload. */
export interface Workload {
  namespace: string;
  pod: string;
  /** Its first container: where commands run. */
  container: string;
  node: string;
  ip: string;
  /** It has no address of its own, but its node's. */
  hostNetwork: boolean;
}

const ALLOWED = "a pod's name, pod/NAME, deployment/NAME, a label selector such as app=frontend, or `select frontend`";

/** Reads `frontend-7d4f`, `pod/NAME`, `deployment/NAME`, `app=frontend,tier=web`, and `select` before a selector or an app's name. */
export function parseWorkload(text: string): WorkloadName {
  const [, spoken, words] = /^\s*(select\s+)?(\S+)\s*$/.exec(text) ?? [];
  if (words === undefined) throw unknownWorkload(text);
  if (words.includes("=")) {
    const terms = words.split(",").map((term) => /^([\w./-]+)==?([\w.-]*)$/.exec(term));
    if (terms.includes(null)) throw unknownWorkload(text);
    return { by: "labels", labels: Object.fromEntries(terms.map((term) => [term?.[1], term?.[2]])) };
  }
  const [, kind = "", name = ""] = /^(?:(pod|deploy|deployment)s?\/)?([a-z0-9][a-z0-9.-]*)$/.exec(words) ?? [];
  if (name === "") throw unknownWorkload(text);
  if (kind.startsWith("deploy")) return { by: "deployment", name };
  return spoken !== undefined && kind === "" ? { by: "labels", labels: { app: name } } : { by: "pod", name };
}

function unknownWorkload(text: string): ProverError {
  return new ProverError("usage", `${JSON.stringify(text)} names no workload\nallowed: ${ALLOWED}`);
}

/** The workload's pods that run, by name. */
export function podsOf(name: WorkloadName, pods: readonly V1Pod[]): Workload[] {
  return pods
    .filter((pod) => isOf(name, pod))
    .flatMap((pod) => runningPod(pod) ?? [])
    .toSorted((a, b) => (a.pod < b.pod ? -1 : 1));
}

function isOf(name: WorkloadName, { metadata }: V1Pod): boolean {
  if (name.by === "pod") return metadata?.name === name.name;
  const labels = metadata?.labels ?? {};
  if (name.by === "labels") return Object.entries(name.labels).every(([key, value]) => labels[key] === value);
  // A Deployment's ReplicaSets are called by its name and the hash of the template.
  const owner = metadata?.ownerReferences?.find(({ kind }) => kind === "ReplicaSet")?.name;
  return owner !== undefined && owner === `${name.name}-${labels["pod-template-hash"]}`;
}

function runningPod({ metadata, spec, status }: V1Pod): Workload | null {
  const { namespace = "", name = "", deletionTimestamp } = metadata ?? {};
  const ready = status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
  if (!ready || deletionTimestamp !== undefined || !spec?.nodeName || !status?.podIP) return null;
  return {
    ...{ namespace, pod: name, container: spec.containers[0]?.name ?? "" },
    ...{ node: spec.nodeName, ip: status.podIP, hostNetwork: spec.hostNetwork ?? false },
  };
}

/** A sender and a receiver, on different nodes if that can be had: between them something crosses the wire. */
export function choosePair(
  senders: readonly Workload[],
  receivers: readonly Workload[],
): { from: Workload; to: Workload } | null {
  const pairs = senders.flatMap((from) => receivers.map((to) => ({ from, to })));
  const others = pairs.filter(({ from, to }) => from.pod !== to.pod || from.namespace !== to.namespace);
  return others.find(({ from, to }) => from.node !== to.node) ?? others[0] ?? null;
}
