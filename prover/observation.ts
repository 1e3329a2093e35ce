import type { BrokenGlass } from "./live/brokenGlass.ts";
import type { ChangedBy, LiveSecret } from "./live/facts.ts";
import type { SettledRecord } from "./live/record.ts";
import type { WireObservation } from "./wire/observation.ts";

/** What was seen of a cluster: plain data, as it was read, with no judgement in it. Times are ISO 8601. */
export interface Observation {
  takenAt: string;
  /** ConfigMap cilium-config; null where there is none. */
  config: ConfigSeen | null;
  /** DaemonSet cilium; null where there is none. */
  daemonSet: DaemonSetSeen | null;
  nodes: NodeSeen[];
  ciliumNodes: CiliumNodeSeen[];
  /** One for each pod of the DaemonSet. */
  agents: AgentSeen[];
  /** CiliumNodeConfigs of Cilium's namespace; absent where nobody asked or they may not be listed. */
  nodeConfigs?: NodeConfigSeen[];
  /** What of these somebody has taken out of admission; absent where nothing is. Of the Secret: in `settled`. */
  brokenGlass?: BrokenGlass[];
  /** What the last update left, and the Secret it is held against; absent where nobody asked. */
  settled?: SettledSeen;
  /** What of encryption and tunnels is on the nodes, of this mode and of those before; absent where nobody looked. */
  leftovers?: LeftoversSeen[];
  /** The guard between the nodes, before the marker traffic and after it; absent where none is meant to be. */
  guard?: { before: Answer<GuardSeen | null>; after: Answer<GuardSeen | null> };
  /** What was captured between the nodes; null where nobody looked. */
  wire: WireObservation | null;
}

/** A guard in force: what drops readable packets between the nodes, outside of them. */
export interface GuardSeen {
  /** Which of the clusters that bore this name it was made for. */
  generation: string;
  /** The ciphertext that passes, in the guard's own words. */
  forms: string[];
  /** Of its rules, without counters. */
  digest: string;
  /** True where nobody has changed it since it was set. */
  intact: boolean;
  /** By name of the counter, since it was first set: `what` in words, and whether that should have been encrypted. */
  dropped: Record<string, { packets: number; bytes: number; what: string; plaintext: boolean }>;
  /** Absent where the guard is a table of ours, which tells of itself. */
  rules?: RulesSeen | undefined;
}

/** A guard that a cloud carries, as it told of it. It counts nothing. */
export interface RulesSeen {
  /** Who told: `AWS`. */
  by: string;
  at: string;
  /** Ids of the rules by which everything passes between nodes, as where no guard is wanted; empty: there are none. */
  open: string[];
  faults: RuleFault[];
  /** One address of each machine whose groups were looked at. */
  addresses: string[];
}

/** What of such a guard is not as it must be. */
export interface RuleFault {
  /** A rule that is not there, one that opens something, or a machine that the rules do not hold. */
  kind: "missing" | "foreign" | "node";
  /** The rule: by our name for one that is missing, else by the cloud's id; null where it is about a machine. */
  rule: string | null;
  /** The machine by the cloud's name, and an address of it; null where it is about a rule. */
  node: string | null;
  address: string | null;
  /** One sentence part without a full stop. */
  what: string;
  evidence: string;
  fix: string | null;
}

/** Options that override cilium-config on the nodes that it selects. */
export interface NodeConfigSeen {
  name: string;
  defaults: Record<string, string>;
  /** Of all of its spec. */
  digest: string;
  by: ChangedBy | null;
}

export interface SettledSeen {
  /** Null where none was left. */
  record: SettledRecord | null;
  /** The IPsec key's Secret without the key; null where there is none, or where it may not be read. */
  secret: LiveSecret | null;
  /** Why the Secret was not read; null where it was, or where there is none. */
  secretUnread: string | null;
}

export interface ConfigSeen {
  data: Record<string, string>;
  /** When its data last changed, by the API server's clock; null where the server does not tell. */
  changedAt: string | null;
  /** The keys that each writer wrote last, the newest first; absent in evidence of earlier versions. */
  changes?: (ChangedBy & { keys: string[] })[];
}

export interface DaemonSetSeen {
  generation: number;
  observedGeneration: number;
  /** Nodes that should run an agent, that run one of the newest revision, and whose agent is ready. */
  desired: number;
  updated: number;
  ready: number;
  /** `controller-revision-hash` of the newest ControllerRevision; null where there is none. */
  revision: string | null;
  /** Options that the agent's command line or environment sets beside cilium-config, as `name=value`. */
  options: string[];
}

export interface NodeSeen {
  name: string;
  controlPlane: boolean;
  /** It says of itself that it only stands in for a node (label `wirecloak.io/rehearsal`), whoever says that it is real. */
  simulated: boolean;
  /** Kubernetes calls it Ready. */
  ready: boolean;
  /** Its `InternalIP` addresses, in the API's order. */
  addresses: string[];
  /** Where the addresses of its pods come from: those of its CiliumNode, else those of the Node. */
  podCidrs: string[];
}

/** The part of a CiliumNode by which the other nodes know how to encrypt to it. */
export interface CiliumNodeSeen {
  name: string;
  /** Annotation `network.cilium.io/wg-pub-key`. */
  wireguardKey: string | null;
  /** `spec.encryption.key`: the SPI in IPsec mode, 255 in WireGuard mode, 0 unencrypted or opted out of node encryption. */
  encryptionKey: number;
  /** `spec.bootid`. */
  bootId: string | null;
  /** Who last wrote one of these; absent in evidence of earlier versions. */
  by?: ChangedBy | null;
}

export interface AgentSeen {
  pod: string;
  node: string;
  ready: boolean;
  /** Why it is not running, as Kubernetes words it (`CrashLoopBackOff`). */
  waiting: string | null;
  /** It is being deleted. */
  terminating: boolean;
  /** Its `controller-revision-hash`. */
  revision: string | null;
  /** Version of its image; null where the image's tag is none. Absent in evidence of earlier versions. */
  version?: string | null;
  /** When the pod was made or its agent last started, whichever is later. */
  startedAt: string | null;
  /** `cilium-dbg status`. */
  status: Answer<AgentStatus>;
  /** `cilium-dbg encrypt status`. */
  encryption: Answer<EncryptionStatus>;
  /** Its counters before the marker traffic and after it; null where none was made. */
  counters: { before: Answer<Counters>; after: Answer<Counters> } | null;
}

/** What a node has for an encryption mode or a tunnel, in use or not. */
export interface LeftoversSeen {
  node: string;
  pod: string;
  /** Its `cilium_*` devices. */
  devices: string[];
  /** IPsec states and policies, Cilium's and others'; null where the node does not tell. */
  xfrm: { states: number; policies: number } | null;
}

/** What a command in an agent's pod answered: the document, or why there is none. */
export type Answer<T> = { said: T } | { silent: string };

/** Cilium's models.EncryptionStatus.mode. */
export type AgentMode = "Disabled" | "IPsec" | "Wireguard" | "Ztunnel";

/** Part of `cilium-dbg status`: what the agent was configured to do. */
export interface AgentStatus {
  mode: AgentMode;
  /** As the agent words it, `1.20.2 (v1.20.2-8d3e5d9f)`; null where it tells none. */
  version: string | null;
  /** WireGuard only: `Disabled`, `Enabled` or `OptedOut`; null where the agent tells none. */
  nodeEncryption: string | null;
}

/** Part of `cilium-dbg encrypt status`; since Cilium 1.19 from the kernel's state, before that the agent's own word. */
export interface EncryptionStatus {
  mode: AgentMode;
  /** What the agent itself found wrong, such as kernel and agent not agreeing. */
  message: string | null;
  wireguard: WireguardSeen | null;
  ipsec: IpsecSeen | null;
}

export interface WireguardSeen {
  publicKey: string;
  peerCount: number;
  /** Public keys of the peers; null where this Cilium's command does not list them. */
  peers: string[] | null;
}

export interface IpsecSeen {
  keysInUse: number;
  /** XFRM error counters that are not 0, since boot. */
  errors: Record<string, number>;
}

/** What an agent's encryption has counted so far. */
export interface Counters {
  /** The WireGuard peers, from `cilium-dbg debuginfo`; null where it has no WireGuard device. */
  peers: PeerCounters[] | null;
  /** IPsec, from `cilium-dbg encrypt status`; null in the other modes. */
  ipsec: IpsecCounters | null;
}

/** One WireGuard peer of a node. */
export interface PeerCounters {
  publicKey: string;
  /** Address and port that packets to it are sent to; null where none is known. */
  endpoint: string | null;
  /** Null where there never was one. */
  lastHandshake: string | null;
  /** Bytes received from it and sent to it. */
  rx: number;
  tx: number;
}

export interface IpsecCounters {
  /** The highest sequence number of all tunnels outwards; null where no packet ever went through IPsec. */
  maxSequence: number | null;
  keysInUse: number;
  /** XFRM errors since boot, all of them and by name. */
  errorCount: number;
  errors: Record<string, number>;
}
