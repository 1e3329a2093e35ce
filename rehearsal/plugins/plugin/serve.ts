import { fstatSync } from "node:fs";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { channelOptions } from "./channel.ts";
import { Engine } from "./engine.ts";
import { handlers } from "./handlers.ts";
import type { Context, Provider } from "./provider.ts";

/**
 * Serves a provider to the Pulumi engine: gRPC on a free port of 127.0.0.1, the port as the first line of stdout. The
 * engine gives its own address as an argument; without one (PULUMI_DEBUG_PROVIDERS) it attaches later.
 */
export async function serve(provider: Provider, args: readonly string[] = process.argv.slice(2)): Promise<void> {
  const stopping = new AbortController();
  const address = args.find((arg) => /^[^-].*:\d+$/.test(arg));
  let engine = address === undefined ? undefined : { address, client: new Engine(address) };

  const server = new Server(channelOptions);
  server.addService(
    providerService.ResourceProviderService,
    handlers(provider, {
      context: (urn): Context => ({
        signal: stopping.signal,
        log: (severity, message, options) => engine?.client.log(severity, message, urn, options?.ephemeral ?? false),
      }),
      flushed: () => engine?.client.flushed() ?? Promise.resolve(),
      attach: (to) => {
        if (to !== engine?.address) {
          engine = { address: to, client: new Engine(to) };
        }
      },
      cancel: () => stopping.abort(),
    }),
  );

  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  process.stdout.write(`${port}\n`);
  stopWithEngine(stopping);
}

/**
 * Ends the process, and what it runs, when the engine goes. At the end of an update the engine interrupts the process
 * group of each plugin. If the engine is killed instead, nothing but the end of stdin tells; then the group is ended
 * from here. A plugin that somebody started by hand may have a stdin that says nothing.
 */
function stopWithEngine(stopping: AbortController): void {
  const stop = () => {
    stopping.abort();
    process.exit(0);
  };
  const stopGroup = () => {
    try {
      process.kill(-process.pid, "SIGTERM"); // only a group of our own: the engine starts each plugin as a leader
    } catch {
      // part of somebody else's group, which is not ours to end
    }
    stop();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  process.stdout.on("error", stopGroup); // nobody reads any more
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) {
    process.stdin.resume().on("end", stopGroup).on("error", stopGroup);
  }
}
