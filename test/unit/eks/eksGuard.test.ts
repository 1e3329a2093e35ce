import { findEksGroups } from "../../../components/cluster/eksGroups.ts";
import { eksGuardInForce } from "../../../components/cluster/eksGuard.ts";
import { intentOf } from "../../../components/proof/intent.ts";
import { watchOrder } from "../../../components/proof/watch.ts";
import { settingsOf } from "../components/config.ts";
import { type AwsRule, answersOf, EKS, NODES } from "../eksAnswers/answers.ts";
import type { Registered } from "../outputs.ts";
import { type EksStack, eksStack, TYPES } from "./stack.ts";

/** The groups' ids as the mocks give them. */
const IDS: Record<string, string> = { "dev-guard-id": NODES, "sg-control-plane": EKS };

/** A rule that the stack made, as AWS would show it. */
function shownOf({ name, type, inputs }: Registered): AwsRule {
  const { securityGroupId, referencedSecurityGroupId: other, ipProtocol, fromPort, toPort, cidrIpv4 } = inputs;
  return {
    ...{ SecurityGroupRuleId: name, GroupId: IDS[String(securityGroupId)] ?? "", IsEgress: type === TYPES.egress },
    ...{ IpProtocol: String(ipProtocol), FromPort: Number(fromPort ?? -1), ToPort: Number(toPort ?? -1) },
    ...(other !== undefined && { ReferencedGroupInfo: { GroupId: IDS[String(other)] ?? "", UserId: "111122223333" } }),
    ...(cidrIpv4 !== undefined && { CidrIpv4: String(cidrIpv4) }),
  };
}

const rulesOf = (made: EksStack) => [...made.of(TYPES.ingress), ...made.of(TYPES.egress)].map(shownOf);

/** What the prover would be told of a stack whose rules are these. */
async function told({ cluster }: EksStack, config: object, rules: AwsRule[]) {
  const settings = settingsOf({ cluster: { provider: "eks" }, ...config });
  const { guard } = intentOf(settings, cluster);
  const { place, forms } = JSON.parse(guard?.input ?? "null");
  const answers = answersOf(rules);
  const answer = (args: string[]) => {
    if (args.includes("describe-instances")) return answers.instances;
    if (args.includes("describe-security-group-rules")) return answers.rules;
    return args.join().includes("wirecloak") ? answers.ours : answers.theirs;
  };
  const aws = async (args: string[]) => ({ code: 0, stdout: JSON.stringify(answer(args)), stderr: "" });
  return { guard, seen: eksGuardInForce(place, forms, await findEksGroups(place, aws)) };
}

describe.each([
  ["eni", "wireguard"],
  ["overlay", "ipsec"],
  ["chaining", "wireguard"],
])("the guard of a stack on EKS, network mode %s with %s,", (network, encryption) => {
  test("is in force where AWS shows the rules that the stack makes", async () => {
    const made = await eksStack({ network }, { encryption });
    const { guard, seen } = await told(made, { encryption }, rulesOf(made));
    expect(seen).toMatchObject({ intact: true, forms: guard?.forms, rules: { open: [], faults: [] } });
    expect(guard?.forms).toEqual([encryption]);
  });

  test("is not without any single one of them", async () => {
    const made = await eksStack({ network }, { encryption });
    const rules = rulesOf(made);
    expect(rules.length).toBeGreaterThan(30);
    for (const gone of rules) {
      const { seen } = await told(
        made,
        { encryption },
        rules.filter((rule) => rule !== gone),
      );
      const [fault, ...more] = seen?.rules?.faults ?? [];
      expect([gone.SecurityGroupRuleId, more]).toEqual([`dev-guard-${fault?.rule}`, []]);
    }
  });
});

test("the group is found by a tag that the stack gives it", async () => {
  const made = await eksStack();
  expect(made.named("dev-aws").inputs.defaultTags).toContain('"wirecloak:cluster":"dev"');
  expect(made.of("aws:ec2/securityGroup:SecurityGroup")).toHaveLength(1);
});

test("a stack without a guard, or with allowed plaintext, is asked for none", async () => {
  const { cluster } = await eksStack();
  const allowPlaintext = { reason: "a test", until: "2099-01-01" };
  for (const config of [{ guard: "false" }, { encryption: "none", allowPlaintext }])
    expect(intentOf(settingsOf({ cluster: { provider: "eks" }, ...config }), cluster).guard).toBeNull();
});

test("the watch asks nothing of a guard that counts nothing", async () => {
  const { cluster } = await eksStack();
  const settings = settingsOf({ cluster: { provider: "eks" } });
  expect(watchOrder(settings, cluster, intentOf(settings, cluster), {})).toMatchObject({ guard: null });
});
