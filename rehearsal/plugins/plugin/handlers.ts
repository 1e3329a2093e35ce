import type { ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";
import pluginMessages from "@pulumi/pulumi/proto/plugin_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { type Context, type Provider, RequestError } from "./provider.ts";
import { fromStruct, toDiff, toFailures, toStruct, toWireError } from "./wire.ts";

/** What the handlers need of the process around them. */
export interface Host {
  /** The context of a call about this resource; "" for calls about none. */
  context(urn: string): Context;
  /** Resolves once all log lines of finished work are with the engine. */
  flushed(): Promise<void>;
  /** The engine has told its address, again. */
  attach(address: string): void;
  /** The engine cancels the update. */
  cancel(): void;
}

/**
 * The service `pulumirpc.ResourceProvider` for a provider. What is missing here (`Construct`, `Call`, `List`,
 * `GetMapping`) is answered as unimplemented by gRPC itself, which the engine understands.
 */
export function handlers(provider: Provider, host: Host): UntypedServiceImplementation {
  /** Runs the work of one call; its log lines reach the engine before its answer does. */
  function unary<Request, Response>(work: (request: Request) => Response | Promise<Response>) {
    return (call: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>): void => {
      (async () => work(call.request))().then(
        (response) => host.flushed().then(() => answer(null, response)),
        (error: unknown) => host.flushed().then(() => answer(toWireError(error))),
      );
    };
  }

  return {
    handshake: unary((request: messages.ProviderHandshakeRequest) => {
      host.attach(request.getEngineAddress());
      const response = new messages.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      return response;
    }),

    attach: unary((request: pluginMessages.PluginAttach) => {
      host.attach(request.getAddress());
      return new empty.Empty();
    }),

    getPluginInfo: unary(() => {
      const response = new pluginMessages.PluginInfo();
      response.setVersion(provider.version);
      return response;
    }),

    getSchema: unary(() => {
      const response = new messages.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name: provider.name, version: provider.version }));
      return response;
    }),

    cancel: unary(() => {
      host.cancel();
      return new empty.Empty();
    }),

    checkConfig: unary(async (request: messages.CheckRequest) => {
      const result = provider.checkConfig
        ? await provider.checkConfig(checkRequest(request))
        : { inputs: fromStruct(request.getNews()) };
      return checkResponse(result);
    }),

    diffConfig: unary(async (request: messages.DiffRequest) =>
      toDiff(provider.diffConfig ? await provider.diffConfig(diffRequest(request)) : { detailed: {} }),
    ),

    configure: unary(async (request: messages.ConfigureRequest) => {
      await provider.configure?.(fromStruct(request.getArgs()), host.context(""));
      const response = new messages.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      return response;
    }),

    invoke: unary(async (request: messages.InvokeRequest) => {
      if (provider.invoke === undefined) {
        throw new RequestError(`the stand-in for ${provider.name} knows no functions; ${request.getTok()} was called`);
      }
      const result = await provider.invoke(request.getTok(), fromStruct(request.getArgs()), host.context(""));
      const response = new messages.InvokeResponse();
      response.setReturn(toStruct(result.outputs));
      response.setFailuresList(toFailures(result.failures));
      return response;
    }),

    check: unary(async (request: messages.CheckRequest) =>
      checkResponse(
        await provider.resource(typeOf(request)).check(checkRequest(request), host.context(request.getUrn())),
      ),
    ),

    diff: unary(async (request: messages.DiffRequest) =>
      toDiff(await provider.resource(typeOf(request)).diff(diffRequest(request), host.context(request.getUrn()))),
    ),

    create: unary(async (request: messages.CreateRequest) => {
      const created = await provider.resource(typeOf(request)).create(
        {
          ...identity(request),
          inputs: fromStruct(request.getProperties()),
          preview: request.getPreview(),
          timeout: request.getTimeout(),
        },
        host.context(request.getUrn()),
      );
      const response = new messages.CreateResponse();
      response.setId(created.id);
      response.setProperties(toStruct(created.outputs));
      return response;
    }),

    read: unary(async (request: messages.ReadRequest) => {
      const found = await provider.resource(typeOf(request)).read(
        {
          ...identity(request),
          id: request.getId(),
          inputs: fromStruct(request.getInputs()),
          outputs: fromStruct(request.getProperties()),
        },
        host.context(request.getUrn()),
      );
      const response = new messages.ReadResponse(); // an answer without an id says that the resource is gone
      if (found !== undefined) {
        response.setId(found.id);
        response.setInputs(toStruct(found.inputs));
        response.setProperties(toStruct(found.outputs));
      }
      return response;
    }),

    update: unary(async (request: messages.UpdateRequest) => {
      const outputs = await provider.resource(typeOf(request)).update(
        {
          ...identity(request),
          id: request.getId(),
          oldInputs: fromStruct(request.getOldInputs()),
          oldOutputs: fromStruct(request.getOlds()),
          news: fromStruct(request.getNews()),
          preview: request.getPreview(),
          timeout: request.getTimeout(),
        },
        host.context(request.getUrn()),
      );
      const response = new messages.UpdateResponse();
      response.setProperties(toStruct(outputs));
      return response;
    }),

    delete: unary(async (request: messages.DeleteRequest) => {
      await provider.resource(typeOf(request)).delete(
        {
          ...identity(request),
          id: request.getId(),
          inputs: fromStruct(request.getOldInputs()),
          outputs: fromStruct(request.getProperties()),
          timeout: request.getTimeout(),
        },
        host.context(request.getUrn()),
      );
      return new empty.Empty();
    }),
  };
}

interface Identified {
  getUrn(): string;
}

/** urn:pulumi:<stack>::<project>::<parent types>$<type>::<name>: engines before 3.132 send no name and type beside it. */
function identity(request: Identified): { urn: string; name: string; type: string } {
  const urn = request.getUrn();
  const parts = urn.split("::");
  return { urn, name: parts.slice(3).join("::"), type: parts[2]?.split("$").at(-1) ?? "" };
}

function typeOf(request: Identified): string {
  return identity(request).type;
}

function checkRequest(request: messages.CheckRequest) {
  return {
    ...identity(request),
    olds: fromStruct(request.getOlds()),
    news: fromStruct(request.getNews()),
    randomSeed: request.getRandomseed_asU8(),
  };
}

function checkResponse(result: {
  inputs: Parameters<typeof toStruct>[0];
  failures?: Parameters<typeof toFailures>[0];
}) {
  const response = new messages.CheckResponse();
  response.setInputs(toStruct(result.inputs));
  response.setFailuresList(toFailures(result.failures));
  return response;
}

function diffRequest(request: messages.DiffRequest) {
  return {
    ...identity(request),
    id: request.getId(),
    oldInputs: fromStruct(request.getOldInputs()),
    oldOutputs: fromStruct(request.getOlds()),
    news: fromStruct(request.getNews()),
    ignoreChanges: request.getIgnorechangesList(),
  };
}
