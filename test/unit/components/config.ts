import { loadSettings, type Settings } from "../../../components/settings.ts";
import { type Problem, UserError } from "../../../components/userError.ts";

export const TODAY = "2026-11-21";

type Config = Readonly<Record<string, unknown>>;

/** Config as Pulumi hands it to the program. */
export function asConfig(config: Config): Record<string, string> {
  const texts = Object.entries(config).map(([name, value]) => [
    name.includes(":") ? name : `wirecloak:${name}`,
    typeof value === "object" ? JSON.stringify(value) : String(value),
  ]);
  return Object.fromEntries(texts) as Record<string, string>;
}

/** Settings as a stack with this config has them: `{ ipsec: { keyId: 4 } }`. */
export function load(config: Config = {}, secretKeys: string[] = []): { settings: Settings; warnings: Problem[] } {
  return loadSettings(asConfig(config), {
    projectRoot: "/project",
    today: TODAY,
    home: "/home/me",
    secretKeys,
  });
}

export function settingsOf(config: Config = {}): Settings {
  return load(config).settings;
}

/** The problems that this config is refused with; none where it is taken. */
export function problemsOf(config: Config, secretKeys: string[] = []): Problem[] {
  try {
    load(config, secretKeys);
    return [];
  } catch (error) {
    if (error instanceof UserError) return error.problems;
    throw error;
  }
}
