import { readFileSync } from "node:fs";
import { z } from "zod";
import { type Problem, UserError } from "../components/userError.ts";
import { EXEMPTIONS_SCHEMA } from "../policies/exemption.ts";
import type { PackConfig } from "../policies/judge.ts";
import { RULES } from "../policies/rules/index.ts";

const LEVELS = ["advisory", "mandatory", "remediate", "disabled"];

/** Reads a policy pack's config, as `pulumi up --policy-pack-config` takes it. Throws a UserError with all that is wrong in it: Pulumi passes over a rule that it does not know. */
export function readPolicyConfig(file: string): PackConfig {
  let config: unknown;
  try {
    config = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UserError([{ key: file, message: `This is no JSON that can be read: ${(error as Error).message}` }]);
  }
  const problems = problemsIn(config, file);
  if (problems.length > 0) throw new UserError(problems);
  return config as PackConfig;
}

/** What is wrong with a config, by the schemas that the rules give to Pulumi. */
export function problemsIn(config: unknown, file: string): Problem[] {
  if (typeof config !== "object" || config === null || Array.isArray(config))
    return [{ key: file, message: "This is no object of rules.", allowed: '{ "RULE": "LEVEL" | { ...options } }' }];
  return Object.entries(config).flatMap(([name, value]): Problem[] => {
    const key = `${file}: ${name}`;
    const rule = RULES.find((each) => each.name === name);
    if (!rule && name !== "all")
      return [
        { key, message: "There is no such rule.", allowed: ["all", ...RULES.map((each) => each.name)].join(", ") },
      ];
    if (typeof value === "string")
      return LEVELS.includes(value)
        ? []
        : [{ key, value, message: "There is no such level.", allowed: LEVELS.join(", ") }];
    const properties = {
      enforcementLevel: { enum: LEVELS },
      ...(rule && { exemptions: EXEMPTIONS_SCHEMA, ...rule.options }),
    };
    const schema: object = { type: "object", properties, additionalProperties: false };
    const { error } = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value);
    return (error?.issues ?? []).map(({ path, message }) => ({
      key: [key, ...path.map(String)].join("."),
      message: `${message}.`,
      ...(path.length === 0 && { allowed: Object.keys(properties).join(", ") }),
    }));
  });
}
