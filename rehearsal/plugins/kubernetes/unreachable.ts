import { RequestError } from "../plugin/provider.ts";

/** The cluster does not answer. The message has the way out. */
export class UnreachableError extends RequestError {
  constructor(reason: string) {
    super(
      `configured Kubernetes cluster is unreachable: ${reason}. If the cluster was deleted, remove what was in it from ` +
        "the state by running again with PULUMI_K8S_DELETE_UNREACHABLE=true",
    );
  }
}
