import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ACTIONS, actionsOf } from "../../../doctor/eks/actions.ts";
import {
  dryRunsOf,
  judgeDryRun,
  judgeEvaluation,
  judgePermissions,
  principalOf,
  simulate,
  type Verdict,
} from "../../../doctor/eks/permissions.ts";
import type { Evaluation } from "../../../doctor/eks/questions.ts";
import { projectRoot } from "../../../tools/paths.ts";
import { DENIED, eks } from "./eks.ts";

const given = {
  id: "vpc-0123456789abcdef0",
  subnetIds: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
  nodeRanges: ["10.8.0.0/17"],
};
const identity = { Account: "111122223333", Arn: "arn:aws:iam::111122223333:user/me" };

describe("which actions the settings take", () => {
  const all = (cluster: object) => [...actionsOf(eks(cluster).cluster).values()].flat();

  test("none twice", () => {
    const actions = all({ admins: ["arn:aws:iam::111122223333:role/x"] });
    expect(actions.filter((action, at) => actions.indexOf(action) !== at)).toEqual([]);
  });

  test.each([
    ["ec2:CreateVpc", {}, { vpc: given }],
    ["ec2:CreateNatGateway", {}, { vpc: given }],
    ["logs:CreateLogGroup", {}, { logs: [] }],
    ["eks:CreateAccessEntry", { admins: ["arn:aws:iam::111122223333:role/x"] }, {}],
  ])("%s only where it is needed", (action, needed, not) => {
    expect([all(needed).includes(action), all(not).includes(action)]).toEqual([true, false]);
  });

  test("docs/eks.md names each of them, for who writes the policy", () => {
    const page = readFileSync(join(projectRoot, "docs/eks.md"), "utf8");
    const actions = ACTIONS.flatMap((row) => row.actions.map((action) => action.split(":")[1] ?? ""));
    expect(actions.filter((action) => !new RegExp(`\\b${action}\\b`).test(page))).toEqual([]);
  });

  test("each type of resource that the components make has the action that makes it", () => {
    const folder = join(projectRoot, "components/cluster/eks");
    const sources = readdirSync(folder).filter((file) => file.endsWith(".ts"));
    const types = sources.flatMap((file) =>
      [...readFileSync(join(folder, file), "utf8").matchAll(/from "@pulumi\/aws\/(\w+\/\w+)\.js"/g)].map(
        ([, type]) => type ?? "",
      ),
    );
    expect(types).toContain("eks/cluster");
    const actions = ACTIONS.flatMap((row) => row.actions);
    expect([...new Set(types)].filter((type) => !actions.includes(MAKES[type] ?? created(type)))).toEqual([]);
  });
});

/** By which action AWS makes a resource, where it is not called Create and its type's name. */
const MAKES: Readonly<Record<string, string>> = {
  "ec2/eip": "ec2:AllocateAddress",
  "ec2/getSubnet": "ec2:DescribeSubnets",
  "ec2/routeTableAssociation": "ec2:AssociateRouteTable",
  "vpc/securityGroupEgressRule": "ec2:AuthorizeSecurityGroupEgress",
  "vpc/securityGroupIngressRule": "ec2:AuthorizeSecurityGroupIngress",
  "eks/accessPolicyAssociation": "eks:AssociateAccessPolicy",
  "eks/nodeGroup": "eks:CreateNodegroup",
  "iam/openIdConnectProvider": "iam:CreateOpenIDConnectProvider",
  "iam/rolePolicy": "iam:PutRolePolicy",
  "iam/rolePolicyAttachment": "iam:AttachRolePolicy",
  "cloudwatch/logGroup": "logs:CreateLogGroup",
};

function created(type: string): string {
  const [service = "", name = ""] = type.split("/");
  return `${service}:Create${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

test("dry runs are of what needs nothing that is not there yet, tagged as the real calls are", () => {
  const operations = (cluster: object) => dryRunsOf(eks(cluster).cluster).map(({ operation }) => operation);
  expect(operations({})).toEqual(["create-vpc", "allocate-address", "create-launch-template"]);
  expect(operations({ vpc: given })).toEqual(["create-security-group", "create-launch-template"]);
  const [first] = dryRunsOf(eks({ tags: { team: "a b" } }).cluster);
  expect(JSON.parse(first?.args.at(-1) ?? "")).toEqual([
    {
      ResourceType: "vpc",
      Tags: [
        { Key: "team", Value: "a b" },
        { Key: "wirecloak:cluster", Value: "dev" },
      ],
    },
  ]);
});

test.each<[string, Parameters<typeof judgeDryRun>[0], Verdict]>([
  ["would have done it", { code: "DryRunOperation", said: "" }, "may"],
  ["refuses", { code: "UnauthorizedOperation", said: "" }, "may not"],
  ["stumbles over something else", { code: "VpcLimitExceeded", said: "too many" }, { unknown: "too many" }],
  ["does it", { value: {} }, { unknown: "AWS took no notice of --dry-run" }],
])("a dry run where EC2 %s", (_, answer, verdict) => {
  expect(judgeDryRun(answer)).toEqual(verdict);
});

const evaluation = (decision: string, more: Partial<Evaluation> = {}): Evaluation => ({
  EvalActionName: "eks:CreateCluster",
  EvalDecision: decision,
  ...more,
});

test.each<[string, Evaluation, boolean, Verdict]>([
  ["allowed", evaluation("allowed"), false, "may"],
  ["not allowed on the resource", evaluation("implicitDeny"), true, "may not"],
  ["not allowed on all resources", evaluation("implicitDeny"), false, { unknown: "not allowed on all resources" }],
  ["forbidden", evaluation("explicitDeny"), false, "may not"],
  [
    "bound to a condition",
    evaluation("implicitDeny", { MissingContextValues: ["aws:RequestTag/team"] }),
    true,
    { unknown: "depends on aws:RequestTag/team" },
  ],
  [
    "bound to a condition, of a resource that was named",
    evaluation("implicitDeny", {
      ResourceSpecificResults: [
        { EvalResourceDecision: "implicitDeny", MissingContextValues: ["aws:MultiFactorAuthPresent"] },
      ],
    }),
    true,
    { unknown: "depends on aws:MultiFactorAuthPresent" },
  ],
])("what IAM says of an action that is %s", (_, answer, named, verdict) => {
  expect(judgeEvaluation(answer, named)).toEqual(verdict);
});

describe("whose policies are simulated", () => {
  const session = (role: string) => ({
    Account: "111122223333",
    Arn: `arn:aws:sts::111122223333:assumed-role/${role}/me`,
  });
  const path = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x";

  test.each([
    ["a user's own", identity, identity.Arn, DENIED],
    [
      "of a session its role's, with the path that only IAM knows",
      session("AWSReservedSSO_x"),
      path,
      { value: { Role: { Arn: path } } },
    ],
    [
      "of a session its role's, without a path where IAM does not tell",
      session("ops"),
      "arn:aws:iam::111122223333:role/ops",
      DENIED,
    ],
  ])("%s", async (_, who, arn, role) => {
    expect(await principalOf(who, { role: async () => role })).toBe(arn);
  });
});

describe("simulating", () => {
  const { cluster } = eks();
  /** IAM that decides by action and resource. */
  const iam = (decide: (action: string, resource: string) => string) => {
    const asked: (string | undefined)[] = [];
    return {
      asked,
      role: async () => DENIED,
      simulate: async (_: string, actions: readonly string[], resource?: string) => {
        asked.push(resource);
        const results = actions.map((action) => ({
          EvalActionName: action,
          EvalDecision: decide(action, resource ?? "*"),
        }));
        return { value: { EvaluationResults: results } };
      },
    };
  };

  test("takes one question where all is allowed on all", async () => {
    const ask = iam(() => "allowed");
    const verdicts = await simulate(cluster, identity, ask);
    expect(ask.asked).toEqual([undefined]);
    expect(new Set(verdicts.values())).toEqual(new Set(["may"]));
  });

  test("takes a policy for one cluster's name for what it is", async () => {
    const ask = iam((action, on) => (action.startsWith("eks:") && !on.includes("/dev") ? "implicitDeny" : "allowed"));
    const verdicts = await simulate(cluster, identity, ask);
    expect(verdicts.get("eks:CreateCluster")).toBe("may");
    expect(verdicts.get("eks:DeleteNodegroup")).toBe("may");
  });

  test("finds what is denied on the resource itself", async () => {
    const verdicts = await simulate(
      cluster,
      identity,
      iam((action) => (action === "iam:PassRole" ? "implicitDeny" : "allowed")),
    );
    expect([...verdicts].filter(([, verdict]) => verdict !== "may")).toEqual([["iam:PassRole", "may not"]]);
  });

  test("asks by kinds where IAM takes not all actions at once", async () => {
    let first = true;
    const ask = iam(() => "allowed");
    const simulated = await simulate(cluster, identity, {
      ...ask,
      simulate: async (...args) => {
        if (!first) return ask.simulate(...args);
        first = false;
        return { code: "InvalidInput", said: "require different authorization information" };
      },
    });
    expect(new Set(simulated.values())).toEqual(new Set(["may"]));
  });

  test("knows nothing where IAM may not be asked", async () => {
    const verdicts = await simulate(cluster, identity, { role: async () => DENIED, simulate: async () => DENIED });
    expect(new Set([...verdicts.values()].map((verdict) => JSON.stringify(verdict)))).toEqual(
      new Set([JSON.stringify({ unknown: DENIED.said })]),
    );
  });
});

describe("what is told of permissions", () => {
  const judge = (simulated: Record<string, Verdict>, tried: Record<string, Verdict>) =>
    judgePermissions(new Map(Object.entries(simulated)), new Map(Object.entries(tried)), "me");

  test("EC2's own word outweighs a simulation, both ways", () => {
    expect(judge({ a: "may not" }, { a: "may" })).toMatchObject([{ level: "ok" }]);
    expect(judge({ a: "may" }, { a: "may not" })).toMatchObject([{ level: "error" }]);
    expect(judge({ a: "may not" }, { a: { unknown: "limit" } })).toMatchObject([{ level: "error" }]);
  });

  test("what is denied and what is not known are two findings", () => {
    const findings = judge(
      { a: "may", b: "may not", c: { unknown: "depends on x" }, d: { unknown: "depends on x" } },
      {},
    );
    expect(findings).toMatchObject([
      { level: "error", evidence: expect.stringContaining("1 of the 4") },
      { level: "warning", evidence: "Not checked: c, d: depends on x" },
    ]);
  });
});
