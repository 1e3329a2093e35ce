import { setTimeout as sleep } from "node:timers/promises";
import { type Context, RequestError } from "../plugin/provider.ts";
import type { PropertyMap } from "../plugin/values.ts";
import { Api, ApiError, groupPath } from "./api.ts";
import type { ProviderSettings } from "./providerSettings.ts";

/** An object with what identifies it; all values known, no secret marks. */
export interface Named extends PropertyMap {
  apiVersion: string;
  kind: string;
  metadata: PropertyMap & { name: string };
}

export interface ApplyOptions {
  readonly fieldManager: string;
  readonly dryRun: boolean;
}

/** Milliseconds between two tries of an apply whose kind or namespace is not there yet, and how many. */
const [retryPause, retries] = [1000, 10];

/** One cluster: objects of any kind. */
export class Cluster {
  readonly settings: ProviderSettings;
  #opened: Promise<Api> | undefined;

  constructor(settings: ProviderSettings) {
    this.settings = settings;
  }

  /** The namespace for objects that name none. */
  async defaultNamespace(): Promise<string> {
    return this.settings.namespace ?? (await this.#api()).namespace ?? "default";
  }

  /** Whether objects of the kind live in namespaces; `undefined` when the server does not know the kind. */
  async isNamespaced(apiVersion: string, kind: string): Promise<boolean | undefined> {
    return (await (await this.#api()).kind(apiVersion, kind))?.namespaced;
  }

  /** Reads an object; `undefined` when it, or its kind, is not there. */
  async read(object: Named): Promise<PropertyMap | undefined> {
    return unlessAbsent(async () => {
      const api = await this.#api();
      return (await api.request({ method: "GET", path: await pathOf(api, object) })).body;
    });
  }

  /** The objects of a kind in a namespace. */
  async list(apiVersion: string, kind: string, namespace: string, labelSelector?: string): Promise<PropertyMap[]> {
    const api = await this.#api();
    const path = await pathOf(api, { apiVersion, kind, metadata: { name: "", namespace } });
    const query = labelSelector === undefined ? {} : { labelSelector };
    return (await api.request({ method: "GET", path, query })).body.items as PropertyMap[];
  }

  /**
   * Server-side apply. Fields that others manage are taken over only where the settings or the object's annotation say
   * so; else the server's answer names them. Waits a little for a kind or a namespace that is still being made.
   */
  async apply(object: Named, { fieldManager, dryRun }: ApplyOptions, { signal, log }: Context): Promise<PropertyMap> {
    const api = await this.#api();
    const query = {
      fieldManager,
      force: String(this.settings.enablePatchForce || annotation(object, "pulumi.com/patchForce") === "true"),
      fieldValidation: "Warn",
      ...(dryRun ? { dryRun: "All" } : {}),
    };
    for (let left = dryRun ? 0 : retries; ; left--) {
      try {
        const path = await pathOf(api, object);
        const { body, warnings } = await api.request({ method: "PATCH", path, query, body: object, signal });
        for (const warning of warnings) {
          log("warning", warning);
        }
        return body;
      } catch (error) {
        if (!(error instanceof ApiError && error.code === 404) || left === 0 || signal.aborted) {
          throw error;
        }
      }
      await sleep(retryPause, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Asks for the deletion of an object; one that is gone is fine. */
  async delete(object: Named, propagationPolicy: string): Promise<void> {
    await unlessAbsent(async () => {
      const api = await this.#api();
      await api.request({ method: "DELETE", path: await pathOf(api, object), query: { propagationPolicy } });
    });
  }

  #api(): Promise<Api> {
    this.#opened ??= Api.open(this.settings.kubeconfig, this.settings.context);
    return this.#opened;
  }
}

/** The value of an annotation of the object's. */
export function annotation(object: PropertyMap, name: string): string | undefined {
  const { annotations } = (object.metadata ?? {}) as { annotations?: Record<string, string> | null };
  return annotations?.[name];
}

/** Namespace and name as one reads and writes them; also the resource's id. */
export function fullName({ metadata: { namespace, name } }: Named): string {
  return typeof namespace === "string" && namespace !== "" ? `${namespace}/${name}` : name;
}

async function pathOf(api: Api, { apiVersion, kind, metadata }: Named): Promise<string> {
  const found = await api.kind(apiVersion, kind);
  if (found === undefined) {
    throw new ApiError(404, `the API server knows no ${kind} in ${apiVersion}; is its CustomResourceDefinition there?`);
  }
  if (found.namespaced && typeof metadata.namespace !== "string") {
    throw new RequestError(`${kind} ${metadata.name} needs a namespace`);
  }
  const namespace = found.namespaced ? ["namespaces", String(metadata.namespace)] : [];
  const parts = [...namespace, found.name, ...(metadata.name === "" ? [] : [metadata.name])];
  return `${groupPath(apiVersion)}/${parts.map(encodeURIComponent).join("/")}`;
}

async function unlessAbsent<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) {
      return undefined;
    }
    throw error;
  }
}
