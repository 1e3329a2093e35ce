import { isMap, type PropertyMap, type Value } from "../plugin/values.ts";
import { notReady } from "./awaiting.ts";
import type { Cluster } from "./cluster.ts";

/** The kinds whose readiness helm waits for and whose pods can tell why they are not. */
const workloads = ["DaemonSet", "Deployment", "StatefulSet"];

/** The most pods named for one workload. */
const podsNamed = 3;

/** What of a release is not ready and why, a line each: helm's own error names none of it. Empty when it cannot be read. */
export async function unreadyParts(
  cluster: Cluster,
  { name, namespace }: { readonly name: string; readonly namespace: string },
): Promise<string[]> {
  try {
    const lists = await Promise.all(workloads.map((kind) => cluster.list("apps/v1", kind, namespace)));
    const own = lists.flatMap((objects, index) =>
      objects
        .filter((object) => at(object, "metadata", "annotations", "meta.helm.sh/release-name") === name)
        // an item of a list does not say what it is
        .map((object) => ({ ...object, apiVersion: "apps/v1", kind: workloads[index] ?? "" })),
    );
    const lines = own.map(async (object) => {
      const trouble = notReady(object);
      return trouble === undefined
        ? []
        : [`${object.kind} ${text(at(object, "metadata", "name"))}: ${trouble}${await podsOf(cluster, object)}`];
    });
    return (await Promise.all(lines)).flat();
  } catch {
    return []; // what failed is told anyway
  }
}

/** The pods of a workload that are not ready, with their nodes and reasons. */
async function podsOf(cluster: Cluster, object: PropertyMap): Promise<string> {
  const labels = at(object, "spec", "selector", "matchLabels");
  if (!isMap(labels)) {
    return "";
  }
  const selector = Object.entries(labels).map(([key, value]) => `${key}=${text(value)}`);
  const pods = await cluster.list("v1", "Pod", text(at(object, "metadata", "namespace")), selector.join(","));
  const unready = pods
    .map((pod) => ({ pod, trouble: notReady({ ...pod, apiVersion: "v1", kind: "Pod" }) }))
    .filter(({ trouble }) => trouble !== undefined);
  const told = unready.slice(0, podsNamed).map(({ pod, trouble }) => {
    const node = at(pod, "spec", "nodeName");
    const where = node === undefined ? "no node" : `node ${text(node)}`;
    return `pod ${text(at(pod, "metadata", "name"))} on ${where}: ${waitingReason(pod) ?? trouble}`;
  });
  const more = unready.length > podsNamed ? [`and ${unready.length - podsNamed} more`] : [];
  return told.length === 0 ? "" : ` (${[...told, ...more].join("; ")})`;
}

/** What a container of the pod waits for, such as `ImagePullBackOff`. */
function waitingReason(pod: PropertyMap): string | undefined {
  const statuses = [at(pod, "status", "initContainerStatuses"), at(pod, "status", "containerStatuses")]
    .flatMap((list) => (Array.isArray(list) ? list : []))
    .filter(isMap);
  for (const status of statuses) {
    const waiting = at(status, "state", "waiting");
    if (isMap(waiting) && waiting.reason !== "PodInitializing") {
      return [waiting.reason, waiting.message]
        .filter((part) => part !== undefined)
        .map(text)
        .join(": ");
    }
  }
  return undefined;
}

function at(map: PropertyMap, ...path: readonly string[]): Value | undefined {
  return path.reduce<Value | undefined>((value, key) => (isMap(value) ? value[key] : undefined), map);
}

function text(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}
