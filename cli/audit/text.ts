import { type AuditedBreach, type AuditedRule, type AuditReport, isMandatory, stateOf } from "./report.ts";

/** The report for a terminal: what was read, each rule that does not hold with what mends it, and a line of counts. Every line ends in a line feed. */
export function auditText(report: AuditReport): string {
  const { source, read, rules, unread } = report;
  const lines = [
    `${source.kind} ${source.of}: ${read.resources} resources; of Cilium: ${read.cilium.join(", ") || "nothing"}`,
    ...rules.filter((rule) => rule.breaches.length > 0).flatMap(ruleLines),
    ...rules.filter((rule) => rule.exempt.length > 0).flatMap(exemptLines),
    ...unread.map((what) => `? not read: ${what}`),
    countsLine(report),
    `verdict: ${meaningOf(report)}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** The verdict in a sentence, with what follows. */
function meaningOf({ verdict, source }: AuditReport): string {
  switch (verdict) {
    case "holds":
      return "all mandatory rules hold for what is configured; whether it is so on the wire a proof tells: wirecloak verify";
    case "broken":
      return "broken: mandatory rules do not hold";
    case "undecided":
      return "undecided: what mandatory rules rest on could not be read, so nothing says that they hold";
    case "nothing found":
      return `nothing found: no whole configuration of Cilium is in there, so nothing says that traffic between nodes is encrypted${source.kind === "manifests" ? ". Helm values are judged once they are rendered (helm template)" : ""}`;
  }
}

function ruleLines(rule: AuditedRule): string[] {
  const isUndecided = stateOf(rule) === "undecided";
  const sign = isUndecided ? "?" : isMandatory(rule) ? "✗" : "!";
  const items = [
    ...rule.breaches.map(breachText),
    ...(rule.supports.length > 0 ? [`supports ${rule.supports.join("; ")}`] : []),
    // Nothing is known to be broken where all is undecided.
    ...(isUndecided ? [] : rule.remediation.map((step) => `fix: ${step}`)),
    `see ${rule.url}`,
  ];
  return [`${sign} ${rule.name} (${rule.level}, ${rule.severity}): ${rule.title}`, ...branch(items)];
}

function exemptLines({ name, exempt }: AuditedRule): string[] {
  return [`- ${name}: exempt by the config`, ...branch(exempt.map(breachText))];
}

function breachText({ message, where, undecided }: AuditedBreach): string {
  // A URN says what the message does not; a kind and a name are in it already.
  const place = where?.startsWith("urn:") && !message.includes(where) ? ` [${where}]` : "";
  return `${undecided ? "undecided: " : ""}${message}${place}`;
}

function countsLine({ counts, rules }: AuditReport): string {
  const { hold, broken, undecided, disabled } = counts;
  const mandatory = rules.filter((rule) => isMandatory(rule) && stateOf(rule) === "broken").length;
  return `${counts.rules} rules: ${hold} hold, ${broken} broken (${mandatory} mandatory), ${undecided} undecided, ${disabled} disabled`;
}

function branch(items: readonly string[]): string[] {
  return items.map((item, index) => `${index === items.length - 1 ? "└─" : "├─"} ${item}`);
}
