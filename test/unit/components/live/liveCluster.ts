import type { Live } from "../../../../components/live/live.ts";

export const NOW = new Date("2026-11-21T12:00:00.000Z");
export const LONG_AGO = "2026-11-20T09:00:00.000Z";
/** When the agents started: before any key of the tests but the first. */
const STARTED = "2026-11-20T10:00:00.000Z";

export type Change = (live: Live) => void;

/** A healthy cluster of three nodes whose last update is long ago, and one thing about it that is otherwise. */
export function liveCluster(mode: "ipsec" | "wireguard" | "none", change: Change = () => undefined): Live {
  const names = ["a", "b", "c"];
  const ipsec = mode === "ipsec";
  const live: Live = {
    schema: 1,
    takenAt: NOW.toISOString(),
    config: {
      data: {
        "routing-mode": "tunnel",
        "tunnel-protocol": "vxlan",
        ipam: "kubernetes",
        ...(ipsec && { "enable-ipsec": "true" }),
        ...(mode === "wireguard" && { "enable-wireguard": "true" }),
      },
      digest: "config-1",
      changes: [],
    },
    ciliumIn: [],
    nodeConfigs: [],
    daemonSet: null,
    agents: names.map((node) => ({ node, version: "1.20.2", ready: true, startedAt: STARTED })),
    ciliumNodes: names.map((name) => ({
      name,
      bootId: name,
      key: { ipsec: 3, wireguard: 255, none: 0 }[mode],
      publicKey: null,
      by: null,
    })),
    nodes: names.map((name) => ({ name, ready: true })),
    secret: ipsec
      ? { keyId: 3, keyBits: 128, digest: "secret-3", by: { manager: "pulumi", operation: "Apply", time: LONG_AGO } }
      : null,
    secretUnread: null,
    record: {
      schema: 1,
      run: "1",
      at: LONG_AGO,
      digests: { agents: null, config: "config-1", nodeConfigs: "", secret: ipsec ? "secret-3" : null, nodes: {} },
      options: {},
      repairs: { cilium: "", guard: "", admission: "", proof: "" },
      proveAgain: false,
      key: ipsec ? { id: 3, digest: "secret-3", since: LONG_AGO } : null,
    },
    guard: undefined,
    admission: undefined,
    policies: null,
    brokenGlass: [],
  };
  change(live);
  return live;
}

export function secretOf(live: Live) {
  if (live.secret === null) throw new Error("there is no Secret");
  return live.secret;
}

/** All agents run this version. */
export const ofVersion =
  (version: string): Change =>
  ({ agents }) => {
    for (const agent of agents) agent.version = version;
  };

/** The Secret holds key `id`, and so do the agents that took it. */
export const rotatedTo =
  (id: number, at: string, announced = [id, id, id]): Change =>
  (live) => {
    live.secret = {
      ...secretOf(live),
      keyId: id,
      digest: `secret-${id}`,
      by: { manager: "pulumi", operation: "Apply", time: at },
    };
    for (const [index, node] of live.ciliumNodes.entries()) node.key = announced[index] ?? id;
    if (live.record) {
      live.record.digests.secret = `secret-${id}`;
      live.record.key = { id, digest: `secret-${id}`, since: at };
    }
  };

/** Config of a stack in IPsec mode. */
export const ipsec = (keyId: number, more: object = {}, cilium: object = {}) => ({
  encryption: "ipsec",
  ipsec: { keyId, ...more },
  cilium,
});
