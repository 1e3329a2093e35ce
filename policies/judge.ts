import { type Piece, piecesOf } from "./cilium/pieces.ts";
import { exemptionFor, type Where } from "./exemption.ts";
import { type Resource, UnreadError } from "./resource.ts";
import type { Breach, Level, Rule, RuleConfig } from "./rule.ts";

/** A pack's config as Pulumi takes it: a level for all rules, and for each rule a level, or its options. */
export type PackConfig = Record<string, Level | (RuleConfig & { enforcementLevel?: Level })>;

/** A broken rule; or one that could not be asked, which is not the same as one that holds. */
export interface Finding extends Breach {
  rule: Rule;
  level: Level;
  /** What the rule rests on cannot be read; the message says what. */
  undecided?: true;
}

/** What breaks a rule in all resources together. */
export function breachesAmong(rule: Rule, resources: readonly Resource[], config: RuleConfig, where: Where): Breach[] {
  const all = rule.checkAll?.(resources, config) ?? [];
  return all.filter(({ urn }) => exemptionFor(config, { ...where, urn }) === undefined);
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
    const single = resources.flatMap((resource) =>
      decided({ urn: resource.urn }, () => breachesIn(rule, resource, options, where)),
    );
    const all = decided({}, () => breachesAmong(rule, resources, options, where));
    return [...single, ...all].map((breach) => ({ rule, level, ...breach }));
  });
}

/** What breaks a rule, or that this could not be read. Under Pulumi an unknown value throws an error of Pulumi's own, which is Pulumi's to tell. */
function decided(place: Pick<Breach, "urn">, ask: () => Breach[]): (Breach & Pick<Finding, "undecided">)[] {
  try {
    return ask();
  } catch (error) {
    if (!(error instanceof UnreadError)) throw error;
    return [{ ...place, message: error.message, undecided: true }];
  }
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
