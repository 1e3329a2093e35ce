import { parseCidr } from "./cidr.ts";
import { formsOf } from "./encryption/guard/forms.ts";
import { securityGroupEgressRules } from "./encryption/guard/securityGroup.ts";
import type { Settings } from "./settings.ts";
import { type EksSettings, isGivenVpc } from "./settingsEks.ts";
import { about, FIELDS, remove, set } from "./settingsFields.ts";
import { type Problem, UserError } from "./userError.ts";

/** A guard that would have to let readable packets through is refused by the rules themselves; here before there is any resource. */
export function guardWithoutEffect(settings: Settings): Problem[] {
  if (!settings.guard) return [];
  try {
    securityGroupEgressRules(formsOf(settings), { nodeRanges: [ANY_RANGE] });
    return [];
  } catch (error) {
    if (error instanceof UserError) return error.problems;
    throw error;
  }
}

/** What a group of AWS holds each way; more has to be asked for (https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html). */
const RULES = 60;

/** The guard has to know where nodes are before it holds up what they send; of a VPC that is made Wirecloak decides it. */
export function rangesOfNodes({ guard: _, ...settings }: Settings & { cluster: EksSettings }): Problem[] {
  const path = "cluster.vpc.nodeRanges";
  const { nodeRanges } = settings.cluster.vpc;
  const { allowed = "" } = FIELDS[path] ?? {};
  if (!isGivenVpc(settings.cluster)) {
    if (nodeRanges === undefined) return [];
    return [
      {
        ...about(path),
        message: "Of a VPC that is made Wirecloak decides where nodes are.",
        allowed: "with wirecloak:cluster.vpc.id",
        fix: remove(path),
      },
    ];
  }
  if (nodeRanges === undefined) {
    return [
      {
        ...about(path),
        message:
          "What leaves nodes may reach everything but nodes, and of a VPC that is there Wirecloak does not know where those are.",
        allowed,
        fix: set(`${path}[0]`, "10.0.0.0/19"),
      },
    ];
  }
  const [first, ...others] = nodeRanges.flatMap((range) => parseCidr(range) ?? []);
  if (first === undefined) return [];
  const rules = securityGroupEgressRules(["wireguard", "ipsec"], { nodeRanges: [first, ...others] }).length;
  if (rules <= RULES) return [];
  return [
    {
      ...about(path, nodeRanges),
      message: `To reach everything but these takes ${rules} rules, and a security group holds ${RULES}.`,
      allowed: "fewer ranges, or larger ones that hold several; nodes reach nothing else in them",
    },
  ];
}

const ANY_RANGE = { address: "10.0.0.0", prefix: 8, family: "ipv4" } as const;
