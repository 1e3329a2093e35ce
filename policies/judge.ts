import { type Piece, piecesOf } from "./cilium/pieces.ts";
import { exemptionFor, type Where } from "./exemption.ts";
import { type Resource, UnreadError } from "./resource.ts";
import type { Breach, Level, Rule, RuleConfig } from "./rule.ts";
import { inEach } from "./undecided.ts";

/** A pack's config as Pulumi takes it: a level for all rules, and for each rule a level, or its options. */
export type PackConfig = Record<string, Level | (RuleConfig & { enforcementLevel?: Level })>;

/** A broken rule; or one that could not be asked, which is not the same as one that holds. */
export interface Finding extends Breach {
  rule: Rule;
  level: Level;
  /** What the rule rests on cannot be read; the message says what. */
  undecided?: true;
}

/** What breaks a rule in all resources together, one after the other: what cannot be read throws, after all that is known. */
export function* breachesAmong(
  rule: Rule,
  resources: readonly Resource[],
  config: RuleConfig,
  where: Where,
): Generator<Breach> {
  for (const breach of rule.checkAll?.(resources, config, where) ?? []) {
    const { urn, cluster } = breach;
    yield* unlessExempt(breach, config, { ...where, urn, cluster });
  }
}

/** What breaks a rule in one resource, in the same way. */
export function* breachesIn(rule: Rule, resource: Resource, config: RuleConfig, where: Where): Generator<Breach> {
  const { check } = rule;
  if (!check) return;
  const { urn } = resource;
  yield* inEach(piecesOf(resource), function* (piece) {
    for (const message of check(piece, config, where))
      yield* unlessExempt({ message, urn }, config, { ...where, ...placeOf(resource, piece, config) });
  });
}

function* unlessExempt(breach: Breach, config: RuleConfig, where: Where): Generator<Breach> {
  const { isExempt, ended } = exemptionFor(config, where);
  if (!isExempt) yield ended === undefined ? breach : { ...breach, exemptionEnded: ended };
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
      decided({ urn: resource.urn }, breachesIn(rule, resource, options, where)),
    );
    const all = decided({}, breachesAmong(rule, resources, options, where));
    return [...single, ...all].map((breach) => ({ rule, level, ...breach }));
  });
}

/** What breaks a rule, and what of it could not be read. Under Pulumi an unknown value throws an error of Pulumi's own, which is Pulumi's to tell. */
function decided(place: Pick<Breach, "urn">, breaches: Iterable<Breach>): (Breach & Pick<Finding, "undecided">)[] {
  const told: (Breach & Pick<Finding, "undecided">)[] = [];
  try {
    for (const breach of breaches) told.push(breach);
  } catch (error) {
    if (!(error instanceof UnreadError)) throw error;
    told.push({ ...place, message: error.message, undecided: true });
  }
  return told;
}

/** What a pack's config says of a rule. */
export function configOf(rule: Rule, config: PackConfig): { level: Level; options: RuleConfig } {
  const own = config[rule.name];
  // Pulumi takes either form for all rules, too.
  const [level, ofAll] = [own, config.all].map((each) => (typeof each === "object" ? each.enforcementLevel : each));
  return { level: level ?? ofAll ?? rule.level, options: typeof own === "object" ? own : {} };
}

/** Which cluster a piece is of, as far as it says so; its own name is asked for only where an exemption goes by it. */
function placeOf(
  { urn, provider }: Resource,
  piece: Piece,
  { exemptions = [] }: RuleConfig,
): Pick<Where, "urn" | "cluster"> {
  const asked = exemptions.some(({ cluster }) => cluster !== undefined);
  const named = asked && piece.kind === "cilium" ? piece.options.get("cluster-name") : undefined;
  return { urn, cluster: named ?? nameIn(provider) };
}

/** The logical name in a URN; a provider's ends with `::ID` in a state. */
function nameIn(urn: string | undefined): string | undefined {
  return urn?.split("::")[3];
}
