import type { AdmissionObject } from "../clusterApi.ts";
import type { DaemonSetSeen } from "../observation.ts";
import type { BrokenGlass } from "./brokenGlass.ts";
import type { SettledRecord } from "./record.ts";

/** Who changed something, as the API server keeps it (managedFields). */
export interface ChangedBy {
  /** The program that it called itself: `kubectl-edit`, `helm`, `cilium-agent`. */
  manager: string;
  /** `Apply` or `Update`. */
  operation: string;
  time: string | null;
}

/** A live cluster as the Kubernetes API shows it at one moment: plain data with no judgement and no key in it. */
export interface LiveFacts {
  /** Version of this document's shape. */
  schema: 1;
  takenAt: string;
  /** ConfigMap cilium-config; null where there is none. `changes` name the keys that each writer wrote last, the newest first. */
  config: { data: Record<string, string>; digest: string; changes: (ChangedBy & { keys: string[] })[] } | null;
  /** Namespaces with a DaemonSet `cilium`. Asked only where there is no cilium-config; empty also where nobody may ask. */
  ciliumIn: string[];
  /** CiliumNodeConfigs, which override cilium-config on some nodes. */
  nodeConfigs: { name: string; digest: string; by: ChangedBy | null }[];
  daemonSet: DaemonSetSeen | null;
  /** The pods of the DaemonSet. `version` is that of their image; null where its tag is none. */
  agents: { node: string; version: string | null; ready: boolean; startedAt: string | null }[];
  ciliumNodes: LiveNode[];
  nodes: { name: string; ready: boolean }[];
  /** Secret cilium-ipsec-keys; null where there is none, or where it may not be read. */
  secret: LiveSecret | null;
  /** Why the Secret was not read; null where it was, or where there is none. */
  secretUnread: string | null;
  /** What the admission policies let through, by their parameter; null where there is none. */
  admission: { allowed: string; by: ChangedBy | null } | null;
  /** Our ValidatingAdmissionPolicies and their bindings; null where they may not be listed. */
  policies: LivePolicy[] | null;
  /** Objects that somebody has taken out of admission. */
  brokenGlass: BrokenGlass[];
  /** What the last update left in ConfigMap wirecloak-record; null where there is none, or none of this version. */
  record: SettledRecord | null;
}

/** A ValidatingAdmissionPolicy, or the binding of one. */
export interface LivePolicy {
  kind: AdmissionObject["kind"];
  name: string;
  /** Of which object it is, and how often what it says was changed. */
  digest: string;
  by: ChangedBy | null;
}

/** The part of a CiliumNode by which others encrypt to its node. */
export interface LiveNode {
  name: string;
  /** Changes when the node boots. */
  bootId: string | null;
  /** `spec.encryption.key`. */
  key: number;
  /** WireGuard only. */
  publicKey: string | null;
  by: ChangedBy | null;
}

/** The IPsec key without the key. */
export interface LiveSecret {
  /** Null where the Secret holds no line that Cilium could read. */
  keyId: number | null;
  /** Size of the AES key, 128 or 256. */
  keyBits: number | null;
  /** Of the whole line; a random key of 160 bits or more cannot be guessed from it. */
  digest: string;
  by: ChangedBy | null;
  /** Absent where nobody has taken it out of admission. */
  brokenGlass?: BrokenGlass[];
}
