import type { Verdict } from "../../prover/judge.ts";
import { generator, shuffled } from "../seeded.ts";

/** One way in which a cluster can be encrypted. */
export interface Setting {
  encryption: "wireguard" | "ipsec";
  nodeEncryption: boolean;
  routing: "tunnel" | "native";
  nodes: 2 | 4;
  /** Cilium's version: up to 1.17 ESP travels inside VXLAN, after that VXLAN inside ESP. */
  cilium: string;
}

/** A fault as it is ordered: docs/faults.md. */
export interface Fault {
  kind: string;
  node: string;
  peer?: string;
  percent?: number;
}

/** Something that goes wrong, or nothing, and the verdict that is right then. Labelled here, by what happens, not by what the prover says. */
export interface Case {
  name: string;
  label: Verdict;
  /** In which settings it can happen. */
  fits(setting: Setting): boolean;
  /** Where it happens this time. */
  faults(at: { node: string; peer: string }): Fault[];
}

const always = (): boolean => true;
const inWireguard = ({ encryption }: Setting): boolean => encryption === "wireguard";
const inIpsec = ({ encryption }: Setting): boolean => encryption === "ipsec";

export const CASES: readonly Case[] = [
  { name: "healthy", label: "proven", fits: always, faults: () => [] },
  // Plaintext crosses: whatever else is true, the cluster leaks.
  { name: "leak to all", label: "failed", fits: always, faults: ({ node }) => [{ kind: "leak", node }] },
  { name: "leak one way", label: "failed", fits: always, faults: ({ node, peer }) => [{ kind: "leak", node, peer }] },
  {
    name: "leak both ways",
    label: "failed",
    fits: always,
    faults: ({ node, peer }) => [
      { kind: "leak", node, peer },
      { kind: "leak", node: peer, peer: node },
    ],
  },
  {
    name: "leak beside the tunnel",
    label: "failed",
    fits: always,
    faults: ({ node, peer }) => [{ kind: "leak-beside", node, peer }],
  },
  {
    name: "leak, and the status lies",
    label: "failed",
    fits: always,
    faults: ({ node }) => [
      { kind: "counters-frozen", node },
      { kind: "leak", node },
    ],
  },
  // The nodes are not as intended, and say so themselves or by what they send.
  {
    name: "stale peer key",
    label: "failed",
    fits: inWireguard,
    faults: ({ node, peer }) => [{ kind: "stale-peer-key", node, peer }],
  },
  {
    name: "peer missing",
    label: "failed",
    fits: always,
    faults: ({ node, peer }) => [{ kind: "peer-missing", node, peer }],
  },
  { name: "wrong SPI", label: "failed", fits: inIpsec, faults: ({ node }) => [{ kind: "wrong-spi", node }] },
  {
    name: "replayed ESP",
    label: "failed",
    fits: inIpsec,
    faults: ({ node, peer }) => [{ kind: "replay-esp", node, peer }],
  },
  {
    name: "corrupt ESP",
    label: "failed",
    fits: inIpsec,
    faults: ({ node, peer }) => [{ kind: "corrupt-esp", node, peer }],
  },
  { name: "agent down", label: "failed", fits: always, faults: ({ node }) => [{ kind: "agent-down", node }] },
  {
    name: "agent on the old config",
    label: "failed",
    fits: always,
    faults: ({ node }) => [{ kind: "old-config", node }],
  },
  // Nothing crosses, or nobody can see whether it does: neither proven nor refuted.
  {
    name: "handshake dead",
    label: "not proven",
    fits: inWireguard,
    faults: ({ node }) => [{ kind: "handshake-dead", node }],
  },
  { name: "node partitioned", label: "not proven", fits: always, faults: ({ node }) => [{ kind: "partition", node }] },
  { name: "captures blinded", label: "not proven", fits: always, faults: ({ node }) => [{ kind: "blind", node }] },
  {
    name: "leak, and all captures blinded",
    label: "not proven",
    fits: always,
    faults: ({ node }) => [
      { kind: "blind", node: "*" },
      { kind: "leak", node },
    ],
  },
  // A bad network is no bad encryption.
  { name: "loss of 10 %", label: "proven", fits: always, faults: ({ node }) => [{ kind: "loss", node, percent: 10 }] },
];

const MODES = [
  { encryption: "wireguard", nodeEncryption: false, cilium: "1.20.2" },
  { encryption: "wireguard", nodeEncryption: true, cilium: "1.20.2" },
  { encryption: "ipsec", nodeEncryption: false, cilium: "1.20.2" },
] as const;

/** Every mode with every routing and size; and IPsec as Cilium had it up to 1.17. */
export const SETTINGS: readonly Setting[] = ([4, 2] as const).flatMap((nodes) => [
  ...MODES.flatMap((mode) => (["tunnel", "native"] as const).map((routing) => ({ ...mode, routing, nodes }))),
  { encryption: "ipsec", nodeEncryption: false, cilium: "1.17.18", routing: "tunnel", nodes },
]);

/** One run: a case in a setting, at a place. */
export interface PlannedRun {
  setting: Setting;
  test: Case;
  node: string;
  peer: string;
}

/** So many runs, the same for the same seed: each case in each setting once, at random places, then again until there are enough. */
export function planRuns(runs: number, seed: number): PlannedRun[] {
  const random = generator(seed);
  const all = SETTINGS.flatMap((setting) =>
    CASES.filter((test) => test.fits(setting)).map((test) => ({ setting, test })),
  );
  const chosen: typeof all = [];
  while (chosen.length < runs) chosen.push(...shuffled(all, random).slice(0, runs - chosen.length));
  // A change of setting costs a rollout, so runs of one setting are done together; the sort is stable.
  const order = new Map(SETTINGS.map((setting, index) => [setting, index]));
  chosen.sort((a, b) => (order.get(a.setting) ?? 0) - (order.get(b.setting) ?? 0));
  return chosen.map((run) => {
    const [node = "", peer = ""] = shuffled(nodeNames(run.setting.nodes), random);
    return { ...run, node, peer };
  });
}

/** Name of the clusters that faults are tried on, and so the beginning of their nodes' names. */
export const CLUSTER = "faults";

function nodeNames(count: number): string[] {
  const workers = Array.from({ length: count - 1 }, (_, index) => `${CLUSTER}-worker${index === 0 ? "" : index + 1}`);
  return [`${CLUSTER}-control-plane`, ...workers];
}

/** What people call a setting. */
export function settingName({ encryption, nodeEncryption, routing, nodes, cilium }: Setting): string {
  return `${encryption}${nodeEncryption ? " + nodes" : ""}, ${routing}, ${nodes} nodes, ${cilium}`;
}
