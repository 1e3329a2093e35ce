import { existsSync } from "node:fs";
import { join } from "node:path";
import type { PackConfig } from "../policies/judge.ts";
import { projectRoot } from "../tools/paths.ts";
import { readPolicyConfig } from "./policyConfig.ts";

/** An executable, which Pulumi starts as it is: by a folder its language host would compile the pack with a TypeScript of its own. */
export const policyPack = join(projectRoot, "policies/launch");

/** The users' config of the pack, for all their stacks, beside Pulumi.yaml. */
const CONFIG = join(projectRoot, "policies.json");

/** The config of the pack for this project's stacks: the users'. What a stack's settings allow the engine tells the pack itself (policies/stackConfig.ts). */
export function projectPolicyConfig(): PackConfig {
  return existsSync(CONFIG) ? readPolicyConfig(CONFIG) : {};
}

/** What has `pulumi up` and `pulumi preview` run with the pack. Throws a UserError where the users' config has mistakes. */
export function packArguments(): string[] {
  // Pulumi passes over a rule that it does not know.
  projectPolicyConfig();
  return ["--policy-pack", policyPack, ...(existsSync(CONFIG) ? ["--policy-pack-config", CONFIG] : [])];
}
