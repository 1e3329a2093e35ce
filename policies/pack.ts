import type {
  Policies,
  PolicyConfigSchema,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import { EXEMPTIONS_SCHEMA } from "./exemption.ts";
import { breachesAmong, breachesIn } from "./judge.ts";
import type { Resource } from "./resource.ts";
import type { Breach, Rule, RuleConfig } from "./rule.ts";

/** The rules as Pulumi asks for them. What is unknown in a preview makes Pulumi say that a rule could not run; the update decides then. */
export function policiesOf(rules: readonly Rule[], today: () => Date = () => new Date()): Policies {
  return rules.map((rule) => (rule.checkAll ? stackPolicy(rule, today) : resourcePolicy(rule, today)));
}

function resourcePolicy(rule: Rule, today: () => Date): ResourceValidationPolicy {
  const { mend } = rule;
  return {
    ...described(rule),
    validateResource: (args, report) => {
      const breaches = breachesIn(rule, resourceOf(args), args.getConfig<RuleConfig>(), { today: today() });
      for (const breach of breaches) report(told(rule, breach));
    },
    ...(mend && { remediateResource: (args) => mend(resourceOf(args), args.getConfig<RuleConfig>()) }),
  };
}

function stackPolicy(rule: Rule, today: () => Date): StackValidationPolicy {
  return {
    ...described(rule),
    validateStack: ({ resources, getConfig }, report) => {
      const all = resources.map(
        ({ type, urn, name, props, parent, opts, provider }): Resource => ({
          ...{ type, urn, name, props },
          parent: parent?.urn ?? opts.parent,
          provider: provider?.urn,
        }),
      );
      for (const breach of breachesAmong(rule, all, getConfig<RuleConfig>(), { today: today() }))
        report(told(rule, breach), breach.urn);
    },
  };
}

function resourceOf({ type, urn, name, props, opts, provider }: ResourceValidationArgs): Resource {
  return { type, urn, name, props, parent: opts.parent, provider: provider?.urn };
}

function told({ remediation, checkAll }: Rule, { message }: Breach): string {
  const late = checkAll ? " (Pulumi asks this rule after an update's changes: see the preview.)" : "";
  return `${message}.${late}\n${remediation.join("\n")}`;
}

function described({ name, title, description, level, severity, supports, remediation, url, options }: Rule) {
  const [first] = supports;
  return {
    ...{ name, description, severity, url },
    displayName: title,
    enforcementLevel: level,
    remediationSteps: remediation.join("\n"),
    tags: supports.map(({ framework, clause }) => `supports ${framework} ${clause}`),
    ...(first && {
      framework: {
        name: first.framework,
        version: "",
        reference: first.clause,
        specification: `supports ${first.clause}`,
      },
    }),
    configSchema: {
      properties: { exemptions: EXEMPTIONS_SCHEMA, ...options },
    } as unknown as PolicyConfigSchema,
  };
}
