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

/** What says whether the agents are in the middle of a rollout; looked at first, so that they are not asked in it. */
export const settledChecks: readonly Check[] = [...configChecks, ...rolloutChecks];

/** All checks, in the order in which their findings are shown. */
export const allChecks: readonly Check[] = [...settledChecks, ...ciliumNodeChecks, ...agentChecks, wire];
