import type { ServiceError } from "@grpc/grpc-js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import statusMessages from "@pulumi/pulumi/proto/status_pb.js";
import { fromStruct } from "../../rehearsal/plugins/plugin/wire.ts";
import type { State } from "./plugin.ts";

/** What the engine learns of a resource that exists but did not become what it should. */
export interface InitFailure extends State {
  readonly reasons: readonly string[];
}

/**
 * The state in the error of a call, which the engine keeps for the next update.
 * @throws when the call succeeds, or fails without a state: the resource then is not in the state.
 */
export async function initFailureOf(call: Promise<unknown>): Promise<InitFailure> {
  const error = await call.then(
    () => {
      throw new Error("the call succeeded");
    },
    (failed: ServiceError) => failed,
  );
  const [packed] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!(packed instanceof Buffer)) {
    throw new Error(`no state in the error: ${error.message}`);
  }
  const [detail] = statusMessages.Status.deserializeBinary(packed).getDetailsList();
  const failure = messages.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
  return {
    id: failure.getId(),
    inputs: fromStruct(failure.getInputs()),
    outputs: fromStruct(failure.getProperties()),
    reasons: failure.getReasonsList(),
  };
}
