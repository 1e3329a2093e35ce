import type { V1ConfigMap, V1ControllerRevision, V1DaemonSet, V1Node, V1Pod } from "@kubernetes/client-node";

/** The part of a cilium.io/v2 CiliumNode that is read. */
export interface CiliumNode {
  metadata: { name: string; annotations?: Record<string, string> };
  spec?: { bootid?: string; encryption?: { key?: number }; ipam?: { podCIDRs?: string[] } };
}

/** A command in a pod that ended badly, or whose pod could not be reached. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** What is asked of a cluster. Every method throws a ProverError where the Kubernetes API cannot be asked. */
export interface ClusterApi {
  /** API requests so far: pages and commands each count as one. */
  readonly requests: number;
  /** Null where there is none. */
  configMap(name: string): Promise<V1ConfigMap | null>;
  /** Null where there is none. */
  daemonSet(name: string): Promise<V1DaemonSet | null>;
  agentRevisions(): Promise<V1ControllerRevision[]>;
  agentPods(): Promise<V1Pod[]>;
  nodes(): Promise<V1Node[]>;
  /** Empty where Cilium's resource types are not there yet. */
  ciliumNodes(): Promise<CiliumNode[]>;
  /** Standard output of a command in an agent's container. Throws a CommandError where it fails or takes longer than `timeout` ms. */
  run(pod: string, command: string[], timeout: number): Promise<string>;
}
