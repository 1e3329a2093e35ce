import { createHash } from "node:crypto";
import type { GuardSeen, RuleFault } from "../../prover/observation.ts";
import { type Cidr, contains, overlap, parseCidr } from "../cidr.ts";
import type { Form } from "../encryption/guard/forms.ts";
import { ruleForms, type SecurityGroupEgressRule, type SecurityGroupRule } from "../encryption/guard/securityGroup.ts";
import { type GuardRules, guardRulesOf } from "./eks/guardRules.ts";
import type { EksGroups, InstanceFound, RuleFound } from "./eksGroups.ts";
import type { SecurityGroupPlace } from "./guardPlace.ts";

/** What a security group can guard. Of ESP in the overlay it cannot, and refuses (encryption/guard/securityGroup.ts). */
const GUARDED = ["wireguard", "ipsec"] as const satisfies Form[];

/**
 * Holds what AWS told against the rules that let this ciphertext pass: the same ones that the stack makes. Pure. Rules of another mode are ours too, as in a change.
 * null where nodes have no group of ours.
 */
export function eksGuardInForce(
  { region, nodeRanges }: SecurityGroupPlace,
  forms: readonly Form[],
  found: EksGroups,
): GuardSeen | null {
  const { at, nodes, controlPlane, instances } = found;
  if (nodes === null) return null;
  const [first, ...others] = nodeRanges.flatMap((range) => parseCidr(range) ?? []);
  if (first === undefined) throw new RangeError("a guard without the ranges of its nodes");
  const ranges: [Cidr, ...Cidr[]] = [first, ...others];
  const groups = { nodes, controlPlane };
  const rulesOf = (wanted: readonly Form[]) => rows(guardRulesOf(wanted, ranges), groups);

  const live = new Set(found.rules.map(keyOf));
  const guarded = rulesOf(GUARDED.filter((form) => ruleForms(forms).includes(form)));
  // Without ciphertext everything passes: what remains are the rules of every mode.
  const opening = rulesOf([]).filter(({ opens }) => opens);
  const opens = new Set(opening.map(({ key }) => key));
  const open = found.rules.filter((rule) => opens.has(keyOf(rule)));
  // What is only let in leaves no node.
  const isOpen = open.some(({ egress }) => egress);
  const ours = new Set([...rulesOf(GUARDED), ...(isOpen ? opening : [])].map(({ key }) => key));

  const faults = [
    ...guarded.filter(({ key }) => !opens.has(key) && !live.has(key)).map(missing),
    ...found.rules
      .filter((rule) => rule.group === nodes && !ours.has(keyOf(rule)) && reachesNodes(rule, nodes, ranges))
      .map((rule) => foreign(rule, region)),
    ...instances.flatMap((instance) => misplaced(instance, groups, ranges, region)),
  ];
  const passing = GUARDED.filter((form) => rulesOf([form]).every((rule) => rule.form !== form || live.has(rule.key)));
  const digest = createHash("sha256")
    .update(
      found.rules
        .filter(({ group }) => group === nodes)
        .map(keyOf)
        .sort()
        .join("\n"),
    )
    .digest("hex");
  return {
    ...{ generation: nodes, forms: passing, digest: digest.slice(0, 16), intact: faults.length === 0, dropped: {} },
    rules: {
      by: "AWS",
      at,
      open: isOpen ? open.map(({ id }) => id) : [],
      faults,
      addresses: instances.map(({ address }) => address),
    },
  };
}

/** The two groups, by id. */
type Groups = Record<"nodes" | "controlPlane", string>;

/** A rule that is meant to be there. */
interface Row {
  name: string;
  form: Form | null;
  group: string;
  egress: boolean;
  /** Lets everything pass between nodes. */
  opens: boolean;
  /** All that AWS compares packets with. */
  key: string;
}

function rows({ ingress, egress, controlPlane }: GuardRules, groups: Groups): Row[] {
  const row = (rule: SecurityGroupRule | SecurityGroupEgressRule, group: string, outwards: boolean): Row => {
    const { name, form, protocol, fromPort = -1, toPort = -1, peer } = rule;
    const other = typeof peer === "object" ? peer.cidr : peer === "nodes" ? groups.nodes : groups.controlPlane;
    const key = keyOf({ group, egress: outwards, protocol, fromPort, toPort, peer: other });
    return { name, form, group, egress: outwards, opens: protocol === "-1" && peer === "nodes", key };
  };
  return [
    ...ingress.map((rule) => row(rule, groups.nodes, false)),
    ...egress.map((rule) => row(rule, groups.nodes, true)),
    // What nodes send to the control plane is what its group lets in.
    ...controlPlane.map((rule) => row(rule, groups.controlPlane, false)),
  ];
}

function keyOf({ group, egress, protocol, fromPort, toPort, peer }: Omit<RuleFound, "id">): string {
  // Only these have ports, or type and code; of others AWS tells -1 or nothing.
  const ports = ["tcp", "udp", "icmp"].includes(protocol) ? `${fromPort}-${toPort}` : "";
  return [group, egress ? "out" : "in", protocol, ports, peer].join(" ");
}

/**
 * Whether it is about what nodes send each other. What a range or another group may send in is not: nodes are in no other group, and what leaves them is held up
 * there. What leaves to a range of nodes is, though no rule lets it in: an answer may seem to belong to it.
 */
function reachesNodes({ egress, peer }: RuleFound, nodes: string, ranges: readonly Cidr[]): boolean {
  if (peer === nodes) return true;
  if (!egress || peer.startsWith("sg-")) return false;
  const range = parseCidr(peer);
  // Of a prefix list nobody here knows what is in it; of IPv6 not where nodes are.
  return range?.family !== "ipv4" || ranges.some((nodeRange) => overlap(nodeRange, range));
}

const AGAIN =
  "put it back: make up, which refreshes the state first; with Pulumi alone: pulumi refresh, then pulumi up";

function missing({ name, group }: Row): RuleFault {
  return {
    ...{ kind: "missing", rule: name, node: null, address: null, what: `security group rule ${name} is missing` },
    ...{ evidence: `rules of ${group}`, fix: AGAIN },
  };
}

function foreign(rule: RuleFound, region: string): RuleFault {
  const { id, group, egress, protocol, fromPort, toPort, peer } = rule;
  const what =
    protocol === "-1" ? "everything" : [protocol === "50" ? "ESP" : protocol.toUpperCase(), ports()].join("");
  const way = egress ? "out" : "in";
  const revoke = `aws --region ${region} ec2 revoke-security-group-${egress ? "egress" : "ingress"}`;
  return {
    ...{ kind: "foreign", rule: id, node: null, address: null },
    what: `security group rule ${id}, which the settings do not have, lets ${what} ${way} between nodes`,
    evidence: `rules of ${group}, ${egress ? "to" : "from"} ${peer}`,
    fix: `${revoke} --group-id ${group} --security-group-rule-ids ${id}`,
  };

  function ports(): string {
    if (fromPort === -1) return "";
    return fromPort === toPort ? ` ${fromPort}` : ` ${fromPort} to ${toPort}`;
  }
}

/** What of a machine is outside of the guard. */
function misplaced(
  { name, address, interfaces }: InstanceFound,
  { nodes, controlPlane }: Groups,
  ranges: readonly Cidr[],
  region: string,
): RuleFault[] {
  const fault = (what: string, { id }: InstanceFound["interfaces"][number], fix: string | null): RuleFault => ({
    ...{ kind: "node", rule: null, node: name, address, what, evidence: `network interface ${id}`, fix },
  });
  const only = (id: string) =>
    `aws --region ${region} ec2 modify-network-interface-attribute --network-interface-id ${id} --groups ${nodes}`;
  return interfaces.flatMap((one) => {
    const inGroups = one.groups
      .filter(({ id }) => id !== nodes)
      .map(({ id, name: called }) => {
        const which = id === controlPlane ? "EKS's own, in which everything passes" : called;
        return fault(`is also in security group ${id} (${which})`, one, only(one.id));
      });
    const lacks = one.groups.every(({ id }) => id !== nodes)
      ? [fault(`is not in the nodes' security group ${nodes}`, one, only(one.id))]
      : [];
    const beside = one.addresses.filter((text) => {
      const range = parseCidr(`${text}/32`);
      return range !== undefined && !ranges.some((nodeRange) => contains(nodeRange, range));
    });
    const out = beside.length > 0 ? [`has the address ${beside[0]}, which the guard takes for the world's`] : [];
    return [
      ...inGroups,
      ...lacks,
      ...out.map((what) => fault(what, one, "have wirecloak:cluster.vpc.nodeRanges hold it")),
    ];
  });
}
