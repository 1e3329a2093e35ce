import { status } from "./trouble.ts";
import { counted, plainNodePackets, plainPackets, vantage } from "./wire.ts";

import { ENCRYPTED, errors, IPSEC, streams, WIREGUARD, type WireFault } from "./wireFault.ts";

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
    name: "Cilium up to 1.17 tunnels what a node's own address sends beside its ESP",
    in: IPSEC,
    spoil: ({ wire, intent, seen }) => {
      const version = "1.17.18";
      intent.cilium.version = version;
      for (const [index] of seen.agents.entries()) status(seen, index).version = version;
      const plain = plainPackets({ from: 1, to: 0 });
      vantage(wire, 1).plaintext.push({ ...plain, form: "vxlan", src: "172.30.0.2", marker: false });
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
    name: "in a rotation the old key's sequence number is still the highest",
    in: IPSEC,
    spoil: ({ intent, seen }) => {
      for (const [index] of seen.agents.entries()) {
        const [before, after] = [counted(seen, index, "before").ipsec, counted(seen, index).ipsec];
        if (!before || !after) continue;
        before.maxSequence = after.maxSequence = 100_000;
        // Two keys in each direction for each other node.
        after.keysInUse = 4 * (seen.nodes.length - 1) * (intent.overlay === null ? 1 : 2);
      }
    },
    verdict: "proven",
    by: [],
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
