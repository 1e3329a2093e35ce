import type { Observation, SettledSeen } from "../../../prover/observation.ts";
import type { Trouble } from "./trouble.ts";

export const somebody = { manager: "kubectl-edit", operation: "Update", time: "2026-11-20T12:00:00.000Z" };

/** What an update in IPsec mode has left, and a Secret that still holds its key. */
export const settled: SettledSeen = {
  record: {
    ...{ schema: 1, run: "r", at: "2026-11-01T00:00:00.000Z", options: {}, proveAgain: false },
    repairs: { cilium: "", guard: "", admission: "", proof: "" },
    digests: { config: "c", agents: "a", nodeConfigs: "n", secret: "k1", nodes: {} },
    key: { id: 3, digest: "k1", since: "2026-11-01T00:00:00.000Z" },
  },
  secret: { keyId: 3, keyBits: 128, digest: "k1", by: somebody },
  secretUnread: null,
};

const against = (change: Partial<SettledSeen>) => (seen: Observation) => {
  seen.settled = { ...settled, ...change };
};

/** What somebody did beside cilium-config, and no agent tells of. */
export const recordTroubles: readonly Trouble[] = [
  {
    name: "a CiliumNodeConfig turns an option off",
    in: "ipsec",
    spoil: (seen) => {
      seen.nodeConfigs = [{ name: "off", defaults: { "enable-ipsec": "false" }, digest: "d", by: somebody }];
    },
    by: "node-configs",
    effect: "contradicts",
    node: null,
    says: /^CiliumNodeConfig off sets enable-ipsec to "false".*written by kubectl-edit at 2026-11-20T12/,
  },
  {
    name: "the Secret holds another key of the same id",
    in: "ipsec",
    spoil: against({ secret: { keyId: 3, keyBits: 128, digest: "k2", by: somebody } }),
    by: "recorded-key",
    effect: "contradicts",
    node: null,
    says: /another key than the last update left; written by kubectl-edit at 2026-11-20T12/,
  },
  {
    name: "the Secret is gone",
    in: "ipsec",
    spoil: against({ secret: null }),
    by: "recorded-key",
    effect: "contradicts",
    node: null,
    says: /is gone/,
  },
  {
    name: "the Secret may not be read",
    in: "ipsec",
    spoil: against({ secret: null, secretUnread: "403: forbidden" }),
    by: "recorded-key",
    effect: "note",
    node: null,
    says: /nobody compared/,
  },
];
