import { randomBytes } from "node:crypto";
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
import { hasUnknown, isMap, type PropertyMap, reveal, revealMap } from "../plugin/values.ts";
import { ApiError } from "./api.ts";
import { goneWithin, isAwaited, notReady, readyWithin } from "./awaiting.ts";
import { annotation, type Cluster, fullName, type Named } from "./cluster.ts";
import { drifted } from "./drift.ts";
import { importedInputs, isNamespacedBuiltIn, named, normalised, notes, objectIn, stateOf } from "./objectInputs.ts";
import { diffObjects } from "./replacement.ts";
import { markedLike } from "./secrecy.ts";
import { UnreachableError } from "./unreachable.ts";

/** Seconds to wait for an object to be ready or gone, where nothing sets them; the official plugin's. */
const defaultTimeout = 600;

/** Any plain kind: applied server-side, awaited, read back without false drift. */
export class ObjectResource implements Resource {
  readonly #cluster: Cluster;
  readonly #apiVersion: string;
  readonly #kind: string;

  constructor(cluster: Cluster, apiVersion: string, kind: string) {
    this.#cluster = cluster;
    this.#apiVersion = apiVersion;
    this.#kind = kind;
  }

  async check({ name, olds, news, randomSeed }: CheckRequest): Promise<CheckResult> {
    const typed = normalised({ ...news, apiVersion: this.#apiVersion, kind: this.#kind });
    const { inputs, failures } = named(typed, olds, name, randomSeed);
    return { inputs: failures.length > 0 ? inputs : await this.#placed(inputs), failures };
  }

  diff({ oldInputs, news }: DiffRequest): DiffResult {
    return diffObjects(normalised(oldInputs), normalised(news), this.#cluster.settings);
  }

  async create({ inputs, preview, timeout }: CreateRequest, context: Context): Promise<Created> {
    const fieldManager = `pulumi-kubernetes-${randomBytes(4).toString("hex")}`;
    if (preview) {
      return { id: "", outputs: await this.#previewed(inputs, fieldManager, context) };
    }
    const object = this.#object(inputs);
    try {
      if (!this.#cluster.settings.upsertExistingObjects && (await this.#cluster.read(object)) !== undefined) {
        throw new RequestError(
          `resource ${fullName(object)} was not successfully created: ${object.kind} ${fullName(object)} already exists. ` +
            "Import it, delete it, or set upsertExistingObjects on the provider",
        );
      }
      return await this.#applied(object, inputs, fieldManager, timeout, context);
    } catch (error) {
      throw this.#told(error, object);
    }
  }

  async read({ id, inputs, outputs }: ReadRequest, context: Context): Promise<ReadResult | undefined> {
    const [name = "", namespace] = id.split("/").reverse();
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
    const object = await this.#located({ apiVersion: this.#apiVersion, kind: this.#kind, metadata });
    try {
      const live = await this.#cluster.read(object);
      return live === undefined ? undefined : this.#readBack(id, inputs, outputs, live);
    } catch (error) {
      const { deleteUnreachable, skipUpdateUnreachable } = this.#cluster.settings;
      const told = this.#told(error, object);
      if (!(told instanceof UnreachableError && (deleteUnreachable || skipUpdateUnreachable))) {
        throw told;
      }
      context.log("warning", told.message);
      return deleteUnreachable ? undefined : { id, inputs, outputs };
    }
  }

  async update({ oldOutputs, news, preview, timeout }: UpdateRequest, context: Context): Promise<PropertyMap> {
    const fieldManager = String(reveal(oldOutputs[notes.fieldManager] ?? "pulumi-kubernetes"));
    if (preview) {
      return this.#previewed(news, fieldManager, context);
    }
    const object = this.#object(news);
    try {
      // As the official plugin does, which reads what it is about to patch. Server-side apply alone would create it.
      if ((await this.#cluster.read(object)) === undefined) {
        throw new RequestError(
          `update of resource ${fullName(object)} failed: ${object.kind} ${fullName(object)} not found`,
        );
      }
      return (await this.#applied(object, news, fieldManager, timeout, context)).outputs;
    } catch (error) {
      const told = this.#told(error, object);
      if (!(told instanceof UnreachableError && this.#cluster.settings.skipUpdateUnreachable)) {
        throw told;
      }
      context.log("warning", told.message);
      return oldOutputs;
    }
  }

  async delete({ outputs, timeout }: DeleteRequest, context: Context): Promise<void> {
    const state = objectIn(outputs);
    const object = this.#object(state);
    const seconds = Number(annotation(object, "pulumi.com/timeoutSeconds")) || timeout || defaultTimeout;
    const policy = annotation(object, "pulumi.com/deletionPropagationPolicy") ?? "foreground";
    try {
      await this.#cluster.delete(object, policy.charAt(0).toUpperCase() + policy.slice(1));
      if (annotation(object, "pulumi.com/skipAwait") !== "true") {
        const uid = isMap(state.metadata) ? state.metadata.uid : undefined;
        await goneWithin(this.#cluster, object, uid, seconds, context.signal);
      }
    } catch (error) {
      const told = this.#told(error, object);
      if (!(told instanceof UnreachableError && this.#cluster.settings.deleteUnreachable)) {
        throw told;
      }
      context.log("warning", told.message);
    }
  }

  /** Gives a namespaced object that names no namespace the default one. */
  async #placed(inputs: PropertyMap): Promise<PropertyMap> {
    const { metadata } = inputs;
    if (!isMap(metadata)) {
      return inputs; // not known yet
    }
    const { namespace, ...rest } = metadata;
    const given = (namespace ?? "") !== "";
    const builtIn = isNamespacedBuiltIn(this.#apiVersion, this.#kind);
    if (builtIn === false) {
      return { ...inputs, metadata: rest };
    }
    if (given || (builtIn === undefined && (await this.#isClusterScoped()))) {
      return inputs;
    }
    return { ...inputs, metadata: { ...rest, namespace: await this.#cluster.defaultNamespace() } };
  }

  /** Whether the API server says so; a kind that it does not know yet, or no answer, counts as namespaced. */
  async #isClusterScoped(): Promise<boolean> {
    try {
      return (await this.#cluster.isNamespaced(this.#apiVersion, this.#kind)) === false;
    } catch {
      return false;
    }
  }

  /** An id without a namespace, as in an import of a namespaced object, means the default one. */
  async #located(object: Named): Promise<Named> {
    const placed = await this.#placed(object);
    return placed as Named;
  }

  /** What the API server would make of the inputs, where it can tell before the update; else the inputs. */
  async #previewed(inputs: PropertyMap, fieldManager: string, context: Context): Promise<PropertyMap> {
    if (hasUnknown(inputs)) {
      return inputs;
    }
    try {
      const { status: _, ...would } = await this.#cluster.apply(
        this.#object(inputs),
        { fieldManager, dryRun: true },
        context,
      );
      return stateOf(would, inputs, fieldManager);
    } catch (error) {
      // no cluster, no namespace or kind yet, no right to try, or an object that will be deleted first
      if (error instanceof ApiError && [0, 403, 404, 409].includes(error.code)) {
        return inputs;
      }
      throw this.#told(error, this.#object(inputs));
    }
  }

  /** Applies the object and waits for it. One that is there but not ready is told as such, so that the state keeps it. */
  async #applied(
    object: Named,
    inputs: PropertyMap,
    fieldManager: string,
    timeout: number,
    context: Context,
  ): Promise<Created> {
    const applied = await this.#cluster.apply(object, { fieldManager, dryRun: false }, context);
    const made = this.#object(applied);
    const id = fullName(made);
    if (!isAwaited(object)) {
      return { id, outputs: stateOf(applied, inputs, fieldManager) };
    }
    const trouble = await readyWithin(this.#cluster, made, timeout || defaultTimeout, context.signal);
    const live = (await this.#cluster.read(made)) ?? applied;
    const outputs = stateOf(live, inputs, fieldManager);
    if (trouble !== undefined) {
      throw new PartialFailure(id, inputs, outputs, [`${object.kind} ${id} is not ready: ${trouble}`]);
    }
    return { id, outputs };
  }

  #readBack(id: string, inputs: PropertyMap, outputs: PropertyMap, live: PropertyMap): ReadResult {
    const imported = Object.keys(inputs).length === 0;
    const said = normalised(inputs);
    const now = imported ? importedInputs(live) : markedLike(drifted(said, objectIn(outputs), live), said);
    const fieldManager = String(reveal(outputs[notes.fieldManager] ?? "pulumi-kubernetes"));
    const state = stateOf(live, now, fieldManager);
    const trouble = isAwaited(live) ? notReady(live) : undefined;
    if (trouble !== undefined) {
      throw new PartialFailure(id, now, state, [`${this.#kind} ${id} is not ready: ${trouble}`]);
    }
    return { id, inputs: now, outputs: state };
  }

  #object(inputs: PropertyMap): Named {
    return { ...revealMap(normalised(inputs)), apiVersion: this.#apiVersion, kind: this.#kind } as Named;
  }

  /** The API server's answer with the object it is about. */
  #told(error: unknown, object: Named): unknown {
    if (!(error instanceof ApiError)) {
      return error;
    }
    if (error.code === 0) {
      return new UnreachableError(error.message);
    }
    const conflict =
      error.code === 409
        ? "Server-Side Apply field conflict detected: another manager changed the field. Leave it to the other with " +
          'ignoreChanges, or take it over with the annotation pulumi.com/patchForce: "true". '
        : "";
    return new RequestError(`${object.kind} ${fullName(object)}: ${conflict}${error.message}`);
  }
}
