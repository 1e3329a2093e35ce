import { isEncrypted } from "../clusters/clusters.ts";
import type { Rule } from "../rule.ts";

const CILIUM = "wirecloak:encryption:Cilium";
const GUARD = "wirecloak:encryption:Guard";
/** A cluster of others', of which Wirecloak knows no place between the nodes. */
const EXISTING = "wirecloak:cluster:Existing";

/** A Wirecloak stack drops readable packets between nodes, whatever Cilium does. */
export const wirecloakGuard: Rule = {
  name: "wirecloak-guard",
  title: "A Wirecloak stack keeps its guard",
  description:
    "A stack with Wirecloak's Cilium component has the guard's resources too, which wirecloak:guard: false takes away. A cluster of provider `existing` has no place for one and is not asked, and without encryption there is nothing to guard: other rules ask for that.",
  level: "mandatory",
  severity: "medium",
  supports: [{ framework: "NIST SP 800-53r5", clause: "SC-8" }],
  remediation: ["pulumi config rm wirecloak:guard && pulumi up"],
  exemptBy: "stack",
  url: "https://docs.cilium.io/en/stable/security/network/encryption/",
  checkAll: (resources) => {
    const cilium = resources.find(({ type }) => type === CILIUM);
    if (!cilium || resources.some(({ type }) => type === EXISTING)) return [];
    const guards = resources.filter(({ type }) => type === GUARD).map(({ urn }) => urn);
    const isSet = resources.some(({ type, parent }) => type.startsWith("command:") && guards.includes(parent ?? ""));
    if (isSet || !isEncrypted(resources)) return [];
    return [
      {
        message:
          "Wirecloak's guard is switched off, so that readable packets between nodes are not dropped while Cilium changes",
        urn: guards[0] ?? cilium.urn,
      },
    ];
  },
};
