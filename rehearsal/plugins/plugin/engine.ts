import { Client, credentials } from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import { channelOptions } from "./channel.ts";
import type { Severity } from "./provider.ts";

/** The engine's own service, as far as plugins need it: showing lines to the user. */
export class Engine {
  readonly #client: Client;
  /** Lines are sent one after the other, or they would arrive in any order. */
  #last: Promise<void> = Promise.resolve();

  /** @param address host:port, from the plugin's first argument or from `Attach`. */
  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), channelOptions);
  }

  /** Shows a line at a resource. Never fails: an engine that is gone needs no lines. */
  log(severity: Severity, message: string, urn: string, ephemeral: boolean): void {
    const request = new engine.LogRequest();
    request.setSeverity(severities[severity]);
    request.setMessage(message);
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    this.#last = this.#last.then(() => this.#send(request));
  }

  /** Resolves when every line has been sent. */
  flushed(): Promise<void> {
    return this.#last;
  }

  #send(request: InstanceType<typeof engine.LogRequest>): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = engineService.EngineService.log;
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, () => resolve());
    });
  }
}

const severities: Readonly<Record<Severity, 0 | 1 | 2 | 3>> = { debug: 0, info: 1, warning: 2, error: 3 };
