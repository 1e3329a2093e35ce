import type { Verdict } from "../../../prover/judge.ts";
import type { Counters } from "../../../prover/observation.ts";
import { type Case, healthy, nodeName } from "./healthy.ts";
import { agent, ciliumNode, daemonSet, encryption } from "./trouble.ts";
import { counted, passedBy, plainNodePackets, plainPackets, vantage, type WireCase } from "./wire.ts";

/** A cluster with its packets and counters seen, in which something is wrong, and what the prover must make of it. */
export interface WireFault {
  name: string;
  in: readonly Case[];
  spoil(wireCase: WireCase): void;
  verdict: Verdict;
  /** Checks that must speak; others may too. */
  by: readonly string[];
}

const WIREGUARD: readonly Case[] = ["wireguard", "wireguard with node encryption"];
const IPSEC: readonly Case[] = ["ipsec"];
const ENCRYPTED: readonly Case[] = [...WIREGUARD, ...IPSEC];

/** Readable packets from node 1 to node 0, at every place that they pass. */
function inClear({ wire, intent }: WireCase): void {
  for (const place of passedBy(wire, 1))
    place.plaintext.push({ ...plainPackets({ from: 1, to: 0 }), form: intent.overlay ?? "bare" });
}

/** No encrypted packets from node 1 to node 0. */
function noneEncrypted({ wire }: WireCase): void {
  for (const place of passedBy(wire, 1))
    place.ciphertext = place.ciphertext.filter(({ from, to }) => from !== nodeName(1) || to !== nodeName(0));
}

/** Nothing comes back between node 1 and node 0. */
function noneReturned({ wire }: WireCase): void {
  const [one, zero] = [nodeName(1), nodeName(0)];
  for (const flow of wire.flows)
    if ((flow.from === one && flow.to === zero) || (flow.from === zero && flow.to === one)) flow.returned = 0;
}

/** Node 1's counters stay as they are. */
function frozen({ seen }: WireCase): void {
  const { counters } = agent(seen, 1);
  if (counters) counters.after = structuredClone(counters.before);
}

/** Node 1's counters of its peer, node 0. */
function peer({ seen }: WireCase, when: "before" | "after" = "after") {
  const key = ciliumNode(seen, 0).wireguardKey;
  const found = counted(seen, 1, when).peers?.find((each) => each.publicKey === key);
  if (!found) throw new Error("no such peer");
  return found;
}

function ipsec(wireCase: WireCase, index = 1): NonNullable<Counters["ipsec"]> {
  const found = counted(wireCase.seen, index).ipsec;
  if (!found) throw new Error("no IPsec counters");
  return found;
}

function errors(wireCase: WireCase, index: number, name: string, count: number): void {
  const counters = ipsec(wireCase, index);
  counters.errors[name] = count;
  counters.errorCount += count;
}

/** What node 1 sends to node 0, as IPsec: the streams at every place. */
function streams({ wire }: WireCase) {
  return passedBy(wire, 1).flatMap((place) =>
    place.ciphertext.filter(({ from, to }) => from === nodeName(1) && to === nodeName(0)),
  );
}

/** The faults that a rehearsal has to order (docs/faults.md), as the prover sees them: at node 1, towards node 0. */
export const orderedFaults: readonly WireFault[] = [
  {
    name: "leak",
    in: ENCRYPTED,
    spoil: (wireCase) => {
      inClear(wireCase);
      noneEncrypted(wireCase);
      if (wireCase.intent.encryption === "wireguard") Object.assign(peer(wireCase), peer(wireCase, "before"));
    },
    verdict: "failed",
    by: ["wire-readable", "wire-encrypted"],
  },
  { name: "leak-beside", in: ENCRYPTED, spoil: inClear, verdict: "failed", by: ["wire-readable"] },
  {
    name: "stale-peer-key",
    in: WIREGUARD,
    spoil: (wireCase) => {
      Object.assign(peer(wireCase), { ...peer(wireCase, "before"), lastHandshake: null });
      peer(wireCase).publicKey = peer(wireCase, "before").publicKey = Buffer.alloc(32, 99).toString("base64");
      noneReturned(wireCase);
    },
    verdict: "failed",
    by: ["peer-keys", "wire-flow"],
  },
  {
    name: "peer-missing",
    in: WIREGUARD,
    spoil: (wireCase) => {
      const { seen } = wireCase;
      const key = ciliumNode(seen, 0).wireguardKey;
      const counters = counted(seen, 1);
      counters.peers = counters.peers?.filter((each) => each.publicKey !== key) ?? null;
      const { wireguard } = encryption(seen, 1);
      if (wireguard) Object.assign(wireguard, { peerCount: wireguard.peerCount - 1, peers: null });
      noneEncrypted(wireCase);
      noneReturned(wireCase);
    },
    verdict: "failed",
    by: ["peer-keys", "wireguard-peer-count", "wire-flow", "wire-encrypted"],
  },
  {
    name: "peer-missing",
    in: IPSEC,
    spoil: (wireCase) => {
      const said = encryption(wireCase.seen, 1).ipsec;
      if (said) said.keysInUse -= 2;
      errors(wireCase, 1, "XfrmOutPolBlock", 6);
      noneEncrypted(wireCase);
      noneReturned(wireCase);
    },
    verdict: "failed",
    by: ["ipsec-keys", "xfrm-errors", "wire-flow", "wire-encrypted"],
  },
  {
    name: "handshake-dead",
    in: WIREGUARD,
    spoil: (wireCase) => {
      Object.assign(peer(wireCase), { ...peer(wireCase, "before"), lastHandshake: null });
      noneEncrypted(wireCase);
      noneReturned(wireCase);
    },
    verdict: "not proven",
    by: ["peer-handshake", "peer-transfer", "wire-encrypted", "wire-flow"],
  },
  {
    name: "wrong-spi",
    in: IPSEC,
    spoil: (wireCase) => {
      for (const stream of streams(wireCase)) stream.spi = 4;
      errors(wireCase, 0, "XfrmInNoStates", 16);
      noneReturned(wireCase);
    },
    verdict: "failed",
    by: ["wire-spi", "xfrm-errors", "wire-flow"],
  },
  {
    name: "replay-esp",
    in: IPSEC,
    spoil: (wireCase) => {
      for (const stream of streams(wireCase)) Object.assign(stream, { increasing: false, packets: 32 });
      errors(wireCase, 0, "XfrmInStateSeqError", 16);
    },
    verdict: "failed",
    by: ["wire-sequence", "xfrm-errors"],
  },
  {
    name: "corrupt-esp",
    in: IPSEC,
    spoil: (wireCase) => {
      for (const stream of streams(wireCase)) Object.assign(stream, { increasing: false, packets: 32 });
      errors(wireCase, 0, "XfrmInStateProtoError", 16);
    },
    verdict: "failed",
    by: ["wire-sequence", "xfrm-errors"],
  },
  {
    name: "counters-frozen with leak",
    in: ENCRYPTED,
    spoil: (wireCase) => {
      frozen(wireCase);
      inClear(wireCase);
      noneEncrypted(wireCase);
    },
    verdict: "failed",
    by: ["wire-readable"],
  },
  { name: "counters-frozen", in: WIREGUARD, spoil: frozen, verdict: "not proven", by: ["peer-transfer"] },
  { name: "counters-frozen", in: IPSEC, spoil: frozen, verdict: "not proven", by: ["ipsec-sequence"] },
  {
    name: "agent-down",
    in: ENCRYPTED,
    spoil: ({ seen }) => {
      const silent = { silent: "was not asked" };
      Object.assign(agent(seen, 1), { ready: false, waiting: "CrashLoopBackOff", status: silent, encryption: silent });
      agent(seen, 1).counters = { before: silent, after: silent };
      daemonSet(seen).ready -= 1;
    },
    verdict: "failed",
    by: ["agent-ready", "rolled-out", "agent-answers"],
  },
  {
    name: "old-config",
    in: ENCRYPTED,
    spoil: (wireCase) => {
      // It is up, and was never restarted after encryption was turned on.
      const { seen } = wireCase;
      Object.assign(agent(seen, 1), {
        startedAt: "2026-11-21T08:00:00.000Z",
        status: healthy("none").agents[1]?.status,
        encryption: healthy("none").agents[1]?.encryption,
      });
      const none = { said: { peers: null, ipsec: null } };
      agent(seen, 1).counters = { before: none, after: none };
      ciliumNode(seen, 1).encryptionKey = 0;
      inClear(wireCase);
      noneEncrypted(wireCase);
    },
    verdict: "failed",
    by: ["agent-restarted", "agent-mode", "encryption-key", "counters", "wire-readable"],
  },
  {
    name: "partition",
    in: ENCRYPTED,
    spoil: ({ seen, wire }) => {
      // What it sends is seen on its own device still, and nowhere else.
      for (const flow of wire.flows) if (flow.from === nodeName(1) || flow.to === nodeName(1)) flow.returned = 0;
      const outside = vantage(wire, "outside");
      outside.ciphertext = outside.ciphertext.filter(({ from }) => from !== nodeName(1));
      outside.controls = outside.controls.filter(({ from }) => from !== nodeName(1));
      for (const each of counted(seen, 1).peers ?? []) each.rx = 1_000;
    },
    verdict: "not proven",
    by: ["wire-flow", "wire-encrypted", "wire-control"],
  },
  {
    name: "loss of 20 %",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      for (const [index, flow] of wire.flows.entries()) flow.returned -= index % 3;
      for (const place of wire.vantages) for (const control of place.controls) control.seen -= 1;
    },
    verdict: "proven",
    by: [],
  },
  {
    name: "blind",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      for (const place of wire.vantages) {
        for (const control of place.controls) control.seen = 0;
        place.plaintext = [];
        place.ciphertext = [];
      }
    },
    verdict: "not proven",
    by: ["wire-control", "wire-encrypted"],
  },
];

/** What only one check tells, so that each is seen to be needed. */
export const soleFaults: readonly WireFault[] = [
  {
    name: "nobody looked at the wire",
    in: ENCRYPTED,
    spoil: ({ seen }) => {
      seen.wire = null;
      for (const each of seen.agents) each.counters = null;
    },
    verdict: "not proven",
    by: ["wire"],
  },
  {
    name: "one direction leaks on the node's own device only, where something else encrypts behind it",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      vantage(wire, 1).plaintext.push({ ...plainPackets({ from: 1, to: 0 }), marker: false });
    },
    verdict: "failed",
    by: ["wire-readable"],
  },
  {
    name: "a marker is seen from an address that is nobody's",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      vantage(wire, "outside").plaintext.push({ ...plainPackets({ from: 1, to: 0 }), from: null, to: null });
    },
    verdict: "failed",
    by: ["wire-readable"],
  },
  {
    name: "two workers exchange node traffic in clear",
    in: ["wireguard with node encryption"],
    spoil: ({ wire }) => {
      vantage(wire, 1).plaintext.push(plainNodePackets({ from: 1, to: wire.probes.length - 1 }));
    },
    verdict: "failed",
    by: ["wire-readable"],
  },
  {
    name: "blind to readable packets only",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      for (const control of vantage(wire, 1).controls) control.seen = 0;
    },
    verdict: "not proven",
    by: ["wire-control"],
  },
  {
    name: "blind to one node from outside",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      const outside = vantage(wire, "outside");
      outside.controls = outside.controls.filter(({ from, form }) => from !== nodeName(1) || form !== "bare");
    },
    verdict: "not proven",
    by: ["wire-control"],
  },
  {
    name: "a capture did not start",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      Object.assign(vantage(wire, 1), { silent: "tcpdump: eth0: no such device", controls: [], ciphertext: [] });
    },
    verdict: "not proven",
    by: ["wire-capture"],
  },
  {
    name: "a capture ended early",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      vantage(wire, 1).complete = false;
    },
    verdict: "not proven",
    by: ["wire-capture"],
  },
  {
    name: "a capture missed packets",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      vantage(wire, "outside").dropped = 1;
    },
    verdict: "not proven",
    by: ["wire-capture"],
  },
  {
    name: "nobody captured what a node sends",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      wire.vantages = wire.vantages.filter((place) => place.node !== nodeName(1));
    },
    verdict: "not proven",
    by: ["wire-capture"],
  },
  {
    name: "nobody captured between the nodes, where that was asked for",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      wire.vantages = wire.vantages.filter((place) => place.where === "node");
    },
    verdict: "not proven",
    by: ["wire-capture"],
  },
  {
    name: "a node could not be probed",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      const [, probe] = wire.probes;
      if (probe) probe.silent = "its probe pod did not start: ErrImagePull";
      wire.flows = wire.flows.filter(({ from, to }) => from !== nodeName(1) && to !== nodeName(1));
    },
    verdict: "not proven",
    by: ["wire-probe"],
  },
  {
    name: "a node was left out",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      wire.probes.splice(1, 1);
      wire.flows = wire.flows.filter(({ from, to }) => from !== nodeName(1) && to !== nodeName(1));
    },
    verdict: "not proven",
    by: ["wire-probe"],
  },
  {
    name: "a pair was not tested, and no sample was drawn",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      wire.flows = wire.flows.filter(({ from, to }) => from !== nodeName(1) || to !== nodeName(0));
    },
    verdict: "not proven",
    by: ["wire-pairs"],
  },
  {
    name: "a sample in which a node does not receive",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      wire.pairs.sample = "each node to one other";
      wire.flows = wire.flows.filter(({ to }) => to !== nodeName(1));
    },
    verdict: "not proven",
    by: ["wire-pairs"],
  },
  {
    name: "a marker does not come back",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      const [flow] = wire.flows;
      if (flow) flow.returned = 0;
    },
    verdict: "not proven",
    by: ["wire-flow"],
  },
  {
    name: "one protocol was not tried",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      wire.flows.splice(1, 1);
    },
    verdict: "not proven",
    by: ["wire-flow"],
  },
  {
    name: "a sender could not send",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      for (const flow of wire.flows) if (flow.from === nodeName(1)) flow.silent = "socat: not found";
    },
    verdict: "not proven",
    by: ["wire-flow"],
  },
  {
    name: "nothing encrypted is seen, though markers come back and nothing readable is seen",
    in: ENCRYPTED,
    spoil: noneEncrypted,
    verdict: "not proven",
    by: ["wire-encrypted"],
  },
  {
    name: "what is encrypted is seen to be of the other mode only",
    in: IPSEC,
    spoil: (wireCase) => {
      for (const stream of streams(wireCase)) Object.assign(stream, { kind: "wireguard", spi: null });
    },
    verdict: "not proven",
    by: ["wire-encrypted"],
  },
  {
    name: "a node still sends with the previous key, which its peer still has",
    in: IPSEC,
    spoil: (wireCase) => {
      for (const stream of streams(wireCase)) stream.spi = 2;
    },
    verdict: "failed",
    by: ["wire-spi"],
  },
  {
    name: "replay-esp, and the other side does not count it",
    in: IPSEC,
    spoil: (wireCase) => {
      for (const stream of streams(wireCase)) Object.assign(stream, { increasing: false, packets: 32 });
    },
    verdict: "failed",
    by: ["wire-sequence"],
  },
  {
    name: "XFRM errors are counted while markers pass",
    in: IPSEC,
    spoil: (wireCase) => errors(wireCase, 0, "XfrmInStateProtoError", 1),
    verdict: "failed",
    by: ["xfrm-errors"],
  },
  {
    name: "XFRM errors without a name are counted",
    in: IPSEC,
    spoil: (wireCase) => {
      ipsec(wireCase).errorCount += 1;
    },
    verdict: "failed",
    by: ["xfrm-errors"],
  },
  {
    name: "more of the bearable XFRM errors than Cilium's own test bears",
    in: IPSEC,
    spoil: (wireCase) => errors(wireCase, 1, "XfrmInStateInvalid", 10),
    verdict: "failed",
    by: ["xfrm-errors"],
  },
  {
    name: "no packet ever went through IPsec",
    in: IPSEC,
    spoil: (wireCase) => {
      ipsec(wireCase).maxSequence = null;
    },
    verdict: "not proven",
    by: ["ipsec-sequence"],
  },
  {
    name: "a peer's key is not the one that its node publishes, though markers come back",
    in: WIREGUARD,
    spoil: (wireCase) => {
      peer(wireCase).publicKey = Buffer.alloc(32, 99).toString("base64");
    },
    verdict: "failed",
    by: ["peer-keys"],
  },
  {
    name: "there never was a handshake",
    in: WIREGUARD,
    spoil: (wireCase) => {
      peer(wireCase).lastHandshake = null;
    },
    verdict: "not proven",
    by: ["peer-handshake"],
  },
  {
    name: "the last handshake is older than a session lives",
    in: WIREGUARD,
    spoil: (wireCase) => {
      peer(wireCase).lastHandshake = "2026-11-21T09:57:05.000Z";
    },
    verdict: "not proven",
    by: ["peer-handshake"],
  },
  {
    name: "a peer received nothing",
    in: WIREGUARD,
    spoil: (wireCase) => {
      peer(wireCase).rx = 1_000;
    },
    verdict: "not proven",
    by: ["peer-transfer"],
  },
  {
    name: "an agent's counters cannot be had",
    in: ENCRYPTED,
    spoil: ({ seen }) => {
      const { counters } = agent(seen, 1);
      if (counters) counters.before = { silent: "did not answer within 10 s" };
    },
    verdict: "not proven",
    by: ["counters"],
  },
  {
    name: "the counters were not asked for",
    in: ENCRYPTED,
    spoil: ({ seen }) => {
      agent(seen, 1).counters = null;
    },
    verdict: "not proven",
    by: ["counters"],
  },
];

/** What looks like trouble and is none: the verdict stays `proven`. */
export const harmless: readonly WireFault[] = [
  {
    name: "what leaves the cluster is readable",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      vantage(wire, 1).plaintext.push({ ...plainPackets({ from: 1, to: 0 }), to: null, dst: "1.1.1.1", marker: false });
    },
    verdict: "proven",
    by: [],
  },
  {
    name: "a pod talks to another node's own address",
    in: ["wireguard", "ipsec"],
    spoil: ({ wire }) => {
      vantage(wire, 1).plaintext.push({ ...plainPackets({ from: 1, to: 0 }), dst: "172.30.0.1", marker: false });
    },
    verdict: "proven",
    by: [],
  },
  {
    name: "node traffic is readable, where node encryption is off",
    in: ["wireguard", "ipsec"],
    spoil: ({ wire }) => {
      vantage(wire, 1).plaintext.push(plainNodePackets({ from: 1, to: 0 }));
    },
    verdict: "proven",
    by: [],
  },
  {
    name: "node traffic with a control plane that opted out is readable",
    in: ["wireguard with node encryption"],
    spoil: ({ wire }) => {
      vantage(wire, 1).plaintext.push(plainNodePackets({ from: 1, to: 0 }));
    },
    verdict: "proven",
    by: [],
  },
  {
    name: "tunnels of the other mode are still there",
    in: ENCRYPTED,
    spoil: ({ wire, intent }) => {
      const [first] = vantage(wire, 1).ciphertext;
      if (!first) return;
      const other = intent.encryption === "ipsec" ? ("wireguard" as const) : ("esp" as const);
      vantage(wire, 1).ciphertext.push({ ...first, kind: other, spi: 9 });
    },
    verdict: "proven",
    by: ["wire-encrypted"],
  },
  {
    name: "somebody else's ESP passes",
    in: IPSEC,
    spoil: ({ wire }) => {
      const [first] = vantage(wire, "outside").ciphertext;
      if (first) vantage(wire, "outside").ciphertext.push({ ...first, from: null, to: null, spi: 3_000_000 });
    },
    verdict: "proven",
    by: [],
  },
  {
    name: "Cilium up to 1.17 puts its ESP inside VXLAN",
    in: IPSEC,
    spoil: ({ wire }) => {
      for (const place of wire.vantages) for (const stream of place.ciphertext) stream.kind = "esp-in-vxlan";
    },
    verdict: "proven",
    by: [],
  },
  {
    name: "several processors send ESP out of order",
    in: IPSEC,
    spoil: (wireCase) => {
      for (const stream of streams(wireCase)) stream.increasing = false;
    },
    verdict: "proven",
    by: [],
  },
  {
    name: "tunnels were made anew while they were looked at",
    in: IPSEC,
    spoil: (wireCase) => {
      for (const stream of streams(wireCase)) Object.assign(stream, { increasing: false, lastSequence: 9 });
    },
    verdict: "proven",
    by: [],
  },
  {
    name: "a few XFRM errors that Cilium's own test bears",
    in: IPSEC,
    spoil: (wireCase) => errors(wireCase, 1, "XfrmInStateInvalid", 9),
    verdict: "proven",
    by: [],
  },
  {
    name: "XFRM errors from before",
    in: IPSEC,
    spoil: ({ seen }) => {
      for (const when of ["before", "after"] as const) {
        const { ipsec: counters } = counted(seen, 1, when);
        if (counters) Object.assign(counters, { errors: { XfrmInNoStates: 7 }, errorCount: 7 });
      }
    },
    verdict: "proven",
    by: [],
  },
  {
    name: "a sample in which every node sends and receives",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      const next = (name: string): string => {
        const names = wire.probes.map(({ node }) => node);
        return names[(names.indexOf(name) + 1) % names.length] ?? "";
      };
      wire.pairs.sample = "each node to the next one";
      wire.flows = wire.flows.filter(({ from, to }) => to === next(from));
    },
    verdict: "proven",
    by: ["wire-pairs"],
  },
  {
    name: "a new peer was first counted after the markers",
    in: WIREGUARD,
    spoil: ({ seen }) => {
      counted(seen, 1, "before").peers?.splice(0, 1);
    },
    verdict: "proven",
    by: [],
  },
];
