import { type Piece, piecesOf } from "./cilium/pieces.ts";
import { exemptionFor, type Where } from "./exemption.ts";
import type { Resource } from "./resource.ts";
import type { Breach, Level, Rule, RuleConfig } from "./rule.ts";

/** A pack's config as Pulumi takes it: a level for all rules, and for each rule a level, or its options. */
export type PackConfig = Record<string, Level | (RuleConfig & { enforcementLevel?: Level })>;

/** A broken rule. */
export interface Finding extends Breach {
  rule: Rule;
  level: Level;
}

/** Everything that breaks one rule, exempt things left out. */
export function breachesOf(rule: Rule, resources: readonly Resource[], config: RuleConfig, where: Where): Breach[] {
  const single = resources.flatMap((resource) => breachesIn(rule, resource, config, where));
  const all = rule.checkAll?.(resources, config) ?? [];
  return [...single, ...all.filter(({ urn }) => exemptionFor(config, { ...where, urn }) === undefined)];
}

/** What breaks a rule in one resource. */
export function breachesIn(rule: Rule, resource: Resource, config: RuleConfig, where: Where): Breach[] {
  if (!rule.check) return [];
  const { check } = rule;
  const messages = piecesOf(resource).flatMap((piece) =>
    check(piece, config).filter(() => exemptionFor(config, { ...where, ...placeOf(resource, piece) }) === undefined),
  );
  return messages.map((message) => ({ message, urn: resource.urn }));
}

/** All rules over all resources: what `wirecloak audit` and the corpus ask. Disabled rules are left out. */
export function judge(
  rules: readonly Rule[],
  resources: readonly Resource[],
  config: PackConfig = {},
  where: Where = { today: new Date() },
): Finding[] {
  return rules.flatMap((rule) => {
    const { level, options } = configOf(rule, config);
    if (level === "disabled") return [];
    return breachesOf(rule, resources, options, where).map((breach) => ({ rule, level, ...breach }));
  });
}

/** What a pack's config says of a rule. */
export function configOf(rule: Rule, config: PackConfig): { level: Level; options: RuleConfig } {
  const own = config[rule.name];
  const all = config.all;
  const level = typeof own === "string" ? own : own?.enforcementLevel;
  return {
    level: level ?? (typeof all === "string" ? all : rule.level),
    options: typeof own === "object" ? own : {},
  };
}

/** Which cluster a piece is of, as far as it says so. */
function placeOf({ urn, provider }: Resource, piece: Piece): Pick<Where, "urn" | "cluster"> {
  const named = piece.kind === "cilium" ? piece.options.get("cluster-name") : undefined;
  return { urn, cluster: named ?? provider?.split("::").at(-2) };
}
