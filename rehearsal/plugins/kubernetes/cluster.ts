import type { KubeConfig, KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import { RequestError } from "../plugin/provider.ts";

export interface ClusterSettings {
  /** Contents or path. */
  kubeconfig: string;
  context: string | undefined;
  /** Change a Secret's data in place instead of replacing it. */
  secretMutable: boolean;
  configMapMutable: boolean;
  /** Let a create take over an object that exists. */
  upsert: boolean;
  /** Take an object as deleted where the cluster does not answer. */
  deleteUnreachable: boolean;
}

/** The field manager of everything that is applied here. */
const FIELD_MANAGER = "pulumi-kubernetes";

/** One cluster's API, through the official JavaScript client. */
export class Cluster {
  readonly settings: ClusterSettings;
  private loaded: Promise<{ config: KubeConfig; objects: KubernetesObjectApi }> | undefined;

  constructor(settings: ClusterSettings) {
    this.settings = settings;
  }

  /** Reads an object; undefined where it is not there. */
  async read(object: Named): Promise<KubernetesObject | undefined> {
    return this.absentAs(undefined, async ({ objects }) => objects.read(object));
  }

  /** Server-side apply; fields of other managers that are in the way are taken over. */
  async apply(object: Named): Promise<KubernetesObject> {
    return this.ask(async ({ objects }) =>
      objects.patch(object, undefined, undefined, FIELD_MANAGER, true, "application/apply-patch+yaml"),
    );
  }

  /** Deletes an object and what depends on it; one that is gone is fine. */
  async delete(object: Named): Promise<void> {
    await this.absentAs(undefined, async ({ objects }) => {
      await objects.delete(object, undefined, undefined, undefined, undefined, "Background");
    });
  }

  /** All objects of a kind in a namespace. */
  async list(apiVersion: string, kind: string, namespace: string): Promise<KubernetesObject[]> {
    return (await this.ask(async ({ objects }) => objects.list(apiVersion, kind, namespace))).items;
  }

  /** The kubeconfig as text, with the context in place. */
  async kubeconfigText(): Promise<string> {
    return (await this.load()).config.exportConfig();
  }

  private async absentAs<T>(absent: T, request: (api: Api) => Promise<T>): Promise<T> {
    try {
      return await this.ask(request);
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return absent;
      throw error;
    }
  }

  private async ask<T>(request: (api: Api) => Promise<T>): Promise<T> {
    const api = await this.load();
    try {
      return await request(api);
    } catch (error) {
      throw ApiError.of(error, api.config.getCurrentCluster()?.server ?? "the cluster");
    }
  }

  private load(): Promise<Api> {
    this.loaded ??= this.open();
    return this.loaded;
  }

  private async open(): Promise<Api> {
    // Late, since it takes most of a second and a preview often needs none of it.
    const { KubeConfig, KubernetesObjectApi } = await import("@kubernetes/client-node");
    const config = new KubeConfig();
    const { kubeconfig, context } = this.settings;
    try {
      if (/\n|^\s*\{/.test(kubeconfig)) config.loadFromString(kubeconfig);
      else config.loadFromFile(kubeconfig);
    } catch (error) {
      throw new RequestError(`the kubeconfig cannot be read: ${(error as Error).message.split("\n")[0]}`);
    }
    if (context) {
      if (!config.getContextObject(context)) throw new RequestError(`the kubeconfig has no context ${context}`);
      config.setCurrentContext(context);
    }
    return { config, objects: KubernetesObjectApi.makeApiClient(config) };
  }
}

interface Api {
  config: KubeConfig;
  objects: KubernetesObjectApi;
}

/** An object with what identifies it. */
export interface Named extends KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: NonNullable<KubernetesObject["metadata"]> & { name: string };
}

/** An answer of the API server that is no success, or none at all. */
export class ApiError extends RequestError {
  /** HTTP status; 0 where the server did not answer. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }

  static of(error: unknown, server: string): ApiError {
    if (error instanceof ApiError) return error;
    const { code, body, cause, message } = error as { code?: unknown; body?: unknown; cause?: Error; message: string };
    if (typeof code === "number") return new ApiError(code, statusMessage(body) ?? `HTTP ${code}`);
    return new ApiError(0, `${server} does not answer: ${cause?.message || message}`);
  }
}

/** The message of a Kubernetes Status document. */
function statusMessage(body: unknown): string | undefined {
  try {
    const status: unknown = typeof body === "string" ? JSON.parse(body) : body;
    return (status as { message?: string } | null)?.message;
  } catch {
    return String(body);
  }
}
