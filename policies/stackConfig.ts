import { AnalyzerService } from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import type { Grace } from "./exemption.ts";
import { textAt } from "./resource.ts";

/** The stack's config by full keys, objects as JSON text; empty until the engine has told it. */
let config: ReadonlyMap<string, string> = new Map();

/**
 * Keeps what the engine tells of the stack's config. It tells it to every pack before the first resource (ConfigureStack), @pulumi/policy 1.21.0 drops it,
 * and a pack that is an executable has it in no environment variable (pkg/resource/plugin/analyzer_plugin.go, read in 3.259.0).
 */
export function listenForStackConfig(): void {
  const { configureStack } = AnalyzerService;
  const read = configureStack.requestDeserialize;
  configureStack.requestDeserialize = (bytes) => {
    const request = read(bytes);
    config = new Map(request.getConfigMap().getEntryList());
    return request;
  };
}

/** A Wirecloak stack's setting `wirecloak:allowPlaintext`. */
export function allowPlaintext(): Grace | undefined {
  return graceIn(config.get("wirecloak:allowPlaintext"));
}

/** Reads the setting; undefined where it is not there, or is none. */
export function graceIn(text: string | undefined): Grace | undefined {
  let setting: unknown;
  try {
    setting = JSON.parse(text ?? "null");
  } catch {
    return undefined;
  }
  const [reason, until] = [textAt(setting, "reason"), textAt(setting, "until")];
  // YAML takes a bare day for a time, which the engine writes as Go does: `2027-01-31 00:00:00 +0000 UTC`.
  const day = until?.replace(/^(\d{4}-\d{2}-\d{2})[ T]00:00:00.*$/, "$1");
  return reason !== undefined && day !== undefined ? { reason, until: day } : undefined;
}
