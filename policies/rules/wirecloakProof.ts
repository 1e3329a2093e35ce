import { textAt } from "../resource.ts";
import type { Rule } from "../rule.ts";

const CILIUM = "wirecloak:encryption:Cilium";
const PROOF = "wirecloak:proof:Proof";
/** How the proof's command begins to let a failed one pass, `proof.enforce: false`. */
const NOT_ENFORCED = "|| [ $? = 1 ]";

/** A Wirecloak stack proves each update on the wire, and fails where that fails. */
export const wirecloakProof: Rule = {
  name: "wirecloak-proof",
  title: "A Wirecloak stack keeps its proof",
  description:
    "Beside each Cilium component of Wirecloak's the stack has a proof of its updates, and a failed one fails the update (wirecloak:proof.enforce is not false).",
  level: "mandatory",
  severity: "medium",
  supports: [{ framework: "NIST SP 800-53r5", clause: "SC-8" }],
  remediation: ["pulumi config rm --path wirecloak:proof.enforce && pulumi up"],
  exemptBy: "stack",
  url: "https://docs.cilium.io/en/stable/security/network/encryption/",
  checkAll: (resources) =>
    // Each by itself: a program may have more than one, each beside its own proof.
    resources
      .filter(({ type }) => type === CILIUM)
      .flatMap((cilium) => {
        const proofs = resources
          .filter(({ type, parent }) => type === PROOF && parent === cilium.parent)
          .map(({ urn }) => urn);
        const command = resources.find(
          ({ type, parent }) => type.startsWith("command:") && proofs.includes(parent ?? ""),
        );
        if (!command)
          return [
            {
              message: "Wirecloak's proof is not in the stack, so nothing shows that traffic is encrypted",
              urn: cilium.urn,
            },
          ];
        const isEnforced = textAt(command.props, "create")?.includes(NOT_ENFORCED) !== true;
        return isEnforced
          ? []
          : [
              {
                message: "a failed proof does not fail the update (wirecloak:proof.enforce is false)",
                urn: command.urn,
              },
            ];
      }),
};
