import { encryptingNodes, requiredFlows } from "../../../prover/checks/pairs.ts";
import type { Intent } from "../../../prover/intent.ts";
import type { Counters, Observation, PeerCounters } from "../../../prover/observation.ts";
import type {
  CiphertextSeen,
  ControlSeen,
  FlowSeen,
  PlaintextSeen,
  VantageSeen,
  WireObservation,
} from "../../../prover/wire/observation.ts";
import { type Case, healthy, intentFor, nodeName } from "./healthy.ts";

/** How pods' packets cross in a case: inside an overlay, or as they are. */
export type Routing = "tunnel" | "native";

/** What a case of the wire starts from: a cluster as it is meant to be, with its packets and counters seen. */
export interface WireCase {
  intent: Intent;
  seen: Observation;
  wire: WireObservation;
}

const nodeIp = (index: number): string => `172.30.0.${index + 1}`;
const podIp = (index: number): string => `10.244.${index}.7`;

/** A healthy cluster whose every node pair was tested, captured on every node and on a bridge outside of them. */
export function healthyOnWire(name: Case, routing: Routing = "tunnel", count = 4): WireCase {
  const intent: Intent = {
    ...structuredClone(intentFor(name, count)),
    routing,
    overlay: routing === "tunnel" ? "vxlan" : null,
  };
  intent.proof = { ...intent.proof, outside: { name: "bridge br-3f2c", device: "br-3f2c", command: [] } };
  const seen = healthy(name, count);
  const indices = seen.nodes.map((_, index) => index);
  const pairs = indices.flatMap((from) => indices.filter((to) => to !== from).map((to) => ({ from, to })));
  const fromNode = Map.groupBy(pairs, ({ from }) => from);
  const passing = (node: number | null) => (node === null ? pairs : (fromNode.get(node) ?? []));
  const encrypting = encryptingNodes(intent, seen);
  const place = (node: number | null): VantageSeen => ({
    name: node === null ? "bridge br-3f2c" : `${nodeName(node)} eth0`,
    where: node === null ? "outside" : "node",
    node: node === null ? null : nodeName(node),
    device: node === null ? "br-3f2c" : "eth0",
    silent: null,
    complete: true,
    dropped: 0,
    controls: indices
      .filter((from) => node === null || node === from)
      .flatMap((from) =>
        (intent.overlay ? (["bare", intent.overlay] as const) : (["bare"] as const)).map(
          (form): ControlSeen => ({ from: nodeName(from), form, sent: 3, seen: 3 }),
        ),
      ),
    plaintext: name === "none" ? passing(node).map(plainPackets) : [],
    ciphertext: name === "none" ? [] : passing(node).map((pair) => ciphertext(intent, pair)),
  });
  const wire: WireObservation = {
    startedAt: "2026-11-21T10:00:01.000Z",
    endedAt: "2026-11-21T10:00:06.000Z",
    image: "probe",
    pairs: { total: pairs.length, tested: pairs.length, sample: null },
    probes: indices.map((index) => ({
      node: nodeName(index),
      nodeIps: [nodeIp(index)],
      podIp: podIp(index),
      device: "eth0",
      silent: null,
    })),
    vantages: [...indices.map(place), place(null)],
    flows: pairs.flatMap(({ from, to }) => flows(encrypting, nodeName(from), nodeName(to))),
  };
  seen.wire = wire;
  for (const [index, agent] of seen.agents.entries()) {
    agent.counters = {
      before: { said: counters(intent, count, index, 1_000) },
      after: { said: counters(intent, count, index, 5_000) },
    };
  }
  return { intent, seen, wire };
}

function flows(nodes: ReadonlySet<string>, from: string, to: string): FlowSeen[] {
  return requiredFlows(nodes, { from, to }).map((flow) => ({ from, to, ...flow, sent: 3, returned: 3, silent: null }));
}

function ciphertext(intent: Intent, { from, to }: { from: number; to: number }): CiphertextSeen {
  const ipsec = intent.encryption === "ipsec";
  return {
    kind: ipsec ? "esp" : "wireguard",
    src: nodeIp(from),
    dst: nodeIp(to),
    from: nodeName(from),
    to: nodeName(to),
    spi: ipsec ? intent.keyId : null,
    firstSequence: ipsec ? 101 : null,
    lastSequence: ipsec ? 116 : null,
    increasing: ipsec ? true : null,
    packets: 16,
  };
}

/** Marker packets of a pair in clear. */
export function plainPackets({ from, to }: { from: number; to: number }): PlaintextSeen {
  return {
    form: "bare",
    src: podIp(from),
    dst: podIp(to),
    from: nodeName(from),
    to: nodeName(to),
    marker: true,
    packets: 8,
    example: `IP ${podIp(from)}.40022 > ${podIp(to)}.7411: UDP, length 44`,
  };
}

/** Node packets of a pair in clear, as node encryption must not let out. */
export function plainNodePackets({ from, to }: { from: number; to: number }): PlaintextSeen {
  const example = `IP ${nodeIp(from)}.40022 > ${nodeIp(to)}.7411: UDP, length 44`;
  return { ...plainPackets({ from, to }), form: "node", src: nodeIp(from), dst: nodeIp(to), example };
}

function counters(intent: Intent, count: number, own: number, amount: number): Counters {
  if (intent.encryption === "ipsec")
    return {
      peers: null,
      ipsec: { maxSequence: amount, keysInUse: 2 * (count - 1), errorCount: 0, errors: {} },
    };
  if (intent.encryption === "none") return { peers: null, ipsec: null };
  const others = Array.from({ length: count }, (_, index) => index).filter((index) => index !== own);
  return {
    peers: others.map(
      (index): PeerCounters => ({
        publicKey: Buffer.alloc(32, index + 1).toString("base64"),
        endpoint: `${nodeIp(index)}:51871`,
        lastHandshake: "2026-11-21T09:59:00.000Z",
        rx: amount,
        tx: amount,
      }),
    ),
    ipsec: null,
  };
}

export const vantage = (wire: WireObservation, where: number | "outside"): VantageSeen => {
  const name = where === "outside" ? null : nodeName(where);
  const found = wire.vantages.find((each) => each.node === name);
  if (!found) throw new Error(`no place of capture for ${where}`);
  return found;
};

/** The places that see what a node sends. */
export const passedBy = (wire: WireObservation, from: number): VantageSeen[] => [
  vantage(wire, from),
  vantage(wire, "outside"),
];

/** What was counted after the markers at a node. */
export function counted(seen: Observation, index: number, when: "before" | "after" = "after"): Counters {
  const answer = seen.agents[index]?.counters?.[when];
  if (!answer || !("said" in answer)) throw new Error(`no counters of node ${index}`);
  return answer.said;
}
