import { Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type {
  AdmissionregistrationV1Api,
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  RequestContext,
  V1ConfigMap,
  V1ControllerRevision,
  V1DaemonSet,
  V1Namespace,
  V1Node,
  V1Pod,
  V1Secret,
  V1Status,
} from "@kubernetes/client-node";
import { kubernetesClient } from "../tools/kubernetesClient.ts";
import {
  type AdmissionApi,
  type AdmissionObject,
  type CiliumNode,
  type CiliumNodeConfig,
  type ClusterApi,
  CommandError,
  type ContainerName,
  type ExecOptions,
  type ProbeApi,
  RefusedError,
} from "./clusterApi.ts";
import { ProverError } from "./proverError.ts";

const client = await kubernetesClient();

/** Items a page of a list: big enough for few requests, small enough for the API server's and our memory. */
const PAGE = 500;

/** Characters of what a failed command said last that are kept for the reason. */
const SAID = 2_000;

/** Agents of the chart. */
const AGENTS = "k8s-app=cilium";

/** Thin reads of one cluster, and its probe pods, through the official client. */
export class Kubernetes implements ClusterApi, AdmissionApi, ProbeApi {
  requests = 0;
  private readonly namespace: string;
  private readonly config: KubeConfig;
  private readonly core: CoreV1Api;
  private readonly apps: AppsV1Api;
  private readonly custom: CustomObjectsApi;
  private readonly admission: AdmissionregistrationV1Api;

  private constructor(config: KubeConfig, namespace: string) {
    this.config = config;
    this.namespace = namespace;
    this.core = config.makeApiClient(client.CoreV1Api);
    this.apps = config.makeApiClient(client.AppsV1Api);
    this.custom = config.makeApiClient(client.CustomObjectsApi);
    this.admission = config.makeApiClient(client.AdmissionregistrationV1Api);
  }

  /** The cluster of that kubeconfig and context (absent: the file's current one), never the ambient one. `namespace` is Cilium's. */
  static open(kubeconfig: string, context: string | undefined, namespace: string): Kubernetes {
    const config = new KeptConnections();
    try {
      config.loadFromFile(kubeconfig);
    } catch (error) {
      throw new ProverError("usage", `the kubeconfig ${kubeconfig} cannot be read: ${(error as Error).message}`);
    }
    // The file's current context may be missing, whatever the client's types say.
    const name: string | undefined = context ?? config.getCurrentContext();
    if (!name || !config.getContextObject(name)) {
      const known = config.getContexts().map((each) => each.name);
      const lacks = name ? `no context ${JSON.stringify(name)}` : "no current context";
      throw new ProverError(
        "usage",
        `the kubeconfig ${kubeconfig} has ${lacks}\nallowed: ${known.join(", ") || "none; it has no context at all"}`,
      );
    }
    config.setCurrentContext(name);
    if (!config.getCurrentCluster()) {
      throw new ProverError(
        "usage",
        `context ${name} of the kubeconfig ${kubeconfig} names a cluster that the file does not have`,
      );
    }
    return new Kubernetes(config, namespace);
  }

  configMap(name: string): Promise<V1ConfigMap | null> {
    const { namespace } = this;
    return this.ask(`get configmap ${name}`, () => this.core.readNamespacedConfigMap({ namespace, name }));
  }

  daemonSet(name: string): Promise<V1DaemonSet | null> {
    const { namespace } = this;
    return this.ask(`get daemonset ${name}`, () => this.apps.readNamespacedDaemonSet({ namespace, name }));
  }

  /** Of all namespaces. Throws a RefusedError where they may not be listed. */
  daemonSets(): Promise<V1DaemonSet[]> {
    return orRefused(this.list("list daemonsets", (page) => this.apps.listDaemonSetForAllNamespaces(page)));
  }

  async admissionObjects(): Promise<AdmissionObject[]> {
    const [policies, bindings] = await Promise.all([
      orRefused(
        this.list("list validatingadmissionpolicies", (page) => this.admission.listValidatingAdmissionPolicy(page)),
      ),
      orRefused(
        this.list("list validatingadmissionpolicybindings", (page) =>
          this.admission.listValidatingAdmissionPolicyBinding(page),
        ),
      ),
    ]);
    // An item of a list does not say what it is.
    return [
      ...policies.map(
        ({ metadata }) => ({ kind: "ValidatingAdmissionPolicy", ...(metadata && { metadata }) }) as const,
      ),
      ...bindings.map(
        ({ metadata }) => ({ kind: "ValidatingAdmissionPolicyBinding", ...(metadata && { metadata }) }) as const,
      ),
    ];
  }

  agentRevisions(): Promise<V1ControllerRevision[]> {
    const { namespace } = this;
    return this.list("list controllerrevisions", (page) =>
      this.apps.listNamespacedControllerRevision({ namespace, labelSelector: AGENTS, ...page }),
    );
  }

  agentPods(): Promise<V1Pod[]> {
    const { namespace } = this;
    return this.list("list pods", (page) => this.core.listNamespacedPod({ namespace, labelSelector: AGENTS, ...page }));
  }

  nodes(): Promise<V1Node[]> {
    return this.list("list nodes", (page) => this.core.listNode(page));
  }

  ciliumNodes(): Promise<CiliumNode[]> {
    return this.list("list ciliumnodes", (page) =>
      this.custom.listClusterCustomObject({ group: "cilium.io", version: "v2", plural: "ciliumnodes", ...page }),
    );
  }

  ciliumNodeConfigs(): Promise<CiliumNodeConfig[]> {
    const { namespace } = this;
    const kind = { group: "cilium.io", version: "v2", plural: "ciliumnodeconfigs" };
    return orRefused(
      this.list("list ciliumnodeconfigs", (page) =>
        this.custom.listNamespacedCustomObject({ ...kind, namespace, ...page }),
      ),
    );
  }

  secret(name: string): Promise<V1Secret | null> {
    const { namespace } = this;
    return orRefused(this.ask(`get secret ${name}`, () => this.core.readNamespacedSecret({ namespace, name })));
  }

  async run(pod: string, command: string[], timeout: number): Promise<string> {
    let output = "";
    const where = { namespace: this.namespace, pod, container: "cilium-agent" };
    const stdout = (text: string): void => {
      output += text;
    };
    await this.exec(where, command, { stdout, timeout });
    return output;
  }

  namespaces(labelSelector: string): Promise<V1Namespace[]> {
    return orRefused(this.list("list namespaces", (page) => this.core.listNamespace({ labelSelector, ...page })));
  }

  async createNamespace(body: V1Namespace): Promise<void> {
    await orRefused(this.ask(`create namespace ${body.metadata?.name}`, () => this.core.createNamespace({ body })));
  }

  async deleteNamespace(name: string): Promise<void> {
    await orRefused(this.ask(`delete namespace ${name}`, () => this.core.deleteNamespace({ name })));
  }

  async createPod(namespace: string, body: V1Pod): Promise<void> {
    const made = await orRefused(
      this.ask(`create pod ${body.metadata?.name}`, () => this.core.createNamespacedPod({ namespace, body })),
    );
    if (!made) throw new RefusedError(404, `there is no namespace ${namespace} any more`);
  }

  pods(namespace: string): Promise<V1Pod[]> {
    return orRefused(this.list("list pods", (page) => this.core.listNamespacedPod({ namespace, ...page })));
  }

  async exec({ namespace, pod, container }: ContainerName, command: string[], options: ExecOptions): Promise<void> {
    this.requests++;
    const { timeout, signal } = options;
    let said = "";
    const stdout = new Passed((text) => options.stdout?.(text));
    const stderr = new Passed((text) => {
      said = (said + text).slice(-SAID);
      options.stderr?.(text);
    });
    let socket: { close(): void } | undefined;
    let over = false;
    let timer: NodeJS.Timeout | undefined;
    let stop: (() => void) | undefined;
    const ended = new Promise<V1Status>((resolve, reject) => {
      timer = setTimeout(() => reject(new CommandError(`did not answer within ${timeout / 1000} s`)), timeout);
      stop = () => reject(new CommandError("was not waited for any longer"));
      signal?.addEventListener("abort", stop);
      if (signal?.aborted) stop();
      new client.Exec(this.config)
        .exec(namespace, pod, container, command, stdout, stderr, null, false, resolve)
        .then((opened) => {
          socket = opened;
          opened.onclose = () => reject(new CommandError("closed the connection without an exit status"));
          // Nobody waits for one that opens too late.
          if (over) opened.close();
        })
        .catch((error: unknown) => reject(new CommandError(`could not be reached: ${causeOf(error)}`)));
    });
    try {
      const status = await ended;
      if (status.status !== "Success")
        throw new CommandError(`failed: ${said.trim() || status.message || "no reason given"}`);
    } finally {
      over = true;
      clearTimeout(timer);
      if (stop) signal?.removeEventListener("abort", stop);
      socket?.close();
    }
  }

  private async list<T>(
    what: string,
    page: (options: {
      limit: number;
      _continue?: string;
    }) => Promise<{ items: T[]; metadata?: { _continue?: string; continue?: string } }>,
  ): Promise<T[]> {
    const items: T[] = [];
    let next: string | undefined;
    do {
      const options = { limit: PAGE, ...(next ? { _continue: next } : {}) };
      const answer = await this.ask(what, () => page(options));
      items.push(...(answer?.items ?? []));
      // Typed lists have `_continue`, untyped ones (custom resources) the API's own `continue`.
      next = answer?.metadata?._continue ?? answer?.metadata?.continue;
    } while (next);
    return items;
  }

  /** Null where the API server answers that there is no such thing. */
  private async ask<T>(what: string, request: () => Promise<T>): Promise<T | null> {
    this.requests++;
    try {
      return await request();
    } catch (error) {
      if (error instanceof client.ApiException && error.code === 404) return null;
      const message = `${this.config.getCurrentCluster()?.server}: cannot ${what}: ${causeOf(error)}`;
      throw new ProverError("unanswered", message, { cause: error });
    }
  }
}

/**
 * A kubeconfig whose requests share their connections. The client (2.0.1, config.js, createDispatcher) makes a pool of connections for each request, and so a TLS
 * handshake, which costs both sides more than all else of it.
 */
class KeptConnections extends client.KubeConfig {
  private pool: ReturnType<RequestContext["getDispatcher"]>;

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context);
    this.pool ??= context.getDispatcher();
    if (this.pool) context.setDispatcher(this.pool);
  }
}

/** A refusal by the API server as such, for those who can go on without. */
async function orRefused<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    const { cause, message } = error as ProverError;
    // 401 is about all that could be asked.
    if (cause instanceof client.ApiException && cause.code !== 401) throw new RefusedError(cause.code, message);
    throw error;
  }
}

/** Passes on what a command prints, as it comes. */
class Passed extends Writable {
  private readonly decoder = new StringDecoder("utf8");
  private readonly text: (text: string) => void;

  constructor(text: (text: string) => void) {
    super();
    this.text = text;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text(this.decoder.write(chunk));
    done();
  }
}

/** The cause of a failed request in the words of who knows it best: the API server, TLS, the network. */
function causeOf(error: unknown): string {
  if (error instanceof client.ApiException) {
    // The client gives this one no body.
    if (error.code === 401) return "401: the credentials in the kubeconfig are refused";
    return `${error.code}: ${apiMessage(error.body)}`;
  }
  if (!(error instanceof Error)) {
    // The WebSocket library rejects with an event.
    return (error as { message?: string }).message ?? String(error);
  }
  return error.cause instanceof Error
    ? causeOf(error.cause)
    : error.message || String((error as NodeJS.ErrnoException).code);
}

function apiMessage(body: unknown): string {
  try {
    const { message } = JSON.parse(String(body)) as { message?: string };
    return message ?? String(body);
  } catch {
    return String(body);
  }
}
