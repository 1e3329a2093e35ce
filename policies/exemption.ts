import type { Breach, Exemption, RuleConfig } from "./rule.ts";

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
  const inStack = where.stack ?? /^urn:pulumi:(.+?)::/.exec(where.urn ?? "")?.[1];
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
  return isGrace(grace) && today.getTime() < Date.parse(`${grace.until}T00:00:00Z`) + 86_400_000;
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
      reason: { type: "string" },
      until: { type: "string" },
    },
    required: ["reason", "until"],
    additionalProperties: false,
  },
} as const;
