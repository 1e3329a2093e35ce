import { type Cidr, parseCidr } from "../../cidr.ts";
import { type Form, formsOf } from "../../encryption/guard/forms.ts";
import {
  CLOSED,
  controlPlaneRules,
  indistinguishable,
  type SecurityGroupEgressRule,
  type SecurityGroupRule,
  securityGroupEgressRules,
  securityGroupRules,
} from "../../encryption/guard/securityGroup.ts";
import type { EksSettings, Settings } from "../../settings.ts";
import { zoneSubnets, zonesOf } from "./subnets.ts";

/** What may pass to nodes, from nodes, and from nodes to the control plane. */
export interface GuardRules {
  ingress: readonly SecurityGroupRule[];
  egress: readonly SecurityGroupEgressRule[];
  controlPlane: readonly SecurityGroupRule[];
}

/** The guard of these settings, as rules of security groups. */
export function guardRules(settings: Settings, cluster: EksSettings): GuardRules {
  return guardRulesOf(guardedForms(settings), nodeRanges(cluster));
}

/** The guard that lets this ciphertext pass; none: everything passes among nodes. */
export function guardRulesOf(forms: readonly Form[], ranges: readonly [Cidr, ...Cidr[]]): GuardRules {
  return {
    ingress: securityGroupRules(forms),
    egress: securityGroupEgressRules(forms, { nodeRanges: ranges }),
    controlPlane: controlPlaneRules(),
  };
}

/** What the guard lets through besides, or closes besides, as sentences for the evidence; undefined where it holds nothing up. */
export function guardLimits(settings: Settings): string[] | undefined {
  const forms = guardedForms(settings);
  return forms.length === 0 ? undefined : [...indistinguishable(forms), ...Object.values(CLOSED)];
}

/** Where nodes, and pods of the VPC, have their addresses, known before there is any of them. */
export function nodeRanges(cluster: EksSettings): [Cidr, ...Cidr[]] {
  const { cidr = "", nodeRanges: given } = cluster.vpc;
  const texts = given ?? zoneSubnets(cidr, zonesOf(cluster)).map((zone) => zone.private);
  const [first, ...others] = texts.flatMap((text) => parseCidr(text) ?? []);
  // The settings' checks leave none without a range (settingsEksGuard.ts).
  if (first === undefined) throw new RangeError("an EKS cluster without ranges of its nodes");
  return [first, ...others];
}

/** Without a guard, and where nothing is encrypted, everything passes among nodes. */
function guardedForms(settings: Settings): Form[] {
  return settings.guard ? formsOf(settings) : [];
}
