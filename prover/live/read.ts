import type { V1Secret } from "@kubernetes/client-node";
import type { AdmissionApi, ClusterApi } from "../clusterApi.ts";
import type { Kubernetes } from "../kubernetes.ts";
import type { Observation, SettledSeen } from "../observation.ts";
import { readCluster } from "../readBack.ts";
import { admissionFacts, PARAMETER, policyFacts } from "./admission.ts";
import { brokenGlassIn, brokenGlassOf } from "./brokenGlass.ts";
import { lastChange } from "./changedBy.ts";
import { digestOf } from "./digest.ts";
import type { LiveFacts, LiveSecret } from "./facts.ts";
import { parseRecord, RECORD_CONFIG_MAP, RECORD_KEY } from "./record.ts";
import { answered } from "./refused.ts";

/** The Secret of Cilium's IPsec mode, and its one key. */
const KEYS_SECRET = "cilium-ipsec-keys";
const KEYS = "keys";

type DaemonSetApi = Pick<Kubernetes, "daemonSets">;

/** Reads a live cluster: one get or list of each kind, so a thousand nodes are a few requests; no agent is asked. */
export async function readFacts(api: ClusterApi & AdmissionApi & DaemonSetApi): Promise<LiveFacts> {
  const [seen, settled, parameter, objects] = await Promise.all([
    readCluster(api),
    readSettled(api),
    api.configMap(PARAMETER),
    answered(api.admissionObjects()),
  ]);
  const policies = "answer" in objects ? policyFacts(objects.answer) : null;
  const ciliumIn = seen.config === null ? await agentNamespaces(api) : [];
  return factsOf(seen, settled, { admission: admissionFacts(parameter), policies, ciliumIn });
}

/** The namespaces with agents; empty where nobody may ask. */
async function agentNamespaces(api: DaemonSetApi): Promise<string[]> {
  const seen = await answered(api.daemonSets());
  const agents = "answer" in seen ? seen.answer.filter(({ metadata }) => metadata?.name === "cilium") : [];
  return agents.flatMap(({ metadata }) => metadata?.namespace ?? []);
}

/** Reads what the last update left, and the Secret that it is held against. */
export async function readSettled(api: ClusterApi): Promise<SettledSeen> {
  const [record, secret] = await Promise.all([api.configMap(RECORD_CONFIG_MAP), answered(api.secret(KEYS_SECRET))]);
  return {
    record: parseRecord(record?.data?.[RECORD_KEY] ?? null),
    secret: "answer" in secret ? secret.answer && secretFacts(secret.answer) : null,
    secretUnread: "refused" in secret ? secret.refused : null,
  };
}

function factsOf(
  seen: Observation,
  settled: SettledSeen,
  more: Pick<LiveFacts, "admission" | "policies" | "ciliumIn">,
): LiveFacts {
  const { takenAt, config, daemonSet, agents, ciliumNodes, nodes, nodeConfigs = [] } = seen;
  return {
    schema: 1,
    takenAt,
    config: config && { data: config.data, digest: digestOf(config.data), changes: config.changes ?? [] },
    nodeConfigs: nodeConfigs.map(({ name, digest, by }) => ({ name, digest, by })),
    daemonSet,
    agents: agents.map(({ node, version = null, ready, startedAt }) => ({ node, version, ready, startedAt })),
    ciliumNodes: ciliumNodes.map(({ name, bootId, encryptionKey, wireguardKey, by = null }) => ({
      ...{ name, bootId, key: encryptionKey, publicKey: wireguardKey, by },
    })),
    nodes: nodes.map(({ name, ready }) => ({ name, ready })),
    ...settled,
    ...more,
    brokenGlass: brokenGlassOf({ ...seen, settled }),
  };
}

/** What may be told of a key: its id, its size, a digest, and whether its Secret is taken out of admission. */
export function secretFacts({ data, metadata }: V1Secret): LiveSecret {
  const line = Buffer.from(data?.[KEYS] ?? "", "base64")
    .toString("utf8")
    .trim();
  const [, id, hex = ""] = /^(\d+)\+? rfc4106\(gcm\(aes\)\) (?:0x)?([0-9a-f]+) 128$/i.exec(line) ?? [];
  // Four bytes of it are salt.
  const bits = 8 * (hex.length / 2 - 4);
  const brokenGlass = brokenGlassIn("Secret", metadata);
  return {
    keyId: id === undefined ? null : Number(id),
    keyBits: bits === 128 || bits === 256 ? bits : null,
    digest: digestOf(line),
    by: lastChange(metadata?.managedFields, ["data"]),
    ...(brokenGlass.length > 0 && { brokenGlass }),
  };
}
