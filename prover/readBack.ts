import type { V1ConfigMap, V1ControllerRevision, V1DaemonSet, V1Node, V1Pod, V1PodSpec } from "@kubernetes/client-node";
import {
  DEBUGINFO_COMMAND,
  ENCRYPTION_COMMAND,
  parseDebuginfo,
  parseEncryption,
  parseIpsecCounters,
  parseStatus,
  STATUS_COMMAND,
} from "./agentAnswer.ts";
import type { Partners } from "./checks/pairs.ts";
import { type CiliumNode, type CiliumNodeConfig, type ClusterApi, CommandError } from "./clusterApi.ts";
import type { Intent } from "./intent.ts";
import { leftoverCommands, parseLeftovers } from "./leftovers.ts";
import { brokenGlassIn } from "./live/brokenGlass.ts";
import { dataChanges, lastChange } from "./live/changedBy.ts";
import { digestOf } from "./live/digest.ts";
import { answered } from "./live/refused.ts";
import type {
  AgentSeen,
  Answer,
  CiliumNodeSeen,
  ConfigSeen,
  Counters,
  DaemonSetSeen,
  LeftoversSeen,
  NodeConfigSeen,
  NodeSeen,
  Observation,
} from "./observation.ts";

/** Agents asked at once, with two commands each: 128 commands are hardly faster than 32 at 1,000 nodes, and cost the API server more. */
const AT_ONCE = 16;

/** Milliseconds for one command in one agent. */
const COMMAND_TIMEOUT = 10_000;

const CONTROL_PLANE = "node-role.kubernetes.io/control-plane";
/** Nodes of a rehearsal carry it. */
const SIMULATED = "wirecloak.io/rehearsal";
const WIREGUARD_KEY = "network.cilium.io/wg-pub-key";
const REVISION = "controller-revision-hash";

/** Reads what the Kubernetes API knows; no agent is asked yet. */
export async function readCluster(api: ClusterApi): Promise<Observation> {
  const [members, config, daemonSet, revisions, nodeConfigs] = await Promise.all([
    readMembers(api),
    api.configMap("cilium-config"),
    api.daemonSet("cilium"),
    api.agentRevisions(),
    answered(api.ciliumNodeConfigs()),
  ]);
  const overrides = "answer" in nodeConfigs ? nodeConfigs.answer : undefined;
  const brokenGlass = [
    ...brokenGlassIn("ConfigMap", config?.metadata),
    ...brokenGlassIn("DaemonSet", daemonSet?.metadata),
    ...(overrides ?? []).flatMap(({ metadata }) => brokenGlassIn("CiliumNodeConfig", metadata)),
  ];
  return {
    takenAt: new Date().toISOString(),
    config: config && configSeen(config),
    daemonSet: daemonSet && daemonSetSeen(daemonSet, revisions),
    ...members,
    ...(overrides && { nodeConfigs: overrides.map(nodeConfigSeen).sort(byName) }),
    ...(brokenGlass.length > 0 && { brokenGlass }),
    wire: null,
  };
}

/** Nodes and their agents alone: what moves while agents restart, for those who look again and again. */
export async function readMembers(api: ClusterApi): Promise<Pick<Observation, "nodes" | "ciliumNodes" | "agents">> {
  const [pods, nodes, ciliumNodes] = await Promise.all([api.agentPods(), api.nodes(), api.ciliumNodes()]);
  return {
    nodes: nodesSeen(nodes, ciliumNodes).sort(byName),
    ciliumNodes: ciliumNodes.map(ciliumNodeSeen).sort(byName),
    agents: pods.map(agentSeen).sort((a, b) => compare(a.node, b.node)),
  };
}

/** Asks every agent, in parallel with a bound; one that does not answer says why in its place. */
export async function readAgents(api: ClusterApi, cluster: Observation): Promise<Observation> {
  const agents = [...cluster.agents];
  await each(agents.entries(), async ([index, agent]) => {
    agents[index] = await asked(api, agent);
  });
  return { ...cluster, agents };
}

/**
 * Asks every live agent for its counters, in parallel with a bound; the answers are by node. Of the WireGuard peers that other nodes
 * publish only a node's partners are kept: all of a thousand nodes would be a million.
 */
export async function readCounters(
  api: ClusterApi,
  seen: Observation,
  encryption: Intent["encryption"],
  partners: Partners,
): Promise<Map<string, Answer<Counters>>> {
  const answers = new Map<string, Answer<Counters>>();
  if (encryption === "none") return answers;
  const owners = new Map(seen.ciliumNodes.map(({ wireguardKey, name }) => [wireguardKey, name]));
  const [command, parse] =
    encryption === "wireguard" ? [DEBUGINFO_COMMAND, parseDebuginfo] : [ENCRYPTION_COMMAND, parseIpsecCounters];
  await each(seen.agents.filter(isLive).values(), async ({ pod, node }) => {
    const counters = await answer(api, pod, command, parse);
    if ("said" in counters && counters.said.peers) {
      counters.said.peers = counters.said.peers.filter(({ publicKey }) => {
        const owner = owners.get(publicKey);
        return owner === undefined || owner === node || partners.get(node)?.has(owner);
      });
    }
    answers.set(node, counters);
  });
  return answers;
}

/** Asks every live agent what its node has of other modes; a command that is not answered tells nothing, and nothing rests on it. */
export async function readLeftovers(api: ClusterApi, intent: Intent, seen: Observation): Promise<LeftoversSeen[]> {
  const found: LeftoversSeen[] = [];
  await each(seen.agents.filter(isLive).values(), async ({ pod, node }) => {
    const said = await Promise.all(
      leftoverCommands(intent).map((command) => answer(api, pod, command, (output) => ({ said: output }))),
    );
    const output = said.map((one) => ("said" in one ? one.said : "")).join("\n");
    found.push({ node, pod, ...parseLeftovers(output) });
  });
  return found.sort((a, b) => compare(a.node, b.node));
}

/** The observation with each agent's counters before and after the marker traffic. */
export function withCounters(
  seen: Observation,
  before: ReadonlyMap<string, Answer<Counters>>,
  after: ReadonlyMap<string, Answer<Counters>>,
): Observation {
  const unasked = { silent: "was not asked" };
  const agents = seen.agents.map((agent) => ({
    ...agent,
    counters: { before: before.get(agent.node) ?? unasked, after: after.get(agent.node) ?? unasked },
  }));
  return { ...seen, agents };
}

/** Does something with each item, a bounded number at once. */
async function each<T>(items: IterableIterator<T>, work: (item: T) => Promise<void>): Promise<void> {
  const worker = async (): Promise<void> => {
    // One iterator for all workers: each takes the next item that nobody has.
    for (const item of items) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function isLive(agent: AgentSeen): boolean {
  return agent.ready && !agent.terminating;
}

async function asked(api: ClusterApi, agent: AgentSeen): Promise<AgentSeen> {
  if (!isLive(agent)) return agent;
  const [status, encryption] = await Promise.all([
    answer(api, agent.pod, STATUS_COMMAND, parseStatus),
    answer(api, agent.pod, ENCRYPTION_COMMAND, parseEncryption),
  ]);
  return { ...agent, status, encryption };
}

async function answer<T>(
  api: ClusterApi,
  pod: string,
  command: string[],
  parse: (output: string) => Answer<T>,
): Promise<Answer<T>> {
  try {
    return parse(await api.run(pod, command, COMMAND_TIMEOUT));
  } catch (error) {
    if (error instanceof CommandError) return { silent: error.message };
    throw error;
  }
}

function configSeen({ data = {}, metadata }: V1ConfigMap): ConfigSeen {
  // Labels and annotations change without a word to the agents; only entries that own data count.
  const changes = dataChanges(metadata?.managedFields);
  return { data, changedAt: changes[0]?.time ?? null, changes };
}

function nodeConfigSeen({ metadata, spec = {} }: CiliumNodeConfig): NodeConfigSeen {
  return {
    name: metadata.name,
    defaults: spec.defaults ?? {},
    digest: digestOf(spec),
    by: lastChange(metadata.managedFields, ["spec"]),
  };
}

function daemonSetSeen(set: V1DaemonSet, revisions: V1ControllerRevision[]): DaemonSetSeen {
  const own = revisions.filter((each) =>
    each.metadata?.ownerReferences?.some((owner) => owner.uid === set.metadata?.uid),
  );
  const newest = own.reduce<V1ControllerRevision | undefined>(
    (a, b) => (a && a.revision > b.revision ? a : b),
    undefined,
  );
  const agent = set.spec?.template.spec?.containers.find((container) => container.name === "cilium-agent");
  return {
    generation: set.metadata?.generation ?? 0,
    observedGeneration: set.status?.observedGeneration ?? 0,
    desired: set.status?.desiredNumberScheduled ?? 0,
    updated: set.status?.updatedNumberScheduled ?? 0,
    ready: set.status?.numberReady ?? 0,
    revision: newest?.metadata?.labels?.[REVISION] ?? null,
    options: [
      ...(agent?.args ?? []).filter((arg) => arg.startsWith("--")).map((arg) => arg.slice(2)),
      // Cilium reads each option from the environment too: CILIUM_ENABLE_WIREGUARD is --enable-wireguard.
      ...(agent?.env ?? [])
        .filter((variable) => variable.name.startsWith("CILIUM_"))
        .map(({ name, value }) => `${name.slice("CILIUM_".length).toLowerCase().replaceAll("_", "-")}=${value ?? ""}`),
    ],
  };
}

function nodesSeen(nodes: V1Node[], ciliumNodes: CiliumNode[]): NodeSeen[] {
  // Cilium's own ranges are those in use where its IPAM does not follow Kubernetes, as in its default mode cluster-pool.
  const ranges = new Map(ciliumNodes.map(({ metadata, spec }) => [metadata.name, spec?.ipam?.podCIDRs ?? []]));
  return nodes.map(({ metadata, spec, status }) => {
    const { name = "", labels = {} } = metadata ?? {};
    const own = ranges.get(name) ?? [];
    return {
      name,
      controlPlane: CONTROL_PLANE in labels,
      simulated: SIMULATED in labels,
      ready: status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false,
      addresses: (status?.addresses ?? []).filter(({ type }) => type === "InternalIP").map(({ address }) => address),
      podCidrs: own.length > 0 ? own : (spec?.podCIDRs ?? []),
    };
  });
}

function ciliumNodeSeen({ metadata, spec }: CiliumNode): CiliumNodeSeen {
  return {
    name: metadata.name,
    wireguardKey: metadata.annotations?.[WIREGUARD_KEY] ?? null,
    encryptionKey: spec?.encryption?.key ?? 0,
    bootId: spec?.bootid ?? null,
    by: lastChange(
      metadata.managedFields,
      ["metadata", "annotations", WIREGUARD_KEY],
      ["spec", "encryption"],
      ["spec", "bootid"],
    ),
  };
}

function agentSeen({ metadata, spec, status }: V1Pod): AgentSeen {
  const container = status?.containerStatuses?.find((each) => each.name === "cilium-agent");
  const started = container?.state?.running?.startedAt;
  return {
    pod: metadata?.name ?? "",
    node: spec?.nodeName ?? "",
    ready: status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false,
    waiting: container?.state?.waiting?.reason ?? null,
    terminating: metadata?.deletionTimestamp !== undefined,
    revision: metadata?.labels?.[REVISION] ?? null,
    version: agentVersion(spec),
    startedAt: started ? latest([started, metadata?.creationTimestamp]) : null,
    status: { silent: "was not asked" },
    encryption: { silent: "was not asked" },
    counters: null,
  };
}

/** The version in the agent's image, such as `1.20.2` of `quay.io/cilium/cilium:v1.20.2@sha256:...`. */
export function agentVersion(pod: V1PodSpec | undefined): string | null {
  const { image = "" } = pod?.containers.find(({ name }) => name === "cilium-agent") ?? {};
  return /:v?(\d+\.\d+\.\d+[^@]*)/.exec(image)?.[1] ?? null;
}

function latest(times: (Date | undefined)[]): string | null {
  const known = times.filter((time) => time !== undefined).map((time) => time.getTime());
  return known.length > 0 ? new Date(Math.max(...known)).toISOString() : null;
}

function byName(a: { name: string }, b: { name: string }): number {
  return compare(a.name, b.name);
}

/** Code-unit order, the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
