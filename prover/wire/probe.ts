import type { V1Pod } from "@kubernetes/client-node";
import type { NodeSeen } from "../observation.ts";
import type { Egress } from "./device.ts";
import type { ProbeSeen } from "./observation.ts";

/** The probe of a node while it is made and used. */
export interface Probe {
  node: NodeSeen;
  /** Part of its pods' names. */
  index: number;
  podIp: string | null;
  egress: Egress | null;
  /** Why the node cannot be probed; null while nothing is known against it. */
  silent: string | null;
}

/** A probe of which everything is known. */
export interface ReadyProbe extends Probe {
  podIp: string;
  egress: Egress;
  silent: null;
}

export function isReady(probe: Probe): probe is ReadyProbe {
  return probe.silent === null && probe.podIp !== null && probe.egress !== null;
}

export function probeSeen({ node, podIp, egress, silent }: Probe): ProbeSeen {
  return { node: node.name, nodeIps: node.addresses, podIp, device: egress?.device ?? null, silent };
}

/** How a pod stands: it runs, it may yet, or it never will. */
export type PodState = { is: "running"; ip: string | null } | { is: "coming" | "failed"; why: string };

/** Reasons of Kubernetes that no waiting mends within a run. The kubelet has tried at least once by then. */
const FINAL =
  /^(ImagePullBackOff|InvalidImageName|ErrImageNeverPull|CreateContainerConfigError|CreateContainerError|RunContainerError|StartError|CrashLoopBackOff)$/;

/** Reads the state of a pod; `undefined`: the API lists none of that name. */
export function podState(pod: V1Pod | undefined): PodState {
  if (!pod) return { is: "failed", why: "its probe pod is gone" };
  const { phase, reason, message, podIP, containerStatuses = [] } = pod.status ?? {};
  const [container] = containerStatuses;
  if (phase === "Failed" || phase === "Succeeded") {
    const ended = container?.state?.terminated;
    return { is: "failed", why: described("its probe pod ended", reason ?? ended?.reason, message ?? ended?.message) };
  }
  if (phase === "Running" && container?.state?.running) return { is: "running", ip: podIP ?? null };
  const waiting = container?.state?.waiting;
  const why = described(
    `its probe pod is ${phase ?? "Pending"}`,
    waiting?.reason ?? reason,
    waiting?.message ?? message,
  );
  return { is: FINAL.test(waiting?.reason ?? "") ? "failed" : "coming", why };
}

function described(what: string, reason: string | undefined, message: string | undefined): string {
  const details = [reason, message].filter((part) => part !== undefined && part !== "");
  return details.length > 0 ? `${what}: ${details.join(": ")}` : what;
}
