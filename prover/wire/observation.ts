import type { Answer } from "../observation.ts";

/** What was seen on the wire in one run: plain data, as it was read, with no judgement in it. Times are ISO 8601. */
export interface WireObservation {
  startedAt: string;
  endedAt: string;
  /** Of the probe pods, as it was asked for. */
  image: string;
  /** Which ordered node pairs were tested. */
  pairs: {
    total: number;
    tested: number /** How the sample was drawn; null where all were tested. */;
    sample: string | null;
  };
  /** One for each node of the cluster. */
  probes: ProbeSeen[];
  vantages: VantageSeen[];
  flows: FlowSeen[];
  /** The test of strict mode; null where it is off, absent in evidence of earlier versions. */
  strict?: StrictSeen | null;
}

/** What was sent to an address that no node holds. */
export interface StrictSeen {
  /** Within which nothing may leave in clear; null where it is not known. */
  range: string | null;
  /** Null where every address of the range is some node's. */
  address: string | null;
  /** One for each node that sent. */
  nodes: StrictNodeSeen[];
}

export interface StrictNodeSeen {
  node: string;
  sent: number;
  /** Why nothing was sent; null where it was. */
  silent: string | null;
  /** Packets that its agent has counted as dropped since they were not encrypted, before and after. */
  drops: { before: Answer<number>; after: Answer<number> };
}

/** The probe pods of one node: one in the node's network, which captures, and one in the pod network, which talks. */
export interface ProbeSeen {
  node: string;
  /** Addresses of the node, the one that others route to first. */
  nodeIps: string[];
  /** Address of the talking pod; null where it has none. */
  podIp: string | null;
  /** Device by which the node reaches the others, such as `eth0`; null where nobody could say. */
  device: string | null;
  /** Why the node could not be probed; null where it was. */
  silent: string | null;
}

/** A place where packets were captured. */
export interface VantageSeen {
  /** For people, unique in the observation: `worker1 eth0`, `bridge br-3f2c`. */
  name: string;
  /** `node`: on the sending node's own device, what it sends. `outside`: between the nodes, what all of them send. */
  where: "node" | "outside";
  /** The node; null for a place outside. */
  node: string | null;
  device: string;
  /** Why nothing was captured here; null where the capture ran. */
  silent: string | null;
  /** The capture was running before the first marker was sent, until after the last one. */
  complete: boolean;
  /** Packets that the kernel dropped before tcpdump saw them, by its own count. */
  dropped: number;
  /** Control markers that passed here in clear and were seen by the same filter and parser. */
  controls: ControlSeen[];
  /** Every kind of readable packet, grouped. */
  plaintext: PlaintextSeen[];
  /** Every stream of encrypted packets, grouped by sender, receiver and SPI. */
  ciphertext: CiphertextSeen[];
}

export interface ControlSeen {
  /** The node that sent it. */
  from: string;
  /** What it looked like: a packet as it is, or one inside the overlay. */
  form: "bare" | "vxlan" | "geneve";
  sent: number;
  seen: number;
}

/** Readable packets of one kind. Addresses are those of the readable innermost packet. */
export interface PlaintextSeen {
  /** `bare`: addresses of pods straight on the wire; `vxlan`, `geneve`: inside an overlay packet; `node`: between node addresses. */
  form: "bare" | "vxlan" | "geneve" | "node";
  src: string;
  dst: string;
  /** The nodes that sent and should receive it; null where the addresses are nobody's known. */
  from: string | null;
  to: string | null;
  /** They held one of this run's markers. */
  marker: boolean;
  packets: number;
  /** One of them as tcpdump tells it, without its payload. */
  example: string;
}

export interface CiphertextSeen {
  kind: "wireguard" | "esp" | "esp-in-vxlan" | "esp-in-geneve";
  src: string;
  dst: string;
  from: string | null;
  to: string | null;
  /** ESP only. */
  spi: number | null;
  /** ESP only: sequence numbers of the first and the last packet, and whether each was greater than the one before. */
  firstSequence: number | null;
  lastSequence: number | null;
  increasing: boolean | null;
  packets: number;
}

/** Marker traffic from one node's workload to another's. */
export interface FlowSeen {
  from: string;
  to: string;
  /** `pod`: between pods; `node`: between node addresses, where node encryption is on. */
  kind: "pod" | "node";
  protocol: "tcp" | "udp";
  sent: number;
  /** How many came back from the other side. */
  returned: number;
  /** Why the sender could not send; null where it could. */
  silent: string | null;
}
