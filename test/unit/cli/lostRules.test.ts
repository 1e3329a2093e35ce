import { forgetLostRules } from "../../../cli/lostRules.ts";
import type { GuardQuestion } from "../../../prover/intent.ts";
import type { RuleFault } from "../../../prover/observation.ts";
import { guardInCloud } from "../proverTroubles/guard.ts";

const urnOf = (type: string, name: string) =>
  `urn:pulumi:eks::wirecloak::wirecloak:cluster:Eks$wirecloak:cluster:EksNodeGuard$${type}::${name}`;
const INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";
const from = { type: INGRESS, urn: urnOf(INGRESS, "dev-guard-wireguard-udp-51871-from-nodes") };
const to = { type: EGRESS, urn: urnOf(EGRESS, "dev-guard-wireguard-udp-51871-to-nodes") };
const group = {
  type: "aws:ec2/securityGroup:SecurityGroup",
  urn: urnOf("aws:ec2/securityGroup:SecurityGroup", "dev-guard"),
};
const state = { deployment: { resources: [group, from, to] } };

/** The guard's program, which tells of these rules that they are missing. */
function asks(...rules: string[]): GuardQuestion {
  const faults = rules.map((rule): RuleFault => {
    const about = { node: null, address: null, what: `${rule} is missing`, evidence: "rules of sg-1", fix: null };
    return { kind: "missing", rule, ...about };
  });
  const told = guardInCloud([]);
  const shown = { ...told, rules: { ...told.rules, faults } };
  return { command: ["sh", "-c", `cat >/dev/null; echo '${JSON.stringify(shown)}'`], input: "" };
}

describe("a rule of the guard that somebody has deleted", () => {
  const ran: string[][] = [];
  const pulumi = (...args: string[]) => {
    ran.push(args);
    return { code: 3, output: "the words of Pulumi" };
  };
  beforeEach(() => {
    ran.length = 0;
    jest.spyOn(console, "error").mockImplementation(() => undefined);
  });
  afterEach(() => jest.restoreAllMocks());

  test("comes off the state, and nothing else is asked for; where Pulumi fails, so does this", async () => {
    expect(await forgetLostRules(asks("wireguard-udp-51871-to-nodes"), state, pulumi)).toBe(3);
    expect(ran).toEqual([["refresh", "--yes", "--skip-preview", "--non-interactive", "--target", to.urn]]);
  });

  test.each<[string, GuardQuestion, unknown]>([
    ["none is missing", asks(), state],
    ["those of another mode are not there yet", asks("ipsec-esp-from-nodes"), state],
    ["there is nothing yet", asks("wireguard-udp-51871-to-nodes"), {}],
    ["AWS does not say", { command: ["false"], input: "" }, state],
    ["there is no guard", { command: ["sh", "-c", "cat >/dev/null; echo null"], input: "" }, state],
  ])("is looked for in vain where %s", async (_, question, known) => {
    expect(await forgetLostRules(question, known, pulumi)).toBe(0);
    expect(ran).toEqual([]);
  });
});
