import { parseCidr } from "../../components/cidr.ts";
import type { Form } from "../../components/encryption/guard/forms.ts";
import { type Guarded, guardRuleset } from "../../components/encryption/guard/ruleset.ts";
import {
  controlPlaneRules,
  securityGroupEgressRules,
  securityGroupRules,
} from "../../components/encryption/guard/securityGroup.ts";
import { CONTROL_PLANES, type Network, NODES, nodeRanges, ownerIn, PODS } from "./addresses.ts";
import { type Case, MEANINGS, type Meaning } from "./meanings.ts";
import { judgeByNftables, parseNftables } from "./nftables.ts";
import { arrives, type SecurityGroups } from "./securityGroups.ts";

/** The guard of the corpus' cluster on a bridge. */
export function guarded(forms: readonly Form[]): Guarded {
  return {
    ...{ table: "wirecloak-test", generation: "5b3f9f5e-0000-4000-8000-000000000001", owner: "0a1b2c3d", forms },
    ...{ nodes: NODES, pods: PODS, optedOut: CONTROL_PLANES },
  };
}

/** The guard of the corpus' cluster in a cloud. */
export function securityGroups(forms: readonly Form[], network: Network): SecurityGroups {
  const [first, ...others] = nodeRanges(network).flatMap((range) => parseCidr(range) ?? []);
  if (first === undefined) throw new Error("no ranges");
  return {
    ingress: securityGroupRules(forms),
    egress: securityGroupEgressRules(forms, { nodeRanges: [first, ...others] }),
    controlPlane: controlPlaneRules(),
  };
}

/** What came of one packet: what is right, and what the rules do. */
export interface Judged {
  packet: Case;
  right: string;
  found: string;
}

export type Judge = (packet: Case) => Judged;

/** @param document for `nft -f -` */
export function onBridge(forms: readonly Form[], document = guardRuleset(guarded(forms))): Judge {
  const table = parseNftables(document);
  return (packet) => ({
    packet,
    right: meaningOf(packet).bridge(forms),
    found: judgeByNftables(table, packet.frame),
  });
}

export function inCloud(forms: readonly Form[], network: Network, groups = securityGroups(forms, network)): Judge {
  const ownerOf = ownerIn(network);
  return (packet) => ({
    packet,
    right: meaningOf(packet).group(forms, network),
    found: arrives(groups, ownerOf, packet) ? "pass" : "drop",
  });
}

export function isWrong({ right, found }: Judged): boolean {
  return right !== found;
}

/** Why the right verdicts of the two renderings differ; undefined where they do not. */
export function difference(packet: Case, forms: readonly Form[], network: Network): string | undefined {
  const { bridge, group, because } = meaningOf(packet);
  if ((bridge(forms) === "pass") === (group(forms, network) === "pass")) return undefined;
  return because?.(network) ?? "nobody says why";
}

export function meaningOf({ meaning }: Case): Meaning {
  return MEANINGS[meaning];
}
