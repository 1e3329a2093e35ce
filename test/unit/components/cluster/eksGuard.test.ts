import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import fc from "fast-check";
import { type GuardRules, guardRules } from "../../../../components/cluster/eks/guardRules.ts";
import { findEksGroups } from "../../../../components/cluster/eksGroups.ts";
import { eksGuardInForce } from "../../../../components/cluster/eksGuard.ts";
import { guardPlaceOf, isBridge } from "../../../../components/cluster/guardPlace.ts";
import type { Form } from "../../../../components/encryption/guard/forms.ts";
import { guardPlan } from "../../../../components/encryption/guard/question.ts";
import type { SecurityGroupEgressRule } from "../../../../components/encryption/guard/securityGroup.ts";
import type { EksSettings } from "../../../../components/settings.ts";
import { readGuard } from "../../../../prover/guard.ts";
import type { GuardSeen, RuleFault } from "../../../../prover/observation.ts";
import { nodeRanges, ownerIn } from "../../../firewall/addresses.ts";
import { CORPUS } from "../../../firewall/corpus.ts";
import { decode } from "../../../firewall/packet.ts";
import { securityGroups } from "../../../firewall/renderings.ts";
import { arrives } from "../../../firewall/securityGroups.ts";
import {
  type Answers,
  type AwsRule,
  answersOf,
  EKS,
  instance,
  NODES,
  OTHER,
  shownRule,
} from "../../eksAnswers/answers.ts";
import { fakeAws } from "../../eksAnswers/fakeAws.ts";
import { settingsOf } from "../config.ts";

const settings = (config: object = {}) =>
  settingsOf({ cluster: { provider: "eks", name: "dev", region: "eu-west-1" }, ...config });

/** The rules of these settings, in place. */
function inPlace(config: object = {}): AwsRule[] {
  const made = settings(config);
  return shown(guardRules(made, made.cluster as EksSettings));
}

function shown({ ingress, egress, controlPlane }: GuardRules): AwsRule[] {
  return [
    ...ingress.map((rule) => shownRule(rule, false)),
    ...egress.map((rule) => shownRule(rule, true)),
    ...controlPlane.map((rule) => shownRule(rule, false, EKS)),
    // What EKS itself has there.
    ...[shownRule({ protocol: "-1", peer: "control-plane" }, false, EKS)],
    ...[shownRule({ protocol: "-1", peer: { cidr: "0.0.0.0/0" } }, true, EKS)],
  ];
}

/** What is made of these answers, asked for the ciphertext of WireGuard. */
async function judged(answers: Answers, forms: Form[] = ["wireguard"]): Promise<GuardSeen> {
  const place = guardPlaceOf(settings());
  if (!place || isBridge(place)) throw new Error("no security groups");
  const text = (args: string[]) => {
    if (args.includes("describe-instances")) return answers.instances;
    if (args.includes("describe-security-group-rules")) return answers.rules;
    return args.join().includes("wirecloak") ? answers.ours : answers.theirs;
  };
  const aws = async (args: string[]) => ({ code: 0, stdout: JSON.stringify(text(args)), stderr: "" });
  const seen = eksGuardInForce(place, forms, await findEksGroups(place, aws));
  if (!seen) throw new Error("no guard");
  return seen;
}

const faultsOf = ({ rules }: GuardSeen) => rules?.faults ?? [];
const whats = (seen: GuardSeen) => faultsOf(seen).map(({ what }) => what);
const withRule = (rule: AwsRule) => answersOf([...inPlace(), rule]);

describe("asking AWS by its CLI", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "wirecloak-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  /** As the prover asks. */
  const ask = async (answers: Answers | { refuses: string }) => {
    const aws = fakeAws(folder, answers);
    const path = [aws.path, process.env.PATH].join(delimiter);
    const made = settings();
    const plan = guardPlan(made, guardPlaceOf(made));
    if (!plan) throw new Error("no guard is meant to be");
    const answer = await readGuard({ ...plan, command: ["env", `PATH=${path}`, ...plan.command] });
    return { answer, asked: aws.asked() };
  };

  test("tells that the rules are in force, who said so and when, and takes no right but to describe", async () => {
    const { answer, asked } = await ask(answersOf(inPlace()));
    expect(answer).toEqual({
      said: {
        ...{ generation: NODES, forms: ["wireguard"], digest: expect.stringMatching(/^[0-9a-f]{16}$/), intact: true },
        ...{ dropped: {}, rules: expect.objectContaining({ by: "AWS", open: [], faults: [] }) },
      },
    });
    expect(asked).toHaveLength(4);
    for (const call of asked) expect(call).toMatch(/^--region eu-west-1 ec2 describe-[a-z-]+ --filters /);
  }, 60_000);

  test("that refuses is no answer: what it said, and which rights it takes", async () => {
    const refuses =
      "An error occurred (UnauthorizedOperation) when calling the DescribeSecurityGroups operation: You are not authorized to perform this operation.";
    const { answer } = await ask({ refuses });
    expect(answer).toEqual({ silent: expect.stringMatching(/UnauthorizedOperation.*ec2:DescribeSecurityGroupRules/) });
  }, 60_000);

  test("which knows no group of nodes, has no guard", async () => {
    const { answer } = await ask({ ...answersOf([]), ours: { SecurityGroups: [] } });
    expect(answer).toEqual({ said: null });
  }, 60_000);
});

test("two groups that could be the nodes' are no answer", async () => {
  const answers = answersOf(inPlace());
  answers.ours.SecurityGroups.push({ GroupId: OTHER });
  await expect(judged(answers)).rejects.toThrow(/tag wirecloak:cluster=dev/);
});

test.each<[string, Partial<AwsRule>]>([
  ["none", {}],
  ["all", { FromPort: 0, ToPort: 65_535 }],
])(
  "AWS may tell %s of the ports of a protocol that has none, and an instance may have no interface yet",
  async (_, ports) => {
    const answers = answersOf(inPlace({ encryption: "ipsec" }));
    answers.rules.SecurityGroupRules = answers.rules.SecurityGroupRules.map((rule) => {
      const { FromPort, ToPort, ...rest } = rule;
      return FromPort === -1 && ToPort === -1 ? { ...rest, ...ports } : rule;
    });
    answers.instances.Reservations.push({ Instances: [{ ...instance(3), NetworkInterfaces: [] }] });
    expect((await judged(answers, ["ipsec"])).intact).toBe(true);
  },
);

describe("the guard in security groups is in force", () => {
  test.each<[string, object, Form[]]>([
    ["WireGuard", {}, ["wireguard"]],
    ["WireGuard with node encryption", { wireguard: { nodeEncryption: true } }, ["wireguard-nodes"]],
    ["IPsec", { encryption: "ipsec" }, ["ipsec"]],
  ])("with the rules that the stack makes for %s", async (_, config, forms) => {
    const seen = await judged(answersOf(inPlace(config)), forms);
    expect(seen).toMatchObject({ intact: true, forms: guardPlan(settings(config), guardPlaceOf(settings()))?.forms });
    expect(seen.rules).toMatchObject({ open: [], faults: [] });
  });

  test("while a change lets both modes pass, whichever is asked for", async () => {
    const both = [...inPlace(), ...inPlace({ encryption: "ipsec" })];
    for (const forms of [["wireguard"], ["ipsec"]] as Form[][]) {
      expect(await judged(answersOf(both), forms)).toMatchObject({ intact: true, forms: ["wireguard", "ipsec"] });
    }
  });

  test("whatever else the control plane's group has, and whoever else than nodes may send in", async () => {
    for (const rule of [
      shownRule({ protocol: "-1", peer: { cidr: "0.0.0.0/0" } }, false, EKS),
      shownRule({ protocol: "tcp", fromPort: 30_000, toPort: 32_767, peer: { cidr: "0.0.0.0/0" } }, false),
      shownRule({ protocol: "tcp", fromPort: 80, toPort: 80, peer: { group: OTHER } }, false),
      shownRule({ protocol: "-1", peer: { cidr: "198.51.100.0/24" } }, true),
    ])
      expect([rule, (await judged(withRule(rule))).intact]).toEqual([rule, true]);
  });
});

describe("the guard in security groups is not in force", () => {
  test("without any one of its rules, which is named", async () => {
    const made = settings();
    const { ingress, egress, controlPlane } = guardRules(made, made.cluster as EksSettings);
    const names = [...ingress, ...egress, ...controlPlane].map(({ name }) => name);
    const all = inPlace();
    expect(names.length).toBeGreaterThan(30);
    for (const [index, name] of names.entries()) {
      const seen = await judged(answersOf(all.filter((_, at) => at !== index)));
      expect(seen.intact).toBe(false);
      expect(faultsOf(seen)).toEqual([
        expect.objectContaining({ kind: "missing", rule: name, what: `security group rule ${name} is missing` }),
      ]);
    }
  });

  test("without its ciphertext's rules: then it lets none pass", async () => {
    const seen = await judged(answersOf(inPlace({ encryption: "ipsec" })));
    expect(seen.forms).toEqual(["ipsec"]);
    expect(whats(seen)).toEqual([
      "security group rule wireguard-udp-51871-from-nodes is missing",
      "security group rule wireguard-udp-51871-to-nodes is missing",
    ]);
  });

  test.each<[string, AwsRule, RegExp]>([
    [
      "VXLAN from nodes",
      shownRule({ protocol: "udp", fromPort: 8472, toPort: 8472, peer: "nodes" }, false),
      /UDP 8472 in between/,
    ],
    [
      "VXLAN to nodes",
      shownRule({ protocol: "udp", fromPort: 8472, toPort: 8472, peer: "nodes" }, true),
      /UDP 8472 out between/,
    ],
    [
      "more ports than ours",
      shownRule({ protocol: "udp", fromPort: 51_870, toPort: 51_872, peer: "nodes" }, true),
      /UDP 51870 to 51872 out/,
    ],
    [
      "all that leaves, as AWS has it by default",
      shownRule({ protocol: "-1", peer: { cidr: "0.0.0.0/0" } }, true),
      /everything out/,
    ],
    [
      "a range with one node in it",
      shownRule({ protocol: "tcp", fromPort: 80, toPort: 80, peer: { cidr: "10.0.1.10/32" } }, true),
      /TCP 80 out/,
    ],
    ["IPv6", shownRule({ protocol: "-1", peer: { cidr: "::/0" } }, true), /everything out/],
    [
      "a prefix list",
      shownRule({ protocol: "tcp", fromPort: 443, toPort: 443, peer: { prefixList: "pl-1" } }, true),
      /TCP 443 out/,
    ],
    [
      "all that comes from nodes, and nothing more that leaves",
      shownRule({ protocol: "-1", peer: "nodes" }, false),
      /everything in/,
    ],
  ])("with a rule that the settings do not have: %s", async (_, rule, words) => {
    const seen = await judged(withRule(rule));
    expect(seen.intact).toBe(false);
    const [fault, ...more] = faultsOf(seen);
    expect(more).toEqual([]);
    expect(fault).toMatchObject({
      kind: "foreign",
      rule: rule.SecurityGroupRuleId,
      what: expect.stringMatching(words),
    });
    expect(fault?.fix).toBe(
      `aws --region eu-west-1 ec2 revoke-security-group-${rule.IsEgress ? "egress" : "ingress"} --group-id ${NODES} --security-group-rule-ids ${rule.SecurityGroupRuleId}`,
    );
  });

  test("where everything passes, as without a guard", async () => {
    const seen = await judged(answersOf([...inPlace(), ...inPlace({ guard: "false" })]));
    expect(seen.rules?.open).toHaveLength(2);
    expect(faultsOf(seen)).toEqual([]);
  });

  const spoiled = async (
    spoil: (networkInterface: ReturnType<typeof instance>["NetworkInterfaces"][number]) => void,
  ) => {
    const answers = answersOf(inPlace());
    const [, second] = answers.instances.Reservations;
    const networkInterface = second?.Instances[0]?.NetworkInterfaces[1];
    if (networkInterface) spoil(networkInterface);
    return faultsOf(await judged(answers));
  };
  const about = { kind: "node", node: "ip-10-0-2-10.ec2.internal", address: "10.0.2.10" } satisfies Partial<RuleFault>;

  test("for a node that is in another group too, EKS's own above all, on whichever interface", async () => {
    expect(await spoiled(({ Groups }) => Groups.push({ GroupId: EKS, GroupName: "eks-cluster-sg-dev-1234" }))).toEqual([
      {
        ...{ ...about, rule: null, evidence: "network interface eni-21" },
        what: `is also in security group ${EKS} (EKS's own, in which everything passes)`,
        fix: `aws --region eu-west-1 ec2 modify-network-interface-attribute --network-interface-id eni-21 --groups ${NODES}`,
      },
    ]);
    expect(await spoiled(({ Groups }) => Groups.push({ GroupId: OTHER, GroupName: "legacy" }))).toMatchObject([
      { what: `is also in security group ${OTHER} (legacy)` },
    ]);
  });

  test("for a node that is not in the nodes' group", async () => {
    const found = await spoiled((networkInterface) => {
      networkInterface.Groups = [{ GroupId: OTHER, GroupName: "legacy" }];
    });
    expect(found.map(({ what }) => what)).toEqual([
      `is also in security group ${OTHER} (legacy)`,
      `is not in the nodes' security group ${NODES}`,
    ]);
  });

  test("for a node with an address that the rules take for the world's", async () => {
    const found = await spoiled(({ PrivateIpAddresses }) =>
      PrivateIpAddresses.push({ PrivateIpAddress: "10.0.200.1" }),
    );
    expect(found).toMatchObject([{ ...about, what: expect.stringContaining("10.0.200.1") }]);
  });
});

describe("a rule that somebody has added", () => {
  const network = "vpc" as const;
  const ownerOf = ownerIn(network);
  const [first = "", ...others] = nodeRanges(network);
  const place = { region: "eu-west-1", cluster: "dev", nodeRanges: [first, ...others] };
  const between = CORPUS.filter(({ frame }) => {
    const { ip } = decode(frame);
    return ip !== undefined && ownerOf(ip.source) === "nodes" && ownerOf(ip.destination) === "nodes";
  });
  const passes = (groups: ReturnType<typeof securityGroups>) =>
    between.map((packet) => arrives(groups, ownerOf, packet));
  const ours = securityGroups(["wireguard"], network);
  // A rule of another mode is ours too: it lets pass what looks like that mode's ciphertext.
  const allowed = passes(securityGroups(["wireguard", "ipsec"], network));

  const ports = fc
    .tuple(fc.constantFrom(22, 80, 4240, 4789, 8080, 8472, 10_250, 51_871), fc.nat(20_000))
    .map(([fromPort, more]) => ({ fromPort, toPort: Math.min(fromPort + more, 65_535) }));
  const peers = fc.constantFrom<SecurityGroupEgressRule["peer"]>(
    ...(["nodes", "control-plane", { cidr: "0.0.0.0/0" }, { cidr: "10.244.2.0/24" }] as const),
    ...([{ cidr: "172.30.0.4/32" }, { cidr: "198.51.100.0/24" }, { cidr: "172.0.0.0/8" }] as const),
  );
  const rule = fc
    .tuple(fc.constantFrom("tcp", "udp", "50", "-1"), ports, peers, fc.boolean())
    .map(([protocol, range, peer, egress]) => ({
      ...{ name: "theirs", form: null, protocol, peer, egress, description: "" },
      ...((protocol === "tcp" || protocol === "udp") && range),
    }));

  test("is named where a packet passes between nodes that none of ours lets pass, by the evaluator of the corpus", () => {
    let named = 0;
    expect(between.length).toBeGreaterThan(200);
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 3 }), (added) => {
        const groups = {
          ...ours,
          ingress: [...ours.ingress, ...added.filter(({ egress }) => !egress)],
          egress: [...ours.egress, ...added.filter(({ egress }) => egress)],
        };
        const found = answersFound(shown(groups as GuardRules));
        const { intact, rules } = eksGuardInForce(place, ["wireguard"], found) ?? {};
        if (!intact || rules?.open.length) {
          named += 1;
          return;
        }
        const now = passes(groups);
        const more = between.filter((_, at) => now[at] && !allowed[at]);
        expect(more.map(({ what }) => what)).toEqual([]);
      }),
      { numRuns: 60 },
    );
    // Else the property would hold for want of cases.
    expect([named > 5, named < 60]).toEqual([true, true]);
  });
});

/** What is read of these rules, without an AWS. */
function answersFound(rules: readonly AwsRule[]) {
  return {
    ...{ at: "2026-11-21T10:00:00.000Z", nodes: NODES, controlPlane: EKS, instances: [] },
    rules: rules.map((rule) => ({
      ...{ id: rule.SecurityGroupRuleId, group: rule.GroupId, egress: rule.IsEgress, protocol: rule.IpProtocol },
      ...{ fromPort: rule.FromPort ?? -1, toPort: rule.ToPort ?? -1 },
      peer: rule.ReferencedGroupInfo?.GroupId ?? rule.CidrIpv4 ?? rule.CidrIpv6 ?? "",
    })),
  };
}
