import { digestOf } from "../../prover/live/digest.ts";
import type { Live, LiveGuard, LiveSecret, SettledRecord } from "./live.ts";

/** Options of cilium-config that an update is about: those of encryption, and how packets travel. */
const OPTION =
  /^(enable-(ipsec|wireguard|encryption|ztunnel)|encrypt|ipsec-|wireguard-|node-encryption|routing-mode|tunnel|boot-id)/;

/** Whether an option of cilium-config is among those that a record keeps as they are. */
export function isOfEncryption(option: string): boolean {
  return OPTION.test(option);
}

/** What the cluster is held against later. */
export function digestsOf(live: Live): SettledRecord["digests"] {
  const { config, daemonSet, nodeConfigs, secret, secretUnread, guard, admission, policies, ciliumNodes } = live;
  return {
    config: config?.digest ?? null,
    // Options that the agents get beside cilium-config.
    agents: daemonSet && digestOf(daemonSet.options),
    nodeConfigs: digestOf(nodeConfigs.map(({ name, digest }) => [name, digest])),
    ...(secretUnread === null && { secret: secret?.digest ?? null }),
    ...(guard !== undefined && { guard: guard && guardDigest(guard) }),
    ...(admission !== undefined && { admission: admission && digestOf(admission.allowed) }),
    ...(admission !== undefined &&
      policies !== null && { policies: digestOf(policies.map(({ kind, name, digest }) => [kind, name, digest])) }),
    nodes: Object.fromEntries(
      ciliumNodes.map(({ name, bootId, key, publicKey }) => [
        name,
        { boot: bootId && digestOf(bootId), keys: digestOf([key, publicKey]) },
      ]),
    ),
  };
}

/** Of a cloud's rules what is wrong with them alone: those of an old mode go after the record is written, and nodes come and go. */
function guardDigest({ generation, forms, digest, rules }: LiveGuard): string {
  if (!rules) return digest ?? digestOf([generation, forms]);
  return digestOf([rules.open.length > 0, rules.faults.map(({ node, what }) => [node, what])]);
}

/** The record of a cluster as an update has left it; what only the update knows comes from there. */
export function recordOf(
  live: Live,
  { run, at, repairs, proveAgain }: Pick<SettledRecord, "run" | "at" | "repairs" | "proveAgain">,
): SettledRecord {
  const options = Object.entries(live.config?.data ?? {}).filter(([name]) => isOfEncryption(name));
  return {
    schema: 1,
    run,
    at,
    digests: digestsOf(live),
    options: Object.fromEntries(options),
    repairs,
    proveAgain,
    key: live.secretUnread === null ? keyOf(live.secret, live.record, at) : (live.record?.key ?? null),
  };
}

/** The key keeps the time when it was first seen, for as long as it is the same. */
function keyOf(secret: LiveSecret | null, before: SettledRecord | null, at: string): SettledRecord["key"] {
  if (!secret || secret.keyId === null) return null;
  const { keyId: id, digest, by } = secret;
  return before?.key?.digest === digest ? { ...before.key, id } : { id, digest, since: by?.time ?? at };
}
