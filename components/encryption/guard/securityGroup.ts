import { type Cidr, outside } from "../../cidr.ts";
import { UserError } from "../../userError.ts";
import type { Form } from "./forms.ts";
import { type Group, PASSAGES, type Passage, type PassageName, passagesOf } from "./passage.ts";

/**
 * One rule of the security group that all nodes of a cluster are in; what it lets in. A resource of its own: Pulumi creates the new mode's before it deletes the old one's,
 * so that both pass while nodes change.
 */
export interface SecurityGroupRule {
  /** Identity: the logical name of the rule's resource. The same rule bears the same name whatever else is in force, since AWS refuses a second one like it. */
  name: string;
  /** The mode that it belongs to; null: in every mode. */
  form: Form | null;
  /** As AWS names it: ESP has its number only, and all protocols are `-1`. */
  protocol: "tcp" | "udp" | "icmp" | "50" | "-1";
  /** Of ICMP the type; left out where the protocol has no ports. */
  fromPort?: number;
  /** Of ICMP the code. */
  toPort?: number;
  peer: Group;
  description: string;
}

/** What the same group lets out. */
export interface SecurityGroupEgressRule extends Omit<SecurityGroupRule, "peer"> {
  peer: Group | { cidr: string };
}

/**
 * What reaches nodes, and pods whose addresses are of the VPC: from nodes of the same group, and from the control plane's group. Nodes must be in no other group that lets
 * nodes reach each other. EKS's own cluster group is one: it lets all through among its members, and EKS puts that rule back when it is taken away
 * (https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html).
 * @param forms the ciphertext that passes; none where the cluster has no guard or encrypts nothing: then all passes among nodes
 * @param webhookPorts what the control plane calls on nodes and pods beside kubelets
 */
export function securityGroupRules(
  forms: readonly Form[],
  { webhookPorts = PASSAGES.webhooks.ports }: { webhookPorts?: readonly number[] } = {},
): SecurityGroupRule[] {
  refuse(forms);
  const rows = passagesOf(forms).flatMap(([name, passage]) =>
    passage.cloud
      .filter(({ to }) => to === "nodes")
      .flatMap(({ from }) =>
        rulesOf(name, name === "webhooks" ? { ...passage, ports: webhookPorts } : passage, from, `from-${from}`),
      ),
  );
  // A webhook may listen on the kubelet's port, as cert-manager's does.
  const each = rows.filter((row, at) => rows.findIndex((other) => same(row, other)) === at);
  return [...unguarded(forms, "from-nodes"), ...each];
}

/**
 * What leaves nodes: to each other and to the control plane only what may reach them there, and all to everywhere else. Without this the group above keeps little out: it is stateful, so a readable
 * packet that has left a node, though it never arrived, lets the readable packet come in that seems to answer it. Of protocols other than TCP, UDP and ICMP
 * AWS compares only addresses (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html).
 * @param nodeRanges IPv4 ranges that nodes, and pods of the VPC, have their addresses in. What else is in them is out of reach, but for the VPC's resolver,
 *   which security groups do not hold up: endpoints of the VPC belong into other ranges.
 */
export function securityGroupEgressRules(
  forms: readonly Form[],
  { nodeRanges }: { nodeRanges: readonly [Cidr, ...Cidr[]] },
): SecurityGroupEgressRule[] {
  refuse(forms);
  return [
    ...unguarded(forms, "to-nodes"),
    ...passagesOf(forms).flatMap(([name, passage]) =>
      passage.cloud
        .filter(({ from }) => from === "nodes")
        .flatMap(({ to }): SecurityGroupEgressRule[] => rulesOf(name, passage, to, `to-${to}`)),
    ),
    ...outside(nodeRanges).map(
      (cidr): SecurityGroupEgressRule => ({
        name: `outside-to-${cidr.replace("/", "-")}`,
        ...{ form: null, protocol: "-1", peer: { cidr } },
        description: "Everywhere but to nodes",
      }),
    ),
  ];
}

/** What the control plane's group has to let in. */
export function controlPlaneRules(): SecurityGroupRule[] {
  return passagesOf([]).flatMap(([name, passage]) =>
    passage.cloud
      .filter(({ to }) => to === "control-plane")
      .flatMap(({ from }) => rulesOf(name, passage, from, `from-${from}`)),
  );
}

/** The forms by the names that their rules bear: of WireGuard nobody sees whether it is nodes' traffic or pods'. */
export function ruleForms(forms: readonly Form[]): Form[] {
  const named = forms.flatMap((form) =>
    Object.values<Passage>(PASSAGES).flatMap((passage) =>
      passage.cloud.length > 0 && passage.forms?.includes(form) ? (passage.forms[0] ?? []) : [],
    ),
  );
  return [...new Set(named)];
}

/** What a security group cannot tell apart in any mode. */
export const BLIND = {
  pods: "Where pods have addresses of the VPC (ENI mode, chaining), what they send readable passes where what nodes send does: to TCP 4240, 4244 and 10250, as an echo, and as what looks like ciphertext. They are in the nodes' group.",
  fragments:
    "Later fragments pass where the first one of their packet does; that is how we take AWS to judge them, which does not say.",
  flows:
    "A flow that an earlier rule let through goes on until it has been idle, UDP up to 180 s and TCP up to 5 days: AWS keeps what it tracks when the rule goes.",
} as const;

/** What passes along with these modes' ciphertext and the control traffic since a security group sees only protocol, ports and groups; sentences for the evidence. */
export function indistinguishable(forms: readonly Form[]): string[] {
  const along = passagesOf(forms).flatMap(([, { alsoPasses }]) => alsoPasses ?? []);
  return [...along, ...Object.values(BLIND)];
}

/** What a bridge lets through in some mode and a security group never does, as sentences. */
export const CLOSED = {
  ownTraffic:
    "What nodes and hostNetwork pods send each other passes to the named ports only: no SSH, no DNS (CoreDNS is asked by pods, in ciphertext), no NodePort that kube-proxy sends on to a second node.",
  controlPlane: "A managed control plane runs no Cilium, so no ciphertext goes there or comes from it.",
  strangers: "What comes from outside of the cluster passes as an answer only.",
  ipv6: "Of IPv6 only ciphertext and named ports pass between nodes, no ICMP, and nothing to the world: Cilium's ENI mode is IPv4, and our clusters' nodes are.",
  otherNetworks: "A VPC carries no packets of addresses that no network interface of it has, such as an overlay's.",
} as const;

/** A guard that has to let the overlay through forbids nothing that it is there to forbid, and must not look as if it did. */
function refuse(forms: readonly Form[]): void {
  if (!forms.includes("ipsec-in-overlay")) return;
  throw new UserError([
    {
      key: "wirecloak:guard",
      value: true,
      message: `Up to Cilium 1.17 IPsec in a tunnel is ESP inside the overlay. ${PASSAGES["ipsec-in-overlay"].alsoPasses}`,
      allowed: "Cilium 1.18 or newer, native routing, or wireguard; or guard false, with an exemption",
      fix: "pulumi config set wirecloak:encryption wireguard",
    },
  ]);
}

/** A mode's rules are there before this one goes, and after it has come. */
function unguarded(forms: readonly Form[], end: string): SecurityGroupRule[] {
  if (forms.length > 0) return [];
  const description = "All between nodes: no guard";
  return [{ name: `unguarded-${end}`, form: null, protocol: "-1", peer: "nodes", description }];
}

function rulesOf(name: PassageName, passage: Passage, peer: Group, end: string): SecurityGroupRule[] {
  const form = passage.forms?.[0] ?? null;
  const description = `${passage.what}, ${end.replace("-", " ")}`;
  const row = (words: (string | number)[], protocol: SecurityGroupRule["protocol"], ports: object) => ({
    name: [form ?? kebab(name), ...words, end].join("-"),
    ...{ form, protocol, ...ports, peer, description },
  });
  const { protocol, ports, icmp } = passage;
  if (protocol === "esp") return [row(["esp"], "50", {})];
  if (icmp) return [row(["icmp"], "icmp", { fromPort: icmp.type, toPort: icmp.code })];
  if (protocol === "tcp" || protocol === "udp")
    return ports.map((port) => row([protocol, port], protocol, { fromPort: port, toPort: port }));
  throw new Error(`a security group has no words for ${name}`);
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** AWS refuses a second rule that allows the same. */
function same(one: SecurityGroupRule, other: SecurityGroupRule): boolean {
  const allows = ({ protocol, fromPort, toPort, peer }: SecurityGroupRule) =>
    [protocol, fromPort, toPort, peer].join(" ");
  return allows(one) === allows(other);
}
