import {
  type ResourceValidationPolicy,
  type StackValidationPolicy,
  UnknownValueError,
  unknownCheckingProxy,
} from "@pulumi/policy";
import type { Where } from "../../../policies/exemption.ts";
import { policiesOf } from "../../../policies/pack.ts";
import type { Resource } from "../../../policies/resource.ts";
import type { Rule, RuleConfig } from "../../../policies/rule.ts";

/** What Pulumi has in place of a text that is unknown in a preview (@pulumi/policy/proxy.js); its parts are unknown too. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** What a rule told Pulumi, and whether it then came upon something unknown, which Pulumi makes advice of. */
export interface Told {
  messages: string[];
  /** Told as advice by the rule itself. */
  advice: string[];
  unknown: boolean;
}

export interface Asked {
  config?: RuleConfig;
  where?: Partial<Where>;
  folder?: string;
}

/** Asks a rule in the way that Pulumi does, about resources whose unknown parts throw. */
export async function ask(rule: Rule, resources: readonly Partial<Resource>[], asked: Asked = {}): Promise<Told> {
  const told: Told = { messages: [], advice: [], unknown: false };
  const report = (violation: unknown): void => {
    if (typeof violation === "string") told.messages.push(violation);
    else told.advice.push(String(Reflect.get(Object(violation), "message")));
  };
  for (const run of runs(rule, resources, asked)) {
    try {
      await run(report);
    } catch (error) {
      if (!(error instanceof UnknownValueError)) throw error;
      told.unknown = true;
    }
  }
  return told;
}

type Run = (report: (violation: unknown) => void) => unknown;

function runs(rule: Rule, resources: readonly Partial<Resource>[], { config = {}, where, folder }: Asked): Run[] {
  const today = new Date("2026-11-21T12:00:00Z");
  const [policy] = policiesOf([rule], { where: () => ({ today, ...where }), folder });
  const given = resources.map(
    ({ type = "kubernetes:helm.sh/v3:Release", name = "cilium", urn = name, props, ...rest }) => ({
      ...{
        type,
        name,
        urn,
        opts: {},
        propertyDependencies: { all: (rest.dependencies ?? []).map((each) => ({ urn: each })) },
        dependencies: (rest.waitsFor ?? []).map((each) => ({ urn: each })),
      },
      ...(rest.provider && { provider: { urn: rest.provider } }),
      props: unknownCheckingProxy(props ?? {}),
      getConfig: () => config,
    }),
  );
  if (rule.checkAll) {
    const { validateStack } = policy as StackValidationPolicy;
    return [(report) => validateStack({ resources: given, getConfig: () => config } as never, report as never)];
  }
  const { validateResource } = policy as ResourceValidationPolicy;
  if (typeof validateResource !== "function") throw new Error(`${rule.name} asks nothing`);
  return given.map((args) => (report) => validateResource(args as never, report as never));
}
