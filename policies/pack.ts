import type {
  Policies,
  PolicyConfigSchema,
  ReportViolation,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import { isChart } from "./cilium/charts.ts";
import { valueFilesOf } from "./cilium/valueFiles.ts";
import { EXEMPTIONS_SCHEMA, messageOf, proposedExemption, type Where } from "./exemption.ts";
import { breachesAmong, breachesIn } from "./judge.ts";
import { type AskedFor, propsAtEnd } from "./previewed.ts";
import { type Resource, UnreadError } from "./resource.ts";
import type { Breach, Rule, RuleConfig } from "./rule.ts";

/** What a pack knows beside the resources. */
export interface PackPlace {
  /** The circumstances of the moment. */
  where: () => Where;
  /** The folder that the Pulumi program runs in; absent: not known. */
  folder?: string | undefined;
}

/** The rules as Pulumi asks for them. What is unknown in a preview makes Pulumi say that a rule could not run; the update decides then. */
export function policiesOf(rules: readonly Rule[], place: PackPlace): Policies {
  const asked: AskedFor = new Map();
  return rules.map((rule) => (rule.checkAll ? stackPolicy(rule, place, asked) : resourcePolicy(rule, place, asked)));
}

function resourcePolicy(rule: Rule, { where, folder }: PackPlace, asked: AskedFor): ResourceValidationPolicy {
  const { mend } = rule;
  return {
    ...described(rule),
    validateResource: async (args, report) => {
      asked.set(args.urn, args.props);
      const resource = await withFiles(resourceOf(args), folder);
      const here = where();
      tell(rule, breachesIn(rule, resource, args.getConfig<RuleConfig>(), here), here.today, report);
    },
    ...(mend && {
      remediateResource: async (args) => {
        const resource = await withFiles(resourceOf(args), folder);
        const breaches = breachesIn(rule, resource, args.getConfig<RuleConfig>(), where());
        return isBroken(breaches) && mend(resource) ? resource.props : undefined;
      },
    }),
  };
}

function stackPolicy(rule: Rule, { where, folder }: PackPlace, asked: AskedFor): StackValidationPolicy {
  return {
    ...described(rule),
    validateStack: async ({ resources, getConfig }, report) => {
      const all = resources.map(
        ({ type, urn, name, props, parent, opts, provider, propertyDependencies, dependencies }): Resource => ({
          ...{ type, urn, name, props: propsAtEnd({ type, urn, props }, provider, asked) },
          parent: parent?.urn ?? opts.parent,
          provider: provider?.urn,
          dependencies: Object.values(propertyDependencies).flatMap((each) => each.map((resource) => resource.urn)),
          waitsFor: dependencies.map((each) => each.urn),
        }),
      );
      const read = await Promise.all(all.map((resource) => withFiles(resource, folder)));
      const here = where();
      tell(rule, breachesAmong(rule, read, getConfig<RuleConfig>(), here), here.today, report);
    },
  };
}

/** Where exemptions go. `make up` takes it by itself. */
const CONFIG = "policies.json (--policy-pack-config)";

/** Something that Pulumi knows of at run time and its types do not. */
type Violation = { message: string; urn?: string | undefined; enforcementLevel: "advisory" };

/** Tells what breaks a rule, one by one: what is unknown in a preview throws after all that is known, and Pulumi says so. */
function tell(rule: Rule, breaches: Iterable<Breach>, today: Date, report: ReportViolation): void {
  try {
    for (const breach of breaches) report(told(rule, breach, today), rule.checkAll && breach.urn);
  } catch (error) {
    if (!(error instanceof UnreadError)) throw error;
    const violation: Violation = {
      message: `${rule.description}\nUndecided: ${error.message}.`,
      enforcementLevel: "advisory",
    };
    (report as unknown as (violation: Violation) => void)(violation);
  }
}

/** What cannot be read is not mended; whether it has to be is told where the rule is asked. */
function isBroken(breaches: Generator<Breach>): boolean {
  try {
    return breaches.next().done !== true;
  } catch (error) {
    if (error instanceof UnreadError) return false;
    throw error;
  }
}

async function withFiles(resource: Resource, folder: string | undefined): Promise<Resource> {
  return isChart(resource) ? { ...resource, valueFiles: await valueFilesOf(resource, folder) } : resource;
}

function resourceOf({
  type,
  urn,
  name,
  props,
  opts,
  provider,
}: Omit<ResourceValidationArgs, "notApplicable">): Resource {
  return { type, urn, name, props, parent: opts.parent, provider: provider?.urn };
}

function told(rule: Rule, breach: Breach, today: Date): string {
  const { remediation, checkAll } = rule;
  const late = checkAll ? " (Pulumi asks this rule after an update's changes: see the preview.)" : "";
  const proposed = proposedExemption(rule, breach, today);
  return [
    `${messageOf(breach)}.${late}`,
    ...remediation,
    ...(proposed ? [`If it is meant to be so: give this a reason and put it into ${CONFIG}:`, proposed] : []),
  ].join("\n");
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
