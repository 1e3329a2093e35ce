import { type Activity, activityOf } from "./activity.ts";
import type { Finding } from "./finding.ts";
import { type GuardReport, guardReport } from "./guardReport.ts";
import type { Intent } from "./intent.ts";
import type { Judgement, NodeJudgement, Verdict } from "./judge.ts";
import { type KeyState, keyState } from "./keys.ts";
import { notEncrypted } from "./notEncrypted.ts";
import type { AgentMode, Observation } from "./observation.ts";
import { proofInWords, type WireReport, wireReport } from "./wireReport.ts";

/** What is told of a cluster, as JSON and as text. */
export interface Report {
  /** Version of this document's shape. */
  schema: 1;
  verdict: Verdict;
  /** The verdict in a sentence. */
  statement: string;
  /** Nodes and agents are stand-ins. */
  simulated: boolean;
  cluster: string;
  provider: string;
  encryption: Intent["encryption"];
  nodeEncryption: boolean;
  strict: boolean;
  keyId: number | null;
  /** Why the verdict is no better, worst first; each names the nodes, the evidence and what to do. */
  reasons: string[];
  nodes: NodeReport[];
  /** What was captured between the nodes; null where nobody looked. */
  wire: WireReport | null;
  /** What drops readable packets between the nodes; null where nothing is meant to. */
  guard: GuardReport | null;
  /** What a guard that the cloud carries cannot tell apart, and what it closes besides; absent where there is none. */
  guardLimits?: string[];
  /** Traffic that is plain by design. */
  notEncrypted: string[];
  /** What the reasons are made of, one for each node. */
  findings: Finding[];
  versions: {
    /** As intended. */
    cilium: string;
    /** How many agents say that they are of which version. */
    agents: Record<string, number>;
  };
  takenAt: string;
  /** Requests to the Kubernetes API. */
  requests: number;
  seconds: number;
}

export interface NodeReport extends NodeJudgement {
  controlPlane: boolean;
  /** What its agent says; null where it does not answer. */
  encryption: AgentMode | null;
  /** WireGuard: `Enabled`, `Disabled` or `OptedOut`. */
  nodeEncryption: string | null;
  /** WireGuard peers. */
  peers: number | null;
  /** IPsec: id of the key that it announces. */
  keyId: number | null;
  /** IPsec keys. */
  keysInUse: number | null;
  /** Whether those are of one key id or two; null in the other modes, and where it cannot be told. */
  keys: KeyState | null;
  /** Null where the counters were not read. */
  activity: Activity | null;
}

/** What reading the cluster cost. */
export interface Cost {
  requests: number;
  seconds: number;
}

export function reportOf(intent: Intent, seen: Observation, judgement: Judgement, cost: Cost): Report {
  const wire = wireReport(intent, seen);
  return {
    schema: 1,
    verdict: judgement.verdict,
    statement: statement(intent, seen, judgement, wire),
    simulated: isSimulated(intent, seen),
    cluster: intent.cluster,
    provider: intent.provider,
    encryption: intent.encryption,
    nodeEncryption: intent.nodeEncryption,
    strict: intent.strict,
    keyId: intent.keyId,
    reasons: sentences(withoutConsequences(judgement.findings, seen)),
    nodes: nodeReports(intent, seen, judgement),
    wire,
    guard: guardReport(intent, seen),
    ...(intent.guardLimits && { guardLimits: intent.guardLimits }),
    notEncrypted: notEncrypted(intent, seen),
    findings: judgement.findings,
    versions: { cilium: intent.cilium.version, agents: agentVersions(seen) },
    takenAt: seen.takenAt,
    ...cost,
  };
}

/** Whether the cluster only stands in for one: because it was made so, or because a node says so. */
function isSimulated(intent: Intent, seen: Observation): boolean {
  return intent.simulated || seen.nodes.some((node) => node.simulated);
}

/** The verdict with what it rests on; a simulated cluster is named as one. */
function statement(intent: Intent, seen: Observation, { verdict, nodes }: Judgement, wire: WireReport | null): string {
  const where = isSimulated(intent, seen) ? " (in rehearsal)" : "";
  return `${verdict}${where}: ${reading()}`;

  function reading(): string {
    if (verdict === "proven" && wire) return proofInWords(wire);
    if (verdict === "failed") {
      if (wire && wire.packets.plaintext > 0) return `${wire.packets.plaintext} readable packets between nodes`;
      const off = nodes.filter((node) => node.verdict === "contradicts").length;
      return off > 0 ? `${off} of ${seen.nodes.length} nodes are not as intended` : "the cluster is not as intended";
    }
    const silent = nodes.filter((node) => node.verdict === "unobserved").length;
    if (silent > 0) return `${silent} of ${seen.nodes.length} nodes could not be observed`;
    if (intent.encryption === "none") return "not encrypted, as configured";
    const word = `all ${seen.nodes.length} nodes say ${modeName(intent)}, as configured`;
    return wire ? `${word}, but the wire was not observed as a whole` : word;
  }
}

/** The mode as people write it, with what belongs to it. */
export function modeName({
  encryption,
  nodeEncryption,
  keyId,
}: Pick<Intent, "encryption" | "nodeEncryption" | "keyId">): string {
  if (encryption === "none") return "no encryption";
  if (encryption === "ipsec") return `IPsec with key ${keyId}`;
  return nodeEncryption ? "WireGuard with node encryption" : "WireGuard";
}

const ORDER: readonly Finding["effect"][] = ["contradicts", "unobserved", "note"];

/** How many nodes a sentence names. */
const NAMED = 5;

/** Checks that miss what a node without a probe could neither send nor see. */
const NEED_A_PROBE: ReadonlySet<string> = new Set([
  ...["wire-flow", "wire-encrypted", "wire-control", "wire-capture", "wire-spi"],
  ...["peer-handshake", "peer-transfer", "ipsec-sequence"],
]);

/** What people need to read: of a node that could not be probed that alone, not all that follows from it. The findings keep it. */
function withoutConsequences(findings: readonly Finding[], { wire }: Observation): readonly Finding[] {
  const unprobed = new Set<string | null>(
    findings.flatMap(({ check, node }) => (check === "wire-probe" ? [node] : [])),
  );
  // Between the nodes there is nothing to see then either.
  if (wire?.probes.every(({ silent }) => silent !== null)) unprobed.add(null);
  return findings.filter(({ check, effect, node }) => {
    return effect !== "unobserved" || !NEED_A_PROBE.has(check) || !unprobed.has(node);
  });
}

/** One sentence for each thing found, however many nodes it was found on. */
export function sentences(findings: readonly Finding[]): string[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = `${ORDER.indexOf(finding.effect)} ${finding.check} ${finding.message}`;
    const group = groups.get(key);
    if (group) group.push(finding);
    else groups.set(key, [finding]);
  }
  const found = [...groups.values()].sort(([a], [b]) => rank(a) - rank(b));
  return found.map((group) => sentence(group));
}

function rank(finding: Finding | undefined): number {
  return finding ? ORDER.indexOf(finding.effect) : ORDER.length;
}

function sentence(group: readonly Finding[]): string {
  const [first] = group;
  if (!first) return "";
  const nodes = [...new Set(group.map((finding) => finding.node))].filter((node) => node !== null);
  const named = nodes.slice(0, NAMED).join(", ");
  const more = nodes.length > NAMED ? ` and ${nodes.length - NAMED} more nodes` : "";
  const subject = nodes.length > 0 ? `${named}${more}: ` : "";
  // Evidence and advice are the first node's; those of the others differ by the names in them.
  const others = group.some((finding) => finding.evidence !== first.evidence);
  const evidence = first.evidence === null ? "" : ` [${others ? "such as " : ""}${first.evidence}]`;
  const fix = first.fix === null ? "" : `; ${first.fix}`;
  return `${subject}${first.message}${evidence}${fix}`;
}

function nodeReports(intent: Intent, seen: Observation, judgement: Judgement): NodeReport[] {
  const announced = new Map(seen.ciliumNodes.map((node) => [node.name, node.encryptionKey]));
  const now = Date.parse(seen.wire?.endedAt ?? seen.takenAt);
  const nodes = new Map(seen.nodes.map((node) => [node.name, node]));
  const agents = new Map(seen.agents.filter((agent) => !agent.terminating).map((agent) => [agent.node, agent]));
  return judgement.nodes.map((judged) => {
    const agent = agents.get(judged.name);
    const status = agent && "said" in agent.status ? agent.status.said : null;
    const encryption = agent && "said" in agent.encryption ? agent.encryption.said : null;
    return {
      ...judged,
      controlPlane: nodes.get(judged.name)?.controlPlane ?? false,
      encryption: encryption?.mode ?? null,
      nodeEncryption: status?.nodeEncryption ?? null,
      peers: encryption?.wireguard?.peerCount ?? null,
      keyId: intent.encryption === "ipsec" ? (announced.get(judged.name) ?? null) : null,
      keysInUse: encryption?.ipsec?.keysInUse ?? null,
      keys: keyState(intent, seen, encryption?.ipsec?.keysInUse ?? null),
      activity: agent ? activityOf(agent, now) : null,
    };
  });
}

function agentVersions(seen: Observation): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of seen.agents) {
    const version = "said" in status ? (status.said.version ?? "unknown") : "unknown";
    counts[version] = (counts[version] ?? 0) + 1;
  }
  return counts;
}
