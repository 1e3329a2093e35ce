import type { Exemption, RuleConfig } from "./rule.ts";

/** What an exemption may name. */
export interface Where {
  /** Exemptions end with their day. */
  today: Date;
  stack?: string | undefined;
  cluster?: string | undefined;
  urn?: string | undefined;
}

/** The exemption that covers this, if one does and has not ended. One that names nothing covers nothing. */
export function exemptionFor({ exemptions = [] }: RuleConfig, where: Where): Exemption | undefined {
  return exemptions.find((exemption) => isValid(exemption, where.today) && covers(exemption, where));
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

/** Until the end of its day, UTC, and with a reason: an exemption without both is none. */
function isValid({ reason, until }: Exemption, today: Date): boolean {
  if (typeof reason !== "string" || reason.trim() === "" || !/^\d{4}-\d{2}-\d{2}$/.test(until)) return false;
  return today.getTime() < Date.parse(`${until}T00:00:00Z`) + 86_400_000;
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
