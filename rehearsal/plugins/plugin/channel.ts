import type { ChannelOptions } from "@grpc/grpc-js";

/** The engine allows messages of 400 MB (sdk/go/common/util/rpcutil); gRPC's own limit is 4 MB. */
const maxMessageBytes = 400 * 1024 * 1024;

/** Options for both ends of every connection between engine and plugin. */
export const channelOptions: ChannelOptions = {
  "grpc.max_receive_message_length": maxMessageBytes,
  "grpc.max_send_message_length": maxMessageBytes,
  // Traffic stays on this machine; without this an http_proxy of the user's would be asked for it.
  "grpc.enable_http_proxy": 0,
};
