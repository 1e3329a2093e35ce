import { type Check, unobserved } from "../finding.ts";
import { agentChecks } from "./agents.ts";
import { ciliumNodeChecks } from "./ciliumNodes.ts";
import { configChecks } from "./config.ts";
import { rolloutChecks } from "./rollout.ts";

/** Status never proves: until packets are looked at, the verdict is `not proven` at best. */
const wire: Check = {
  name: "wire",
  look: (intent) => [
    unobserved({
      node: null,
      message:
        intent.encryption === "none"
          ? "encryption is off, as configured, so there is nothing to prove"
          : "the wire was not observed: this is what the nodes say of themselves",
      evidence: null,
      fix: null,
    }),
  ],
};

/** What the Kubernetes API alone can tell; looked at first, so that agents are not asked in the middle of a rollout. */
export const clusterChecks: readonly Check[] = [...configChecks, ...rolloutChecks, ...ciliumNodeChecks];

/** All checks, in the order in which their findings are shown. */
export const allChecks: readonly Check[] = [...clusterChecks, ...agentChecks, wire];
