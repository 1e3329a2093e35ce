import { isEncrypted } from "../clusters/clusters.ts";
import { at, type Resource, textAt } from "../resource.ts";
import type { Rule } from "../rule.ts";

const CILIUM = "wirecloak:encryption:Cilium";
const GUARD = "wirecloak:encryption:Guard";
/** The guard that a cloud carries, as rules of the nodes' security group. */
const CLOUD_GUARD = "wirecloak:cluster:EksNodeGuard";
/** A cluster of others', of which Wirecloak knows no place between the nodes. */
const EXISTING = "wirecloak:cluster:Existing";

/** A Wirecloak stack drops readable packets between nodes, whatever Cilium does. */
export const wirecloakGuard: Rule = {
  name: "wirecloak-guard",
  title: "A Wirecloak stack keeps its guard",
  description:
    "Beside each Cilium component of Wirecloak's the stack has the guard's resources too, on EKS rules of the nodes' security group that let nodes send each other ciphertext and named ports only; wirecloak:guard: false takes them away. A cluster of provider `existing` has no place for one and is not asked, and without encryption there is nothing to guard: other rules ask for that.",
  level: "mandatory",
  severity: "medium",
  supports: [{ framework: "NIST SP 800-53r5", clause: "SC-8" }],
  remediation: ["pulumi config rm wirecloak:guard && pulumi up"],
  exemptBy: "stack",
  url: "https://docs.cilium.io/en/stable/security/network/encryption/",
  checkAll: (resources) =>
    // Each by itself: a program may have more than one, each beside its own guard.
    resources
      .filter(({ type }) => type === CILIUM)
      .flatMap((cilium) => {
        const beside = resources.filter(({ parent }) => parent === cilium.parent);
        if (beside.some(({ type }) => type === EXISTING)) return [];
        const guards = beside.filter(({ type }) => type === GUARD).map(({ urn }) => urn);
        const isSet = resources.some(
          ({ type, parent }) => type.startsWith("command:") && guards.includes(parent ?? ""),
        );
        if (isSet || isCarried(resources, beside) || !isEncrypted(resources)) return [];
        return [
          {
            message:
              "Wirecloak's guard is switched off, so that readable packets between nodes are not dropped while Cilium changes",
            urn: guards[0] ?? cilium.urn,
          },
        ];
      }),
};

/** Whether the cloud of the cluster `beside` drops what is readable: its guard has rules, and none lets everything through among nodes. */
function isCarried(resources: readonly Resource[], beside: readonly Resource[]): boolean {
  const clusters = beside.map(({ urn }) => urn);
  const guards = resources
    .filter(({ type, parent }) => type === CLOUD_GUARD && clusters.includes(parent ?? ""))
    .map(({ urn }) => urn);
  const rules = resources.filter(
    ({ type, parent }) => /^aws:vpc\/securityGroup\w+Rule:/.test(type) && guards.includes(parent ?? ""),
  );
  return rules.length > 0 && !rules.some(passesAll);
}

/** Of all protocols, and not to a range: ranges are the world's. */
function passesAll({ props }: Resource): boolean {
  return textAt(props, "ipProtocol") === "-1" && at(props, "cidrIpv4") === undefined;
}
