import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../components/settings.ts";
import type { PackConfig } from "../policies/judge.ts";
import type { Exemption } from "../policies/rule.ts";
import { writeWhole } from "../tools/files.ts";
import { projectRoot, stateDir } from "../tools/paths.ts";
import { readPolicyConfigIfAny } from "./policyConfig.ts";

/** An executable, which Pulumi starts as it is: by a folder its language host would compile the pack with a TypeScript of its own. */
const PACK = join(projectRoot, "policies/launch");

/** The users' config of the pack, for all their stacks, beside Pulumi.yaml. */
const CONFIG = join(projectRoot, "policies.json");

/** The rules that a stack breaks which is plaintext on purpose. */
const OF_PLAINTEXT = ["cilium-encryption-enabled"];

/** The config of the pack for a stack: the users', and an exemption where the stack's settings allow plaintext. */
export function stackPolicyConfig(stack: string, { allowPlaintext }: Pick<Settings, "allowPlaintext">): PackConfig {
  return withPlaintext(readPolicyConfigIfAny(CONFIG), stack, allowPlaintext);
}

/** Makes what a stack's settings allow an exemption from the rules that it is about. Pulumi hands a pack no stack config, so this is where it learns of it. */
export function withPlaintext(config: PackConfig, stack: string, allowed: Settings["allowPlaintext"]): PackConfig {
  if (!allowed) return config;
  const exemption: Exemption = { stack, ...allowed };
  const exempt = OF_PLAINTEXT.map((name) => {
    const given = config[name];
    const options = typeof given === "string" ? { enforcementLevel: given } : given;
    return [name, { ...options, exemptions: [...(options?.exemptions ?? []), exemption] }];
  });
  return { ...config, ...Object.fromEntries(exempt) };
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
