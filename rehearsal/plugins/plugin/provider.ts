import type { PropertyMap } from "./values.ts";

/** What a plugin serves: resource types by token, functions, and how its configuration is treated. */
export interface Provider {
  /** The package's name, as in `pulumi-resource-<name>`. */
  readonly name: string;
  /** The version of the official plugin that this one stands in for. */
  readonly version: string;
  /** The resource type with this token, such as `command:local:Command`. Throws a `RequestError` for others. */
  resource(type: string): Resource;
  /** Checks the provider's own settings. Default: as they are. */
  checkConfig?(request: CheckRequest): CheckResult | Promise<CheckResult>;
  /** What a change of the provider's own settings means. Default: no provider is ever replaced. */
  diffConfig?(request: DiffRequest): DiffResult | Promise<DiffResult>;
  /** Takes the provider's own settings; no setting is unknown, since the engine then makes no call at all. */
  configure?(inputs: PropertyMap, context: Context): void | Promise<void>;
  /** A function. Default: an error that names the token. */
  invoke?(token: string, args: PropertyMap, context: Context): InvokeResult | Promise<InvokeResult>;
}

/** One resource type. Maps hold `Unknown` and `Secret` values as they are; see values.ts. */
export interface Resource {
  check(request: CheckRequest, context: Context): CheckResult | Promise<CheckResult>;
  diff(request: DiffRequest, context: Context): DiffResult | Promise<DiffResult>;
  create(request: CreateRequest, context: Context): Created | Promise<Created>;
  /** `undefined` says that the resource is gone. */
  read(request: ReadRequest, context: Context): ReadResult | undefined | Promise<ReadResult | undefined>;
  /** Returns the new outputs. */
  update(request: UpdateRequest, context: Context): PropertyMap | Promise<PropertyMap>;
  delete(request: DeleteRequest, context: Context): void | Promise<void>;
}

/** What every call may use. */
export interface Context {
  /** Aborted when the engine cancels the update, stops this plugin, or dies. */
  readonly signal: AbortSignal;
  /** Shows a line in the update's display, at the resource of the call. Never throws. */
  log(severity: Severity, message: string, options?: LogOptions): void;
}

export type Severity = "debug" | "info" | "warning" | "error";

export interface LogOptions {
  /** Show the line only while the resource is being worked on, and keep it out of the list of diagnostics. */
  readonly ephemeral?: boolean;
}

interface ResourceRequest {
  readonly urn: string;
  /** The resource's logical name. */
  readonly name: string;
  readonly type: string;
}

export interface CheckRequest extends ResourceRequest {
  /** The inputs of the last update; empty for a new resource. */
  readonly olds: PropertyMap;
  readonly news: PropertyMap;
  /** The same for the same resource in a preview and in the update after it; for names made up in `check`. */
  readonly randomSeed: Uint8Array;
}

export interface CheckResult {
  readonly inputs: PropertyMap;
  readonly failures?: readonly CheckFailure[];
}

/** A bad input. `property` may be empty if no single one is to blame. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

export interface DiffRequest extends ResourceRequest {
  readonly id: string;
  readonly oldInputs: PropertyMap;
  readonly oldOutputs: PropertyMap;
  readonly news: PropertyMap;
  readonly ignoreChanges: readonly string[];
}

export type DiffKind = "add" | "add-replace" | "delete" | "delete-replace" | "update" | "update-replace";

export interface DiffResult {
  /** Every difference by its property path (`environment.PATH`, `triggers[0]`); empty means nothing changed. */
  readonly detailed: Readonly<Record<string, DiffKind>>;
  readonly deleteBeforeReplace?: boolean;
}

export interface CreateRequest extends ResourceRequest {
  readonly inputs: PropertyMap;
  readonly preview: boolean;
  /** Seconds, from `customTimeouts`; 0 when the program sets none. */
  readonly timeout: number;
}

export interface Created {
  /** Empty only at preview. */
  readonly id: string;
  readonly outputs: PropertyMap;
}

export interface ReadRequest extends ResourceRequest {
  readonly id: string;
  /** The inputs in the state; empty for an import and for a `get`. */
  readonly inputs: PropertyMap;
  readonly outputs: PropertyMap;
}

export interface ReadResult {
  readonly id: string;
  readonly inputs: PropertyMap;
  readonly outputs: PropertyMap;
}

export interface UpdateRequest extends ResourceRequest {
  readonly id: string;
  readonly oldInputs: PropertyMap;
  readonly oldOutputs: PropertyMap;
  readonly news: PropertyMap;
  readonly preview: boolean;
  /** Seconds, from `customTimeouts`; 0 when the program sets none. */
  readonly timeout: number;
}

export interface DeleteRequest extends ResourceRequest {
  readonly id: string;
  readonly inputs: PropertyMap;
  readonly outputs: PropertyMap;
  /** Seconds, from `customTimeouts`; 0 when the program sets none. */
  readonly timeout: number;
}

export interface InvokeResult {
  readonly outputs: PropertyMap;
  readonly failures?: readonly CheckFailure[];
}

/** A call that cannot be served as it was asked: the message is all that the user sees. */
export class RequestError extends Error {
  override readonly name = "RequestError";
}

/**
 * A resource that exists but did not become what it should: the engine keeps it in the state with these outputs and
 * tries to update it at the next `pulumi up`. Thrown by create, update and read.
 */
export class PartialFailure extends Error {
  override readonly name = "PartialFailure";
  readonly id: string;
  readonly outputs: PropertyMap;
  /** For create and update the new inputs, for read the live ones. */
  readonly inputs: PropertyMap;
  readonly reasons: readonly string[];

  constructor(id: string, inputs: PropertyMap, outputs: PropertyMap, reasons: readonly string[]) {
    super(reasons.join("\n"));
    this.id = id;
    this.inputs = inputs;
    this.outputs = outputs;
    this.reasons = reasons;
  }
}
