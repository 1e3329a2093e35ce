import type { Intent } from "../../../prover/intent.ts";
import type {
  AgentSeen,
  AgentStatus,
  Answer,
  CiliumNodeSeen,
  DaemonSetSeen,
  EncryptionStatus,
  Observation,
  WireguardSeen,
} from "../../../prover/observation.ts";
import type { Case } from "./healthy.ts";

/** A healthy cluster in which one thing is not. */
export interface Trouble {
  name: string;
  in: Case;
  /** How many nodes it has; 4 unless said. */
  count?: number;
  spoil(seen: Observation, intent: Intent): void;
  /** The check that finds it, and no other one does. */
  by: string;
  /** What it comes to, and at which node (its index). */
  effect: "contradicts" | "unobserved" | "note";
  node: number | null;
  says: RegExp;
}

export const agent = (seen: Observation, index: number): AgentSeen => at(seen.agents, index);
export const ciliumNode = (seen: Observation, index: number): CiliumNodeSeen => at(seen.ciliumNodes, index);

function at<T>(list: T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error(`no element ${index}`);
  return found;
}

function said<T>(answer: Answer<T>): T {
  if ("said" in answer) return answer.said;
  throw new Error(answer.silent);
}

export const status = (seen: Observation, index: number): AgentStatus => said(agent(seen, index).status);
export const encryption = (seen: Observation, index: number): EncryptionStatus => said(agent(seen, index).encryption);

export function wireguard(seen: Observation, index: number): WireguardSeen {
  const found = encryption(seen, index).wireguard;
  if (!found) throw new Error("no WireGuard device");
  return found;
}

export function config(seen: Observation): Record<string, string> {
  if (!seen.config) throw new Error("no cilium-config");
  return seen.config.data;
}

export function daemonSet(seen: Observation): DaemonSetSeen {
  if (!seen.daemonSet) throw new Error("no DaemonSet");
  return seen.daemonSet;
}
