import { Metadata, status as statusCode } from "@grpc/grpc-js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import statusMessages from "@pulumi/pulumi/proto/status_pb.js";
import any from "google-protobuf/google/protobuf/any_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { type CheckFailure, type DiffKind, type DiffResult, PartialFailure } from "./provider.ts";
import { decodeMap, encodeMap, type Json, type PropertyMap } from "./values.ts";

/** An error as @grpc/grpc-js sends it. */
export interface WireError {
  readonly code: statusCode;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** Reads a property map; a missing one is empty. */
export function fromStruct(wire: struct.Struct | undefined): PropertyMap {
  return decodeMap((wire?.toJavaScript() ?? {}) as Record<string, Json>);
}

/** Writes a property map. */
export function toStruct(map: PropertyMap): struct.Struct {
  return struct.Struct.fromJavaScript(encodeMap(map));
}

/** Writes the failures of a check or a function. */
export function toFailures(failures: readonly CheckFailure[] = []): messages.CheckFailure[] {
  return failures.map(({ property, reason }) => {
    const failure = new messages.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    return failure;
  });
}

const diffKinds: Readonly<Record<DiffKind, 0 | 1 | 2 | 3 | 4 | 5>> = {
  add: 0,
  "add-replace": 1,
  delete: 2,
  "delete-replace": 3,
  update: 4,
  "update-replace": 5,
};

/** Writes a diff: the answer whether anything changed, and every path with its kind. */
export function toDiff(diff: DiffResult): messages.DiffResponse {
  const response = new messages.DiffResponse();
  const entries = Object.entries(diff.detailed);
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  response.setChanges(entries.length === 0 ? DIFF_NONE : DIFF_SOME);
  response.setDeletebeforereplace(diff.deleteBeforeReplace ?? false);
  response.setHasdetaileddiff(true);
  for (const [path, kind] of entries) {
    const detail = new messages.PropertyDiff();
    detail.setKind(diffKinds[kind]);
    detail.setInputdiff(true);
    response.getDetaileddiffMap().set(path, detail);
  }
  response.setDiffsList(topLevel(entries.map(([path]) => path)));
  response.setReplacesList(topLevel(entries.filter(([, kind]) => kind.endsWith("-replace")).map(([path]) => path)));
  return response;
}

/** The properties in which the paths lie: `a` for `a.b` and `a[0]`. */
function topLevel(paths: readonly string[]): string[] {
  return [...new Set(paths.map((path) => path.split(/[.[]/, 1)[0] ?? path))].sort();
}

/** Writes an error so that the engine shows its message, and keeps what a partial failure left behind. */
export function toWireError(error: unknown): WireError {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof PartialFailure)) {
    return { code: statusCode.UNKNOWN, details: message };
  }
  const detail = new messages.ErrorResourceInitFailed();
  detail.setId(error.id);
  detail.setProperties(toStruct(error.outputs));
  detail.setInputs(toStruct(error.inputs));
  detail.setReasonsList([...error.reasons]);
  const packed = new any.Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statusMessages.Status();
  status.setCode(statusCode.UNKNOWN);
  status.setMessage(message);
  status.addDetails(packed);
  const metadata = new Metadata();
  // gRPC's agreed name for structured errors; the engine's Go library reads it, @grpc/grpc-js has no call for it.
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return { code: statusCode.UNKNOWN, details: message, metadata };
}
