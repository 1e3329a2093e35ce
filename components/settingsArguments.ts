import { checkSettings, type LoadOptions, type Settings } from "./settings.ts";
import { FIELDS, fieldPath, settingKey } from "./settingsFields.ts";
import type { Problem } from "./userError.ts";

/**
 * The arguments of an EncryptedCluster as settings: types, defaults and every check, before any resource exists.
 * @param name the resource's; the cluster is called so where no argument says otherwise
 * @throws UserError with all problems at once, in the words of stack config (`asArgument` has those of a program)
 */
export function settingsOfArguments(
  name: string,
  args: object,
  options: Pick<LoadOptions, "projectRoot" | "today" | "home">,
): { settings: Settings; warnings: Problem[] } {
  const problems: Problem[] = [];
  const { cluster = {}, ...raw } = plain(args, [], problems) as Record<string, unknown>;
  const isObject = typeof cluster === "object" && cluster !== null && !Array.isArray(cluster);
  return checkSettings(
    { ...raw, cluster: isObject ? { provider: "kind", name, ...cluster } : cluster },
    problems,
    options,
  );
}

/** A value without what is undefined in it. What is no plain value is a problem, and left out: an Output, say, or a promise. */
function plain(value: unknown, path: readonly string[], problems: Problem[]): unknown {
  if (Array.isArray(value)) return value.map((each, index) => plain(each, [...path, String(index)], problems));
  if (isPlainObject(value)) {
    const parts = Object.entries(value).map(([key, each]) => [key, plain(each, [...path, key], problems)] as const);
    return Object.fromEntries(parts.filter(([, each]) => each !== undefined));
  }
  if (!["object", "function", "symbol"].includes(typeof value) || value === null) return value;
  const allowed = FIELDS[fieldPath(path)]?.allowed;
  problems.push({
    key: settingKey(path),
    message:
      "This is no plain value. Settings decide which resources there are, so they must be known before any is made: an Output comes too late.",
    ...(allowed && { allowed }),
  });
  return undefined;
}

/** Whether it is what `{}` makes, also where another realm has made it. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
