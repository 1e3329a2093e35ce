import type { Configuration, KubeConfig, RequestContext } from "@kubernetes/client-node";
import { kubernetesClient } from "../../../tools/kubernetesClient.ts";
import { RequestError } from "../plugin/provider.ts";
import type { PropertyMap } from "../plugin/values.ts";
import { kubeconfigFile } from "./kubeconfig.ts";

/** Milliseconds until a request without an answer counts as failed. */
const requestTimeout = 60_000;

export interface Request {
  readonly method: "GET" | "PATCH" | "DELETE";
  /** Path below the server's address, every part escaped. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: PropertyMap;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly body: PropertyMap;
  /** What the API server warns of, as kubectl shows it. */
  readonly warnings: readonly string[];
}

/** What discovery tells of a kind. */
export interface Kind {
  /** The plural, as it stands in paths. */
  readonly name: string;
  readonly namespaced: boolean;
}

/**
 * One cluster's API by the official JavaScript client: its kubeconfig, credentials, proxies and transport. Bodies are
 * JSON as they are: the client's own models leave out fields that they do not know and rename some.
 */
export class Api {
  /** The namespace of the context. */
  readonly namespace: string | undefined;
  readonly #configuration: Configuration;
  readonly #server: string;
  #pool: ReturnType<RequestContext["getDispatcher"]>;
  readonly #kinds = new Map<string, Promise<ReadonlyMap<string, Kind>>>();

  private constructor(config: KubeConfig, server: string) {
    this.#server = server;
    this.namespace = config.getContextObject(config.getCurrentContext())?.namespace;
    this.#configuration = config.makeApiClient(Holder).configuration;
  }

  /** Throws a `RequestError` for a kubeconfig that cannot be used. */
  static async open(kubeconfig: string | undefined, context: string | undefined): Promise<Api> {
    // Late, since some requests do without.
    const { KubeConfig } = await kubernetesClient();
    const config = new KubeConfig();
    const file = kubeconfig === undefined ? undefined : kubeconfigFile(kubeconfig);
    try {
      if (kubeconfig === undefined) config.loadFromDefault();
      else if (file === undefined) config.loadFromString(kubeconfig);
      else config.loadFromFile(file);
    } catch (error) {
      const [reason = ""] = (error as Error).message.split("\n"); // the lines after it may quote credentials
      throw new RequestError(`the kubeconfig cannot be read: ${reason}`);
    }
    if (context !== undefined) {
      config.setCurrentContext(context);
    }
    const current = config.getCurrentContext();
    const server = config.getContextObject(current) && config.getCurrentCluster()?.server;
    if (!server) {
      throw new RequestError(`the kubeconfig has no cluster for the context ${JSON.stringify(current ?? "")}`);
    }
    return new Api(config, server);
  }

  /** Throws an `ApiError` for every answer but success. */
  async request({ method, path, query = {}, body, signal }: Request): Promise<Answer> {
    const { baseServer, authMethods, httpApi } = this.#configuration;
    try {
      const context = baseServer.makeRequestContext(path, method);
      context.setHeaderParam("Accept", "application/json");
      for (const [name, value] of Object.entries(query)) {
        context.setQueryParam(name, value);
      }
      if (body !== undefined) {
        context.setHeaderParam(
          "Content-Type",
          method === "PATCH" ? "application/apply-patch+yaml" : "application/json",
        );
        context.setBody(JSON.stringify(body)); // JSON is YAML
      }
      const timeout = AbortSignal.timeout(requestTimeout);
      context.setSignal(signal === undefined ? timeout : AbortSignal.any([signal, timeout]));
      await authMethods.default?.applySecurityAuthentication(context);
      // The client makes a pool of connections for each request, and so a TLS handshake.
      this.#pool ??= context.getDispatcher();
      if (this.#pool) context.setDispatcher(this.#pool);
      const response = await httpApi.send(context).toPromise();
      const text = await response.body.text();
      if (response.httpStatusCode >= 300) {
        throw new ApiError(response.httpStatusCode, statusMessage(text) ?? `HTTP ${response.httpStatusCode}`);
      }
      return { body: JSON.parse(text) as PropertyMap, warnings: warningsIn(response.headers.warning) };
    } catch (error) {
      throw error instanceof ApiError ? error : new ApiError(0, `${this.#server} does not answer: ${reasonOf(error)}`);
    }
  }

  /** What the server knows of a kind; `undefined` when nothing, or nothing yet. */
  async kind(apiVersion: string, kind: string): Promise<Kind | undefined> {
    const before = await this.#kinds.get(apiVersion);
    if (before?.has(kind)) {
      return before.get(kind);
    }
    const found = this.#discover(apiVersion); // again each time: a CustomResourceDefinition may be there by now
    this.#kinds.set(apiVersion, found);
    found.catch(() => this.#kinds.delete(apiVersion));
    return (await found).get(kind);
  }

  async #discover(apiVersion: string): Promise<ReadonlyMap<string, Kind>> {
    try {
      const { body } = await this.request({ method: "GET", path: groupPath(apiVersion) });
      const resources = body.resources as unknown as readonly (Kind & { kind: string })[];
      const own = resources.filter(({ name }) => !name.includes("/")); // the others are subresources
      return new Map(own.map(({ kind, name, namespaced }) => [kind, { name, namespaced }]));
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) {
        return new Map();
      }
      throw error;
    }
  }
}

/** `/api/v1` or `/apis/<group>/<version>`. */
export function groupPath(apiVersion: string): string {
  return `/${apiVersion.includes("/") ? "apis" : "api"}/${apiVersion}`;
}

/** An answer of the API server that is no success, or none at all. */
export class ApiError extends RequestError {
  /** HTTP status; 0 when the server did not answer. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Takes what the client makes for each of its own groups of calls. */
class Holder {
  readonly configuration: Configuration;

  constructor(configuration: Configuration) {
    this.configuration = configuration;
  }
}

/** The message of a Kubernetes Status document. */
function statusMessage(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { message?: string }).message;
  } catch {
    return text.trim() || undefined;
  }
}

/** The texts in a Warning header: `299 - "unknown field \"spec.x\""`, several with commas between (RFC 9111, 5.5). */
function warningsIn(header: string | undefined): string[] {
  return [...(header ?? "").matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) =>
    text.replace(/\\(.)/g, "$1"),
  );
}

/** fetch's errors say only that it failed; the cause is one level deeper, and lists one error an address. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  const inner = cause instanceof AggregateError ? cause.errors[0] : cause;
  return inner instanceof Error && inner.message !== "" ? inner.message : message;
}
