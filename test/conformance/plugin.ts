import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { credentials, type requestCallback, Server, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { channelOptions } from "../../rehearsal/plugins/plugin/channel.ts";
import { type PropertyMap, revealMap } from "../../rehearsal/plugins/plugin/values.ts";
import { fromStruct, toStruct } from "../../rehearsal/plugins/plugin/wire.ts";

/** Whether the plugins under test are official ones (or others of the user's), and not our stand-ins. */
export const official = process.env.PLUGINS !== undefined && process.env.PLUGINS !== "";

/** The program of a plugin: in the folder that PLUGINS names, else our stand-in's launcher. */
function program(name: string): string {
  const folder = process.env.PLUGINS || path.join(import.meta.dirname, "../../rehearsal/plugins/bin");
  return path.join(folder, `pulumi-resource-${name}`);
}

/** A resource as the engine names it. */
export interface Target {
  readonly type: string;
  readonly name: string;
}

/** A line that the plugin showed through the engine. */
export interface LogLine {
  readonly severity: "debug" | "info" | "warning" | "error";
  readonly message: string;
  readonly urn: string;
}

export interface Diff {
  readonly changes: "unknown" | "none" | "some";
  /** The properties that ask for a replacement, be it in the list or by a detail: the engine counts both. */
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
  /** Kinds by property path. */
  readonly detailed: Readonly<Record<string, string>>;
}

/** The state of a resource, as the engine keeps it between updates. */
export interface State {
  readonly id: string;
  readonly inputs: PropertyMap;
  readonly outputs: PropertyMap;
}

/** The URN of a resource in the suites' stack. */
export function urnOf({ type, name }: Target): string {
  return `urn:pulumi:test::conformance::${type}::${name}`;
}

/**
 * A plugin process, spoken to as the engine speaks to it (pkg/resource/plugin/provider_plugin.go): started in a process
 * group of its own with the engine's address, then handshake, CheckConfig, Configure, and calls one resource at a time.
 */
export class Plugin {
  /** What the plugin has shown so far. */
  readonly logs: readonly LogLine[];
  /** What the plugin has written to its own stdout and stderr, which the engine hides. */
  written = "";
  readonly #process: ChildProcess;
  readonly #engine: Server;
  readonly #client: InstanceType<typeof providerService.ResourceProviderClient>;
  /** As negotiated: the engine sends plain values to a plugin that knows no secrets. */
  #acceptsSecrets = false;

  private constructor(child: ChildProcess, engineServer: Server, logs: readonly LogLine[], port: number) {
    this.#process = child;
    this.logs = logs;
    this.#engine = engineServer;
    this.#client = new providerService.ResourceProviderClient(
      `127.0.0.1:${port}`,
      credentials.createInsecure(),
      channelOptions,
    );
  }

  /** Starts the plugin and configures it. */
  static async start(name: string, config: PropertyMap = {}): Promise<Plugin> {
    const logs: LogLine[] = [];
    const engineServer = fakeEngine(logs);
    const enginePort = await bind(engineServer);
    const child = spawn(program(name), [`127.0.0.1:${enginePort}`], { detached: true, stdio: "pipe" });
    const lines = createInterface({ input: child.stdout });
    const first = await Promise.race([
      once(lines, "line").then(([line]) => String(line)),
      once(child, "error").then(([error]) => Promise.reject(error)),
      once(child, "exit").then(([code]) => Promise.reject(new Error(`the plugin ended with ${code} without a port`))),
    ]);
    const plugin = new Plugin(child, engineServer, logs, Number(first));
    lines.on("line", (line) => {
      plugin.written += `${line}\n`;
    });
    child.stderr.on("data", (chunk) => {
      plugin.written += String(chunk);
    });
    try {
      await plugin.#handshake(`127.0.0.1:${enginePort}`, path.dirname(program(name)));
      await plugin.#configure(name, config);
    } catch (error) {
      await plugin.kill();
      throw error;
    }
    return plugin;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async #handshake(engineAddress: string, folder: string): Promise<void> {
    const request = new messages.ProviderHandshakeRequest();
    request.setEngineAddress(engineAddress);
    request.setRootDirectory(folder);
    request.setProgramDirectory(folder);
    request.setConfigureWithUrn(true);
    request.setInvokeWithPreview(true);
    try {
      const response = await call<messages.ProviderHandshakeResponse>((done) => this.#client.handshake(request, done));
      this.#acceptsSecrets = response.getAcceptSecrets();
    } catch (error) {
      if ((error as ServiceError).code !== status.UNIMPLEMENTED) {
        throw error;
      }
    }
  }

  async #configure(name: string, config: PropertyMap): Promise<void> {
    const request = new messages.ConfigureRequest();
    for (const [key, value] of Object.entries(revealMap(config))) {
      request.getVariablesMap().set(`${name}:config:${key}`, typeof value === "string" ? value : JSON.stringify(value));
    }
    request.setArgs(toStruct(config));
    request.setAcceptsecrets(true);
    request.setAcceptresources(true);
    request.setSendsOldInputs(true);
    request.setSendsOldInputsToDelete(true);
    request.setType(`pulumi:providers:${name}`);
    request.setName("default");
    request.setUrn(urnOf({ type: `pulumi:providers:${name}`, name: "default" }));
    const response = await call<messages.ConfigureResponse>((done) => this.#client.configure(request, done));
    this.#acceptsSecrets ||= response.getAcceptsecrets();
  }

  #struct(map: PropertyMap) {
    return toStruct(this.#acceptsSecrets ? map : revealMap(map));
  }

  async version(): Promise<string> {
    return (
      await call<{ getVersion(): string }>((done) => this.#client.getPluginInfo(new empty.Empty(), done))
    ).getVersion();
  }

  async checkConfig(target: Target, news: PropertyMap, olds: PropertyMap = {}) {
    return this.#checkWith("checkConfig", target, news, olds);
  }

  async check(target: Target, news: PropertyMap, olds: PropertyMap = {}) {
    return this.#checkWith("check", target, news, olds);
  }

  async #checkWith(method: "check" | "checkConfig", target: Target, news: PropertyMap, olds: PropertyMap) {
    const request = identify(new messages.CheckRequest(), target);
    request.setNews(this.#struct(news));
    request.setOlds(this.#struct(olds));
    request.setRandomseed(new Uint8Array(32).fill(7));
    const response = await call<messages.CheckResponse>((done) => this.#client[method](request, done));
    const failures = response.getFailuresList().map((failure) => failure.toObject());
    return { inputs: fromStruct(response.getInputs()), failures };
  }

  async diff(target: Target, state: State, news: PropertyMap): Promise<Diff> {
    return this.#diffWith("diff", target, state, news);
  }

  async diffConfig(target: Target, state: State, news: PropertyMap): Promise<Diff> {
    return this.#diffWith("diffConfig", target, state, news);
  }

  async #diffWith(method: "diff" | "diffConfig", target: Target, state: State, news: PropertyMap): Promise<Diff> {
    const request = identify(new messages.DiffRequest(), target);
    request.setId(state.id);
    request.setOldInputs(this.#struct(state.inputs));
    request.setOlds(this.#struct(state.outputs));
    request.setNews(this.#struct(news));
    const response = await call<messages.DiffResponse>((done) => this.#client[method](request, done));
    const kinds = ["add", "add-replace", "delete", "delete-replace", "update", "update-replace"];
    const detailed: Record<string, string> = {};
    response.getDetaileddiffMap().forEach((detail, key) => {
      detailed[key] = kinds[detail.getKind()] ?? "?";
    });
    const replacing = Object.keys(detailed).filter((key) => detailed[key]?.endsWith("-replace"));
    return {
      changes: (["unknown", "none", "some"] as const)[response.getChanges()],
      replaces: [
        ...new Set([...response.getReplacesList(), ...replacing].map((key) => key.split(/[.[]/, 1)[0] ?? key)),
      ],
      deleteBeforeReplace: response.getDeletebeforereplace(),
      detailed,
    };
  }

  async create(target: Target, inputs: PropertyMap, { preview = false, timeout = 0 } = {}): Promise<State> {
    const request = identify(new messages.CreateRequest(), target);
    request.setProperties(this.#struct(inputs));
    request.setPreview(preview);
    request.setTimeout(timeout);
    const response = await call<messages.CreateResponse>((done) => this.#client.create(request, done));
    return { id: response.getId(), inputs, outputs: fromStruct(response.getProperties()) };
  }

  /** Refreshes a resource, or reads one for an import when the state has an id only. `undefined`: it is gone. */
  async read(target: Target, state: State): Promise<State | undefined> {
    const request = identify(new messages.ReadRequest(), target);
    request.setId(state.id);
    request.setInputs(this.#struct(state.inputs));
    request.setProperties(this.#struct(state.outputs));
    const response = await call<messages.ReadResponse>((done) => this.#client.read(request, done));
    return response.getId() === ""
      ? undefined
      : {
          id: response.getId(),
          inputs: fromStruct(response.getInputs()),
          outputs: fromStruct(response.getProperties()),
        };
  }

  async update(target: Target, state: State, news: PropertyMap, { preview = false, timeout = 0 } = {}): Promise<State> {
    const request = identify(new messages.UpdateRequest(), target);
    request.setId(state.id);
    request.setOldInputs(this.#struct(state.inputs));
    request.setOlds(this.#struct(state.outputs));
    request.setNews(this.#struct(news));
    request.setPreview(preview);
    request.setTimeout(timeout);
    const response = await call<messages.UpdateResponse>((done) => this.#client.update(request, done));
    return { id: state.id, inputs: news, outputs: fromStruct(response.getProperties()) };
  }

  async delete(target: Target, state: State, { timeout = 0 } = {}): Promise<void> {
    const request = identify(new messages.DeleteRequest(), target);
    request.setId(state.id);
    request.setOldInputs(this.#struct(state.inputs));
    request.setProperties(this.#struct(state.outputs));
    request.setTimeout(timeout);
    await call<empty.Empty>((done) => this.#client.delete(request, done));
  }

  async invoke(token: string, args: PropertyMap): Promise<PropertyMap> {
    const request = new messages.InvokeRequest();
    request.setTok(token);
    request.setArgs(this.#struct(args));
    const response = await call<messages.InvokeResponse>((done) => this.#client.invoke(request, done));
    return fromStruct(response.getReturn());
  }

  /** The engine's call when the user interrupts an update. */
  async cancel(): Promise<void> {
    await call<empty.Empty>((done) => this.#client.cancel(new empty.Empty(), done));
  }

  /** Kills the plugin as `kill -9` does; calls under way fail. */
  async kill(): Promise<void> {
    const gone = this.#gone();
    this.#process.kill("SIGKILL");
    await gone;
    this.#close();
  }

  /** Ends the plugin as the engine does after an update: an interrupt to its process group, later a kill. */
  async stop(): Promise<void> {
    const gone = this.#gone();
    signalGroup(this.pid, "SIGINT");
    const late = setTimeout(() => signalGroup(this.pid, "SIGKILL"), 5000);
    await gone;
    clearTimeout(late);
    this.#close();
  }

  /** Ends the plugin as the death of the engine does: its stdin and its connection close, nothing is said. */
  async abandon(): Promise<void> {
    const gone = this.#gone();
    this.#close();
    this.#process.stdin?.end();
    await gone;
  }

  async #gone(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      await once(this.#process, "exit");
    }
  }

  #close(): void {
    this.#client.close();
    this.#engine.forceShutdown();
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // gone already
  }
}

/** The engine's service, as far as plugins call it. */
function fakeEngine(logs: LogLine[]): Server {
  const server = new Server(channelOptions);
  const severities = ["debug", "info", "warning", "error"] as const;
  server.addService(engineService.EngineService, {
    log: ({ request }: { request: InstanceType<typeof engine.LogRequest> }, done: requestCallback<empty.Empty>) => {
      logs.push({
        severity: severities[request.getSeverity()],
        message: request.getMessage(),
        urn: request.getUrn(),
      });
      done(null, new empty.Empty());
    },
    getRootResource: (_: unknown, done: requestCallback<unknown>) => done(null, new engine.GetRootResourceResponse()),
  });
  return server;
}

function bind(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

function identify<
  Request extends { setUrn(v: string): unknown; setName(v: string): unknown; setType(v: string): unknown },
>(request: Request, target: Target): Request {
  request.setUrn(urnOf(target));
  request.setName(target.name);
  request.setType(target.type);
  return request;
}

function call<Response>(start: (done: requestCallback<Response>) => unknown): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) => (error ? reject(error) : resolve(response as Response)));
  });
}
