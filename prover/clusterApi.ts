import type {
  V1ConfigMap,
  V1ControllerRevision,
  V1DaemonSet,
  V1Namespace,
  V1Node,
  V1Pod,
  V1Secret,
} from "@kubernetes/client-node";

/** Who wrote which fields of an object, and when; a time is a text where the client knows no type of the object. */
export interface ManagedFields {
  manager?: string;
  operation?: string;
  time?: Date | string;
  fieldsV1?: object;
}

/** The part of a cilium.io/v2 CiliumNodeConfig that is read: options that override cilium-config on the nodes that it selects. */
export interface CiliumNodeConfig {
  metadata: {
    name: string;
    namespace?: string;
    annotations?: Record<string, string>;
    managedFields?: ManagedFields[];
  };
  spec?: { defaults?: Record<string, string>; nodeSelector?: object };
}

/** The part of a cilium.io/v2 CiliumNode that is read. */
export interface CiliumNode {
  metadata: { name: string; annotations?: Record<string, string>; managedFields?: ManagedFields[] };
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
  /** Those of Cilium's namespace; empty where the type is not there. Throws a RefusedError where they may not be listed. */
  ciliumNodeConfigs(): Promise<CiliumNodeConfig[]>;
  /** Null where there is none. Throws a RefusedError where it may not be read. */
  secret(name: string): Promise<V1Secret | null>;
  /** Standard output of a command in an agent's container. Throws a CommandError where it fails or takes longer than `timeout` ms. */
  run(pod: string, command: string[], timeout: number): Promise<string>;
}

/** What is read of a ValidatingAdmissionPolicy, or of its binding. */
export interface AdmissionObject {
  kind: "ValidatingAdmissionPolicy" | "ValidatingAdmissionPolicyBinding";
  metadata?: { name?: string; uid?: string; generation?: number; managedFields?: ManagedFields[] };
}

/** What is asked about admission. */
export interface AdmissionApi {
  /** All policies and bindings; empty where the API server knows none (Kubernetes before 1.30). Throws a RefusedError where they may not be listed. */
  admissionObjects(): Promise<AdmissionObject[]>;
}

/** The Kubernetes API answered, and refused. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  /** HTTP status. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Where a command runs. */
export interface ContainerName {
  namespace: string;
  pod: string;
  container: string;
}

export interface ExecOptions {
  /** Gets standard output as it comes, cut anywhere. */
  stdout?: (text: string) => void;
  stderr?: (text: string) => void;
  /** Milliseconds that it may take. */
  timeout: number;
  /** Closes the connection; the command may live on. */
  signal?: AbortSignal;
}

/** What the probes of the wire ask of a cluster. Every method throws a RefusedError where the API says no, and a ProverError where it cannot be asked. */
export interface ProbeApi {
  /** API requests so far. */
  readonly requests: number;
  namespaces(labelSelector: string): Promise<V1Namespace[]>;
  createNamespace(manifest: V1Namespace): Promise<void>;
  /** Does not wait until it is gone; one that is not there is gone already. */
  deleteNamespace(name: string): Promise<void>;
  createPod(namespace: string, manifest: V1Pod): Promise<void>;
  pods(namespace: string): Promise<V1Pod[]>;
  /** Throws a CommandError where the command fails, cannot be started or takes longer. */
  exec(where: ContainerName, command: string[], options: ExecOptions): Promise<void>;
}
