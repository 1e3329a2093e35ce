import { activityFacts } from "./activity.ts";
import { guardLine } from "./guardReport.ts";
import { modeName, type NodeReport, type Report } from "./report.ts";
import { wireLines } from "./wireReport.ts";

/** From how many nodes on only those with something to say are listed. */
const LISTED = 10;

const SIGNS: Record<NodeReport["verdict"], string> = { agrees: "ok", unobserved: "??", contradicts: "!!" };

/** The report as a tree for a terminal, every line ending in a line feed. */
export function statusText(report: Omit<Report, "verdict">): string {
  const listed =
    report.nodes.length <= LISTED
      ? report.nodes
      : report.nodes.filter((node) => node.verdict !== "agrees").slice(0, LISTED);
  const agreeing = report.nodes.filter((node) => node.verdict === "agrees").length;
  const lines = [
    `${report.cluster} (${report.provider}), ${report.nodes.length} nodes, ${modeName(report)}${report.strict ? ", strict" : ""}`,
    ...branch([...listed.map(nodeLine), `${agreeing} of ${report.nodes.length} nodes agree with the settings`]),
    ...(report.wire ? ["between the nodes:", ...branch(wireLines(report.wire))] : []),
    guardLine(report.guard, report.guardLimits !== undefined),
    ...branch(report.guardLimits ?? []),
    `verdict: ${report.statement}`,
    ...branch(report.reasons),
    "not encrypted, by design:",
    ...branch(report.notEncrypted),
    `${report.requests} API requests, ${report.seconds.toFixed(1)} s`,
  ];
  return `${lines.join("\n")}\n`;
}

function branch(items: readonly string[]): string[] {
  return items.map((item, index) => `${index === items.length - 1 ? "└─" : "├─"} ${item}`);
}

function nodeLine(node: NodeReport): string {
  const facts = [
    node.controlPlane && "control plane",
    node.encryption ?? "no answer",
    node.peers !== null && `${node.peers} peers`,
    node.keyId !== null && `key ${node.keyId}`,
    node.keysInUse !== null && `${node.keysInUse} keys in use${node.keys === "old and new" ? ", old and new" : ""}`,
    ...(node.activity ? activityFacts(node.activity) : []),
    node.nodeEncryption !== null && node.nodeEncryption !== "Disabled" && `node encryption ${node.nodeEncryption}`,
  ].filter((fact) => fact !== false);
  return `${SIGNS[node.verdict]} ${node.name}: ${facts.join(", ")}`;
}
