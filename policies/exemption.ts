import type { Breach, Exemption, Rule, RuleConfig } from "./rule.ts";

const DAY = 86_400_000;

/** When and where a rule is asked; exemptions go by it. */
export interface Where {
  /** Exemptions end with their day. */
  today: Date;
  stack?: string | undefined;
  cluster?: string | undefined;
  urn?: string | undefined;
  /** A Wirecloak stack's own setting `wirecloak:allowPlaintext`. */
  allowPlaintext?: Grace | undefined;
}

/** Something is accepted for a reason, and for so long. */
export interface Grace {
  reason: string;
  /** The last day, YYYY-MM-DD. */
  until: string;
}

/** What a rule has to say of plaintext that a stack's own settings allow: nothing while they do, and that it has ended after. Undefined: nothing is allowed. */
export function plaintextGrace(
  { allowPlaintext }: RuleConfig,
  where: Where,
): { isValid: boolean; ended: string } | undefined {
  const grace = where.allowPlaintext;
  if (!grace || allowPlaintext === "refuse") return undefined;
  return {
    isValid: isValid(grace, where.today),
    ended: `; wirecloak:allowPlaintext says until ${grace.until}, which has ended`,
  };
}

/** The JSON schema of the option `allowPlaintext`, of the rules that go by it. */
export const ALLOW_PLAINTEXT_SCHEMA = { type: "string", enum: ["honour", "refuse"] } as const;

/** What a rule's config says of this: whether it is exempt, and if not, on which day the last exemption for it has ended. One that names nothing covers nothing. */
export function exemptionFor(
  { exemptions = [] }: RuleConfig,
  where: Where,
): { isExempt: boolean; ended?: string | undefined } {
  const covering = exemptions.filter((exemption) => isGrace(exemption) && covers(exemption, where));
  if (covering.some((exemption) => isValid(exemption, where.today))) return { isExempt: true };
  const days = covering.map(({ until }) => until).sort();
  return { isExempt: false, ended: days.at(-1) };
}

/** What breaks a rule, with the exemption that somebody may believe to hold still. */
export function messageOf({ message, exemptionEnded }: Pick<Breach, "message" | "exemptionEnded">): string {
  return exemptionEnded === undefined ? message : `${message}; an exemption for this ended on ${exemptionEnded}`;
}

function covers({ stack, cluster, urn }: Exemption, where: Where): boolean {
  const inStack = where.stack ?? stackOf(where.urn);
  const asked = [
    [stack, inStack],
    [cluster, where.cluster],
    [urn, where.urn],
  ].filter(([name]) => name !== undefined);
  return asked.length > 0 && asked.every(([name, is]) => name === is);
}

/** With a reason and a last day: without both it is none. */
function isGrace({ reason, until }: Grace): boolean {
  return typeof reason === "string" && reason.trim() !== "" && /^\d{4}-\d{2}-\d{2}$/.test(until);
}

/** Until the end of its day, UTC. */
function isValid(grace: Grace, today: Date): boolean {
  return isGrace(grace) && today.getTime() < Date.parse(`${grace.until}T00:00:00Z`) + DAY;
}

/** Days that an exemption lasts which the pack proposes. */
const PROPOSED = 90;

/** The exemption that somebody could want who finds a rule broken, as the pack's config has it; its reason is theirs to write. Undefined for most rules. */
export function proposedExemption(
  { name, exemptBy }: Pick<Rule, "name" | "exemptBy">,
  { urn, cluster }: Breach,
  today: Date,
): string | undefined {
  const named = exemptBy === "stack" ? stackOf(urn) : cluster;
  if (exemptBy === undefined || named === undefined) return undefined;
  const until = new Date(today.getTime() + PROPOSED * DAY).toISOString().slice(0, 10);
  return JSON.stringify({ [name]: { exemptions: [{ [exemptBy]: named, reason: "", until }] } });
}

function stackOf(urn: string | undefined): string | undefined {
  return /^urn:pulumi:(.+?)::/.exec(urn ?? "")?.[1];
}

/** The JSON schema of `exemptions`, in every rule's config. */
export const EXEMPTIONS_SCHEMA = {
  type: "array",
  items: {
    type: "object",
    properties: {
      stack: { type: "string" },
      cluster: { type: "string" },
      urn: { type: "string" },
      reason: { type: "string", minLength: 1 },
      until: { type: "string", pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" },
    },
    required: ["reason", "until"],
    additionalProperties: false,
  },
} as const;
