import { tagsOf } from "../../components/cluster/eks/nodeSpec.ts";
import { type EksSettings, isGivenVpc } from "../../components/settingsEks.ts";
import { error, type Finding, ok, warning } from "../finding.ts";
import { actionsOf, resourceOf } from "./actions.ts";
import { type Answer, answered } from "./aws.ts";
import type { Evaluation, Identity, Questions } from "./questions.ts";

const WHAT = "permissions";

/** Whether an action is allowed; or why that is not known. */
export type Verdict = "may" | "may not" | { unknown: string };

/** A call of EC2 that can be tried without doing it. Others name what is not there yet, which EC2 refuses first. */
interface DryRun {
  action: string;
  operation: string;
  args: string[];
}

/** The dry runs for these settings, tagged as the real calls are: a policy may ask for tags. */
export function dryRunsOf(cluster: EksSettings): DryRun[] {
  const { vpc, name } = cluster;
  const tagged = (resourceType: string) => {
    const Tags = Object.entries(tagsOf(cluster)).map(([Key, Value]) => ({ Key, Value }));
    return ["--tag-specifications", JSON.stringify([{ ResourceType: resourceType, Tags }])];
  };
  const template = ["--launch-template-name", `${name}-doctor`, "--launch-template-data", '{"EbsOptimized":true}'];
  const both: DryRun[] = [
    {
      action: "ec2:CreateLaunchTemplate",
      operation: "create-launch-template",
      args: [...template, ...tagged("launch-template")],
    },
  ];
  if (isGivenVpc(cluster)) {
    const group = ["--group-name", `${name}-doctor`, "--description", "dry run", "--vpc-id", vpc.id ?? ""];
    const args = [...group, ...tagged("security-group")];
    return [{ action: "ec2:CreateSecurityGroup", operation: "create-security-group", args }, ...both];
  }
  const range = ["--cidr-block", vpc.cidr ?? ""];
  return [
    { action: "ec2:CreateVpc", operation: "create-vpc", args: [...range, ...tagged("vpc")] },
    {
      action: "ec2:AllocateAddress",
      operation: "allocate-address",
      args: ["--domain", "vpc", ...tagged("elastic-ip")],
    },
    ...both,
  ];
}

/** What a dry run came to. EC2 always answers with an error: `DryRunOperation` says that it would have done it. */
export function judgeDryRun(answer: Answer<unknown>): Verdict {
  if ("value" in answer) return { unknown: "AWS took no notice of --dry-run" };
  if (answer.code === "DryRunOperation") return "may";
  return answer.code === "UnauthorizedOperation" ? "may not" : { unknown: answer.said };
}

/**
 * What a simulation says of an action. A condition on what only the real call has leaves it open.
 * @param named the question named the resource, or there is none to name; else a policy may still allow the action on some resources
 */
export function judgeEvaluation(evaluation: Evaluation, named: boolean): Verdict {
  const { EvalDecision, MissingContextValues = [], ResourceSpecificResults = [] } = evaluation;
  if (EvalDecision === "allowed") return "may";
  const missing = [...MissingContextValues, ...ResourceSpecificResults.flatMap((on) => on.MissingContextValues ?? [])];
  if (missing.length > 0) return { unknown: `depends on ${[...new Set(missing)].join(", ")}` };
  return named || EvalDecision === "explicitDeny" ? "may not" : { unknown: "not allowed on all resources" };
}

/** The user or role whose policies are simulated: of an assumed role the role itself, whose path its session does not tell. */
export async function principalOf({ Account, Arn }: Identity, ask: Pick<Questions, "role">): Promise<string> {
  const [, partition, name] = /^arn:([\w-]+):sts::\d+:assumed-role\/([^/]+)\//.exec(Arn) ?? [];
  if (name === undefined) return Arn;
  const role = answered(await ask.role(name));
  return role?.Role.Arn ?? `arn:${partition}:iam::${Account}:role/${name}`;
}

/**
 * What IAM says that a principal may do. One question asks for everything on all resources; only what a policy does not allow on all is asked again, on the resource
 * that it will be on. AWS takes only actions that are alike in one such question (`require different authorization information`), hence a question a kind.
 */
export async function simulate(
  cluster: EksSettings,
  identity: Identity,
  ask: Pick<Questions, "role" | "simulate">,
): Promise<Map<string, Verdict>> {
  const byKind = [...actionsOf(cluster)];
  const all = byKind.flatMap(([, actions]) => actions);
  const principal = await principalOf(identity, ask);
  const answer = await ask.simulate(principal, all);
  const first = verdicts(all, answer, false);
  const refused = "value" in answer ? undefined : answer.code;
  if (refused !== undefined && refused !== "InvalidInput") return first;
  const again = await Promise.all(
    byKind.map(async ([kind, actions]) => {
      const open = actions.filter((action) => first.get(action) !== "may");
      if (open.length === 0 || (kind === "ec2" && refused === undefined)) return new Map<string, Verdict>();
      const resource = resourceOf(kind, cluster, identity.Account);
      return verdicts(open, await ask.simulate(principal, open, resource), kind !== "ec2");
    }),
  );
  return new Map([first, ...again].flatMap((some) => [...some]));
}

function verdicts(
  actions: readonly string[],
  answer: Answer<{ EvaluationResults: Evaluation[] }>,
  named: boolean,
): Map<string, Verdict> {
  const refused = "value" in answer ? "IAM did not say" : answer.said;
  const results = new Map(
    (answered(answer)?.EvaluationResults ?? []).map((result) => [
      result.EvalActionName,
      judgeEvaluation(result, named),
    ]),
  );
  return new Map(actions.map((action) => [action, results.get(action) ?? { unknown: refused }]));
}

/** What may be done, what may not, and what nobody could tell. A dry run is EC2's own word, and outweighs the simulation. */
export function judgePermissions(
  simulated: ReadonlyMap<string, Verdict>,
  tried: ReadonlyMap<string, Verdict>,
  principal: string,
): Finding[] {
  const known = [...tried].filter(([, verdict]) => typeof verdict === "string");
  const verdictOf = new Map([...tried, ...simulated, ...known]);
  const all = [...verdictOf];
  const denied = all.filter(([, verdict]) => verdict === "may not").map(([action]) => action);
  const unknown = all.flatMap(([action, verdict]) =>
    typeof verdict === "object" ? [{ action, why: verdict.unknown }] : [],
  );
  const findings: Finding[] = [];
  if (denied.length > 0) {
    const evidence = `${principal} may not do ${denied.length} of the ${all.length} things that making this cluster, changing it and deleting it take: ${denied.join(", ")}.`;
    findings.push(
      error(WHAT, evidence, "have these allowed to it by who administers IAM; what each is for: docs/eks.md, Rights"),
    );
  }
  if (unknown.length > 0) {
    const reasons = [...new Set(unknown.map(({ why }) => why))].map((why) => {
      const actions = unknown.filter((one) => one.why === why).map(({ action }) => action);
      return `${actions.length > FEW ? `${actions.length} actions` : actions.join(", ")}: ${why}`;
    });
    findings.push(warning(WHAT, `Not checked: ${reasons.join("; ")}`, SIMULATE));
  }
  if (findings.length > 0) return findings;
  return [ok(WHAT, `All ${all.length} actions are allowed, as IAM and EC2 say; nothing was made.`)];
}

/** More are counted, not named. */
const FEW = 6;
const SIMULATE =
  "allow iam:SimulatePrincipalPolicy and iam:GetRole where these are missing; else go on: AWS decides when it is asked in earnest";

/** Asks and judges. Nothing is made: EC2 is asked for dry runs, IAM for what its policies say. */
export async function checkPermissions(cluster: EksSettings, identity: Identity, ask: Questions): Promise<Finding[]> {
  const [simulated, tried] = await Promise.all([
    simulate(cluster, identity, ask),
    Promise.all(
      dryRunsOf(cluster).map(
        async ({ action, operation, args }) => [action, judgeDryRun(await ask.dryRun(operation, args))] as const,
      ),
    ),
  ]);
  return judgePermissions(simulated, new Map(tried), identity.Arn);
}
