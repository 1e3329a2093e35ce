import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { UserError } from "../components/userError.ts";

/** The stacks that have a config file in `root`: `dev` for Pulumi.dev.yaml. */
function stacksIn(root: string): string[] {
  return readdirSync(root).flatMap((file) => /^Pulumi\.([\w-]+)\.yaml$/.exec(file)?.[1] ?? []);
}

/** Path of a stack's config file; a UserError names the stacks there are. */
export function stackConfigPath(root: string, stack: string): string {
  const path = join(root, `Pulumi.${stack}.yaml`);
  if (existsSync(path)) return path;
  throw new UserError([
    {
      key: "stack",
      value: stack,
      message: `There is no Pulumi.${stack}.yaml.`,
      allowed: stacksIn(root).join(", "),
      fix: `cp Pulumi.dev.yaml Pulumi.${stack}.yaml`,
    },
  ]);
}

/**
 * A stack's config as the Pulumi engine hands it to the program: scalars as text, the rest as JSON text.
 * Encrypted values stay encrypted: no setting of ours is secret.
 */
export function readStackConfig(path: string): Record<string, string> {
  let document: unknown;
  try {
    document = parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UserError([{ key: path, message: `This is not YAML that can be read: ${(error as Error).message}` }]);
  }
  const config = (document as { config?: Record<string, unknown> } | null)?.config ?? {};
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]),
  );
}
