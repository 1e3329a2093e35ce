import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { PackConfig } from "../policies/judge.ts";
import { writeWhole } from "../tools/files.ts";
import { projectRoot, stateDir } from "../tools/paths.ts";
import { readPolicyConfigIfAny } from "./policyConfig.ts";

/** An executable, which Pulumi starts as it is: by a folder its language host would compile the pack with a TypeScript of its own. */
const PACK = join(projectRoot, "policies/launch");

/** The users' config of the pack, for all their stacks, beside Pulumi.yaml. */
const CONFIG = join(projectRoot, "policies.json");

/** The config of the pack for this project's stacks: the users'. What a stack's settings allow the engine tells the pack itself (policies/stackConfig.ts). */
export function projectPolicyConfig(): PackConfig {
  return readPolicyConfigIfAny(CONFIG);
}

/** What has `pulumi up` and `pulumi preview` run with the pack. Writes the config that goes with it. */
export function packArguments(config: PackConfig, stack: string): string[] {
  if (Object.keys(config).length === 0) return ["--policy-pack", PACK];
  const folder = join(stateDir(), "policies");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${stack}.json`);
  writeWhole(file, JSON.stringify(config, null, 2));
  return ["--policy-pack", PACK, "--policy-pack-config", file];
}
