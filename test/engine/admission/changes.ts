import type { Change } from "./kubectlProxy.ts";

/** Changes of what the admission policies look at, in the words of the tables. */

const PATHS = {
  configmaps: "/api/v1/namespaces/kube-system/configmaps",
  secrets: "/api/v1/namespaces/kube-system/secrets",
  daemonsets: "/apis/apps/v1/namespaces/kube-system/daemonsets",
  ciliumnodeconfigs: "/apis/cilium.io/v2/namespaces/kube-system/ciliumnodeconfigs",
} as const;

export type Kind = keyof typeof PATHS;

/** An object of one of the kinds, without what the kind says of itself. */
export type Content = { metadata: { name: string; [key: string]: unknown } } & Record<string, unknown>;

export function create(kind: Kind, body: Content): Change {
  return { method: "POST", path: PATHS[kind], body };
}

export function patch(kind: Kind, name: string, body: object): Change {
  return { method: "PATCH", path: `${PATHS[kind]}/${name}`, body };
}

export function remove(kind: Kind, name: string): Change {
  return { method: "DELETE", path: `${PATHS[kind]}/${name}` };
}

export function removeAll(kind: Kind): Change {
  return { method: "DELETE", path: PATHS[kind] };
}

/** Options of cilium-config; null takes one away. */
export function config(data: Record<string, string | null>, annotations: Record<string, string> = {}): Change {
  return patch("configmaps", "cilium-config", { metadata: { annotations }, data });
}

export function nodeConfig(defaults: Record<string, string>, annotations: Record<string, string> = {}): Change {
  const kind = { apiVersion: "cilium.io/v2", kind: "CiliumNodeConfig" };
  return create("ciliumnodeconfigs", { ...kind, metadata: { name: "some-nodes", annotations }, spec: { defaults } });
}

export function keys(line: string, annotations: Record<string, string> = {}): Change {
  const data = { keys: Buffer.from(line).toString("base64") };
  return patch("secrets", "cilium-ipsec-keys", { metadata: { annotations }, data });
}

interface Container {
  name: string;
  image?: string;
  command?: string[];
  args?: string[];
  env?: object[];
}

/** The DaemonSet as the chart makes it, and what is otherwise about its agent. */
export function daemonSet(
  agent: Partial<Container> = {},
  more: {
    name?: string;
    initContainers?: Container[];
    others?: Container[];
    annotations?: Record<string, string>;
  } = {},
): Content {
  const { name = "cilium", initContainers = [], others = [], annotations = {} } = more;
  const labels = { "k8s-app": "cilium" };
  const image = "quay.io/cilium/cilium:v1.20.2";
  const { args = [], env = [], ...rest } = agent;
  const own = {
    ...{ name: "cilium-agent", image, command: ["cilium-agent"], ...rest },
    args: ["--config-dir=/tmp/cilium/config-map", ...args],
    env: [{ name: "K8S_NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }, ...env],
  };
  const init = { name: "config", image, command: ["cilium-dbg", "build-config"] };
  return {
    metadata: { name, annotations },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          initContainers: [init, ...initContainers.map((each) => ({ image, ...each }))],
          containers: [own, ...others.map((each) => ({ image, ...each }))],
        },
      },
    },
  };
}

/** The agent's DaemonSet with another command line or environment. */
export function agent(...change: Parameters<typeof daemonSet>): Change {
  const { metadata, spec } = daemonSet(...change);
  return patch("daemonsets", "cilium", { metadata, spec });
}

/** The day so many days from now, YYYY-MM-DD. */
export const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** Annotations that let something through. */
export function breakGlass(until: string, reason = "the tunnel to the other site is down"): Record<string, string> {
  return { "wirecloak.io/plaintext-until": until, "wirecloak.io/plaintext-reason": reason };
}

/** The CustomResourceDefinition that Cilium's operator installs, as far as it matters here. */
export const nodeConfigDefinition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "ciliumnodeconfigs.cilium.io" },
  spec: {
    group: "cilium.io",
    scope: "Namespaced",
    names: { plural: "ciliumnodeconfigs", singular: "ciliumnodeconfig", kind: "CiliumNodeConfig" },
    versions: ["v2", "v2alpha1"].map((name) => ({
      ...{ name, served: true, storage: name === "v2" },
      schema: {
        openAPIV3Schema: {
          type: "object",
          properties: {
            spec: {
              type: "object",
              properties: { defaults: { type: "object", additionalProperties: { type: "string" } } },
            },
          },
        },
      },
    })),
  },
};
