import type { Cidr } from "../../cidr.ts";
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
import { nodeRanges } from "./subnets.ts";

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

/** Without a guard, and where nothing is encrypted, everything passes among nodes. */
function guardedForms(settings: Settings): Form[] {
  return settings.guard ? formsOf(settings) : [];
}
