import { healthy, nodeName } from "./healthy.ts";
import { agent, ciliumNode, daemonSet, encryption } from "./trouble.ts";
import { counted, vantage } from "./wire.ts";

import {
  ENCRYPTED,
  errors,
  frozen,
  IPSEC,
  inClear,
  noneEncrypted,
  noneReturned,
  peer,
  streams,
  WIREGUARD,
  type WireFault,
} from "./wireFault.ts";

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
    // The node says that all is well, with counters that seem to advance; its peer knows better.
    name: "counters-frozen with leak",
    in: ENCRYPTED,
    spoil: (wireCase) => {
      inClear(wireCase);
      noneEncrypted(wireCase);
    },
    verdict: "failed",
    by: ["wire-readable", "wire-encrypted"],
  },
  {
    name: "counters that stand still, with leak",
    in: ENCRYPTED,
    spoil: (wireCase) => {
      frozen(wireCase);
      inClear(wireCase);
      noneEncrypted(wireCase);
    },
    verdict: "failed",
    by: ["wire-readable", "wire-encrypted"],
  },
  { name: "counters that stand still", in: WIREGUARD, spoil: frozen, verdict: "not proven", by: ["peer-transfer"] },
  { name: "counters that stand still", in: IPSEC, spoil: frozen, verdict: "not proven", by: ["ipsec-sequence"] },
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
      // In a pod that looks up to date.
      const { seen } = wireCase;
      const { status, encryption } = agent(healthy("none", seen.nodes.length), 1);
      Object.assign(agent(seen, 1), { status, encryption });
      const none = { said: { peers: null, ipsec: null } };
      agent(seen, 1).counters = { before: none, after: none };
      ciliumNode(seen, 1).encryptionKey = 0;
      inClear(wireCase);
      noneEncrypted(wireCase);
    },
    verdict: "failed",
    by: ["agent-mode", "encryption-key", "counters", "wire-readable"],
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
