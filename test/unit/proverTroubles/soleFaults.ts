import { nodeName } from "./healthy.ts";
import { agent } from "./trouble.ts";
import { plainNodePackets, plainPackets, vantage } from "./wire.ts";

import {
  ENCRYPTED,
  errors,
  IPSEC,
  ipsec,
  noneEncrypted,
  peer,
  streams,
  WIREGUARD,
  type WireFault,
} from "./wireFault.ts";

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
    name: "the overlay holds what a node's own address sends",
    in: ENCRYPTED,
    spoil: ({ wire }) => {
      const plain = plainPackets({ from: 1, to: 0 });
      vantage(wire, 1).plaintext.push({ ...plain, form: "geneve", src: "172.30.0.2", marker: false });
    },
    verdict: "failed",
    by: ["wire-readable"],
  },
  {
    name: "two workers exchange node traffic in clear",
    in: ["wireguard with node encryption"],
    // One of two is a control plane, which opted out.
    least: 3,
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
    name: "no marker was sent between the addresses of two workers",
    in: ["wireguard with node encryption"],
    least: 3,
    spoil: ({ wire }) => {
      wire.flows = wire.flows.filter(({ kind, from }) => kind === "pod" || from !== nodeName(1));
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
      peer(wireCase).lastHandshake = "2026-11-21T09:57:00.000Z";
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
