import { detailedDiff } from "../plugin/diff.ts";
import {
  type CheckRequest,
  type CheckResult,
  type Context,
  type Created,
  type CreateRequest,
  type DeleteRequest,
  type DiffRequest,
  type DiffResult,
  PartialFailure,
  type ReadRequest,
  type ReadResult,
  RequestError,
  type Resource,
  type UpdateRequest,
} from "../plugin/provider.ts";
import { hasUnknown, isMap, type PropertyMap, reveal, revealMap, Secret, type Value } from "../plugin/values.ts";
import { goneWithin, readyWithin } from "./awaiting.ts";
import { ApiError, type Cluster, type Named } from "./cluster.ts";

/** Seconds to wait for an object to be ready or gone, where the program sets none; the official plugin's default. */
const TIMEOUT = 600;

/** Marks a name that we made up, as the official plugin does. */
const AUTONAMED = "pulumi.com/autonamed";

/** Any plain kind: applied server-side, awaited, read back without false drift. */
export class KubernetesObject implements Resource {
  private readonly cluster: Cluster | undefined;
  private readonly apiVersion: string;
  private readonly kind: string;

  constructor(cluster: Cluster | undefined, apiVersion: string, kind: string) {
    this.cluster = cluster;
    this.apiVersion = apiVersion;
    this.kind = kind;
  }

  check({ name, olds, news, randomSeed }: CheckRequest): CheckResult {
    const metadata = isMap(news.metadata) ? news.metadata : {};
    const inputs = { ...news, apiVersion: this.apiVersion, kind: this.kind, metadata };
    if (metadata.name !== undefined) return { inputs };
    const before = isMap(olds.metadata) ? olds.metadata : {};
    const kept = isAutonamed(before) ? before.name : undefined;
    const made = `${name.toLowerCase()}-${Buffer.from(randomSeed).toString("hex").slice(0, 8)}`;
    const annotations = { ...(isMap(metadata.annotations) ? metadata.annotations : {}), [AUTONAMED]: "true" };
    return { inputs: { ...inputs, metadata: { ...metadata, name: kept ?? made, annotations } } };
  }

  diff({ oldInputs, news }: DiffRequest): DiffResult {
    const detailed = detailedDiff(oldInputs, news, (property) => this.isImmutable(property));
    for (const path of ["metadata.name", "metadata.namespace"]) {
      if (detailed[path] === "update") detailed[path] = "update-replace";
    }
    // Two objects cannot have one name; a name that we made up is new for the new object.
    const sameName = !isAutonamed(isMap(news.metadata) ? news.metadata : {}) && !("metadata.name" in detailed);
    return { detailed, deleteBeforeReplace: sameName };
  }

  async create({ inputs, preview, timeout }: CreateRequest, { signal }: Context): Promise<Created> {
    if (preview || hasUnknown(inputs)) return { id: "", outputs: marked(this.kind, inputs) };
    const cluster = this.connected();
    const object = this.objectOf(inputs);
    if (!cluster.settings.upsert && (await cluster.read(object))) {
      throw new RequestError(
        `${describe(object)} already exists; import it, or set upsertExistingObjects on the provider`,
      );
    }
    return { id: idOf(object), outputs: await this.applied(object, inputs, timeout, signal) };
  }

  async read({ id, inputs, outputs }: ReadRequest): Promise<ReadResult | undefined> {
    const [namespace, name = ""] = id.includes("/") ? id.split("/") : [undefined, id];
    const metadata = { name, ...(namespace !== undefined && { namespace }) };
    const live = await this.connected().read({ apiVersion: this.apiVersion, kind: this.kind, metadata });
    if (!live) return undefined;
    const state = plain(live);
    const imported = Object.keys(inputs).length === 0;
    const known = imported ? { ...outputs, apiVersion: this.apiVersion, kind: this.kind, metadata } : inputs;
    return { id, inputs: marked(this.kind, overlay(known, withText(state))), outputs: marked(this.kind, state) };
  }

  async update({ id, news, preview, timeout }: UpdateRequest, { signal }: Context): Promise<PropertyMap> {
    if (preview || hasUnknown(news)) return marked(this.kind, { ...news, id });
    return this.applied(this.objectOf(news), news, timeout, signal);
  }

  async delete({ outputs, timeout }: DeleteRequest, { signal }: Context): Promise<void> {
    const cluster = this.connected();
    const object = this.objectOf(outputs);
    try {
      await cluster.delete(object);
      await goneWithin(cluster, object, timeout || TIMEOUT, signal);
    } catch (error) {
      const unreachable = error instanceof ApiError && error.code === 0;
      if (!unreachable || !cluster.settings.deleteUnreachable) throw error;
    }
  }

  /** Applies the object and waits for it; what exists but is not ready is told as such, so that the state keeps it. */
  private async applied(
    object: Named,
    inputs: PropertyMap,
    timeout: number,
    signal: AbortSignal,
  ): Promise<PropertyMap> {
    const cluster = this.connected();
    const live = await cluster.apply(object);
    const outputs = marked(this.kind, plain(live));
    const trouble = await readyWithin(cluster, object, timeout || TIMEOUT, signal);
    if (trouble) throw new PartialFailure(idOf(object), inputs, outputs, [`${describe(object)}: ${trouble}`]);
    return outputs;
  }

  private connected(): Cluster {
    if (this.cluster) return this.cluster;
    throw new RequestError("the cluster is not known yet");
  }

  private objectOf(map: PropertyMap): Named {
    const { status: _, ...object } = revealMap(map);
    return { ...object, apiVersion: this.apiVersion, kind: this.kind } as unknown as Named;
  }

  /** Whether the API server refuses a change of this property, or the official plugin by default does not try one. */
  private isImmutable(property: string): boolean {
    const { secretMutable = false, configMapMutable = false } = this.cluster?.settings ?? {};
    const data = ["data", "stringData", "binaryData"];
    if (this.kind === "Secret") return property === "type" || (data.includes(property) && !secretMutable);
    if (this.kind === "ConfigMap") return data.includes(property) && !configMapMutable;
    return false;
  }
}

function isAutonamed(metadata: PropertyMap): boolean {
  return isMap(metadata.annotations) && reveal(metadata.annotations[AUTONAMED] ?? null) === "true";
}

function idOf({ metadata: { name, namespace } }: Named): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function describe(object: Named): string {
  return `${object.kind} ${idOf(object)}`;
}

/** The live object as JSON has it: the client makes dates of times. */
function plain(live: object): PropertyMap {
  return JSON.parse(JSON.stringify(live)) as PropertyMap;
}

/** A Secret's contents are secret, whoever put them there. */
function marked(kind: string, map: PropertyMap): PropertyMap {
  if (kind !== "Secret") return map;
  const secrets = ["data", "stringData"].filter((property) => map[property] !== undefined);
  return { ...map, ...Object.fromEntries(secrets.map((property) => [property, new Secret(map[property] ?? null)])) };
}

/** The API server turns `stringData` into `data`; for a comparison with what the program said it is turned back. */
function withText(live: PropertyMap): PropertyMap {
  if (live.kind !== "Secret" || !isMap(live.data)) return live;
  const text = Object.entries(live.data).map(([key, value]) => [key, Buffer.from(String(value), "base64").toString()]);
  return { ...live, stringData: Object.fromEntries(text) as PropertyMap };
}

/** What the program said, with the live value in the place of each thing it said: so that only what is ours can drift. */
function overlay(said: PropertyMap, live: PropertyMap): PropertyMap {
  return Object.fromEntries(
    Object.entries(said).flatMap(([key, marked]): [string, Value][] => {
      const value = reveal(marked);
      const now = live[key];
      if (now === undefined) return [];
      return [[key, isMap(value) && isMap(now) ? overlay(value, now) : now]];
    }),
  );
}
