import { type Piece, piecesOf } from "../../policies/cilium/pieces.ts";
import { type Cluster, clustersOf } from "../../policies/clusters/clusters.ts";
import { messageOf, type Where } from "../../policies/exemption.ts";
import { configOf, type Finding, judge, type PackConfig } from "../../policies/judge.ts";
import { type Resource, UnreadError } from "../../policies/resource.ts";
import type { Level, Rule } from "../../policies/rule.ts";
import type { Reading } from "./reading.ts";

/** What an audit says, and prints with `--json`. Fields are only ever added while `schema` stays the same. */
export interface AuditReport {
  schema: 1;
  source: Reading["source"];
  /** How many resources were read, and what of them is about Cilium. */
  read: { resources: number; cilium: string[] };
  /** Every rule of the pack, those that hold with no breaches. */
  rules: AuditedRule[];
  /** What could not be read though a rule might rest on it. */
  unread: string[];
  /** Rules by what came of them; a rule with a breach and something undecided is broken. */
  counts: { rules: number; hold: number; broken: number; undecided: number; disabled: number };
  /** `holds` where every mandatory rule does. Else the worst of: `broken`, `undecided`, `nothing found`. */
  verdict: "holds" | "broken" | "undecided" | "nothing found";
}

/** A rule and what came of it. */
export interface AuditedRule {
  name: string;
  title: string;
  level: Level;
  severity: Rule["severity"];
  supports: string[];
  remediation: readonly string[];
  url: string;
  breaches: AuditedBreach[];
  /** What breaks it and is exempt by the config. */
  exempt: AuditedBreach[];
}

/** One thing that breaks a rule. */
export interface AuditedBreach {
  message: string;
  /** The resource: its URN in a state, its kind and name elsewhere; null where it is about all of them. */
  where: string | null;
  /** What the rule rests on could not be read. */
  undecided: boolean;
}

/** Holds what was read against the rules. */
export function audit(reading: Reading, rules: readonly Rule[], config: PackConfig, where: Where): AuditReport {
  const { source, resources, unread } = reading;
  const cilium = ciliumIn(resources);
  const findings = judge(rules, resources, config, where);
  const exempt = judge(rules, resources, withoutExemptions(config), where).filter(
    (one) => !findings.some((other) => isSame(one, other)),
  );
  const audited = rules.map((rule): AuditedRule => {
    const { name, title, severity, supports, remediation, url } = rule;
    const of = (all: readonly Finding[]) => all.filter((finding) => finding.rule === rule).map(asBreach);
    return {
      ...{ name, title, level: configOf(rule, config).level, severity },
      supports: supports.map(({ framework, clause }) => `${framework} ${clause}`),
      ...{ remediation, url, breaches: of(findings), exempt: of(exempt) },
    };
  });
  const states = audited.map(stateOf);
  const count = (state: ReturnType<typeof stateOf>) => states.filter((each) => each === state).length;
  const mandatory = audited.filter(isMandatory).map(stateOf);
  return {
    schema: 1,
    source,
    read: {
      resources: resources.length,
      cilium: cilium.filter(({ kind }) => kind !== "texts").map(({ what }) => what),
    },
    rules: audited,
    unread,
    counts: {
      rules: rules.length,
      ...{ hold: count("holds"), broken: count("broken"), undecided: count("undecided"), disabled: count("disabled") },
    },
    verdict: mandatory.includes("broken")
      ? "broken"
      : mandatory.includes("undecided") || unread.length > 0
        ? "undecided"
        : cilium.some(isWhole) || clustersOf(resources).some(encryptsItself)
          ? "holds"
          : "nothing found",
  };
}

/** An override of some options, or the agents' DaemonSet alone, says nothing of whether encryption is on. */
function isWhole(piece: Piece): boolean {
  return piece.kind === "cilium" && piece.extent === "whole";
}

/** A cluster without a Cilium of ours whose cloud encrypts. */
function encryptsItself({ cloud, of }: Cluster): boolean {
  return of !== undefined && cloud?.encrypts?.(of.props) === true;
}

/** Whether a broken rule fails the audit. */
export function isMandatory({ level }: Pick<AuditedRule, "level">): boolean {
  return level === "mandatory" || level === "remediate";
}

/** What came of a rule. */
export function stateOf({ level, breaches }: AuditedRule): "holds" | "broken" | "undecided" | "disabled" {
  if (level === "disabled") return "disabled";
  if (breaches.some(({ undecided }) => !undecided)) return "broken";
  return breaches.length > 0 ? "undecided" : "holds";
}

/** The pieces of Cilium's configuration in there; of what cannot be read nothing is known. */
function ciliumIn(resources: readonly Resource[]): Piece[] {
  return resources.flatMap((resource) => {
    try {
      return piecesOf(resource);
    } catch (error) {
      if (error instanceof UnreadError) return [];
      throw error;
    }
  });
}

function asBreach(finding: Finding): AuditedBreach {
  const { urn, undecided } = finding;
  return { message: messageOf(finding), where: urn ?? null, undecided: undecided ?? false };
}

function isSame(one: Finding, other: Finding): boolean {
  return one.rule === other.rule && one.urn === other.urn && one.message === other.message;
}

function withoutExemptions(config: PackConfig): PackConfig {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [
      name,
      typeof value === "string" ? value : { ...value, exemptions: [] },
    ]),
  );
}
