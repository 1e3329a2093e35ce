import type { z } from "zod";
import { closest, FIELDS, fieldPath, NAMESPACE, removeCommand, setCommand, settingKey } from "./settingsFields.ts";
import { providersWith } from "./settingsSchema.ts";
import type { Problem } from "./userError.ts";

/** Keys that people try, which Wirecloak does not have, and what to do instead. */
const NOT_A_SETTING: Readonly<Record<string, string>> = {
  "ipsec.nodeEncryption":
    "Node encryption exists in WireGuard mode only: Cilium accepts it with IPsec and does nothing. To encrypt node-to-node traffic, set wirecloak:encryption to wireguard and wirecloak:wireguard.nodeEncryption to true.",
  nodeEncryption: "Node encryption belongs to WireGuard: the key is wirecloak:wireguard.nodeEncryption.",
  psk: "No key is given in config: Wirecloak makes the IPsec key itself, and a new one for each wirecloak:ipsec.keyId.",
};
const SECRET_LIKE = /psk|secret|password|token|^key$|sharedkey|keyhex|privatekey/i;

type Issue = z.core.$ZodIssue;

/** What one issue of the schema means for the person who wrote the config. Never shows a value under a key that is not a setting. */
export function explain(issue: Issue, raw: unknown): Problem[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey([...issue.path, key], raw));
  const value = valueAt(raw, issue.path);
  const key = settingKey(issue.path);
  const field = FIELDS[fieldPath(issue.path)];
  return [
    {
      key,
      ...(isShown(value, key) && { value }),
      message: sentence(issue, value),
      ...(field && {
        allowed: field.allowed,
        ...(field.example && { fix: setCommand(key, meant(issue, value) ?? field.example) }),
      }),
    },
  ];
}

/** A key under `wirecloak:` that is no setting. */
export function unknownKey(path: readonly PropertyKey[], raw?: unknown): Problem {
  const key = settingKey(path);
  const dotted = path.join(".");
  const name = String(path.at(-1));
  const parent = fieldPath(path.slice(0, -1));
  const siblings = Object.keys(FIELDS).filter((known) => known.split(".").slice(0, -1).join(".") === parent);
  const names = siblings.map((known) => known.split(".").at(-1) ?? known);
  return { key, message: unknownKeyMessage(), fix: removeCommand(key) };

  function unknownKeyMessage(): string {
    const hint = NOT_A_SETTING[dotted] ?? (SECRET_LIKE.test(name) ? NOT_A_SETTING.psk : undefined);
    if (hint !== undefined) return hint;
    if (parent === "cluster") {
      const provider = valueAt(raw, ["cluster", "provider"]);
      const providers = providersWith(name);
      if (name === "workers" && provider === "existing")
        return "An existing cluster has the nodes it has; Wirecloak neither adds nor removes any.";
      if (providers.length > 0)
        return `Provider ${String(provider)} has no ${name}; it is for provider ${providers.join(" and ")}.`;
    }
    const suggestion = closest(name, names);
    if (suggestion !== undefined)
      return `There is no such setting. Did you mean ${settingKey([...path.slice(0, -1), suggestion])}?`;
    const elsewhere = Object.keys(FIELDS).find(
      (known) => known.split(".").at(-1)?.toLowerCase() === name.toLowerCase(),
    );
    if (elsewhere !== undefined) return `There is no such setting here. Did you mean ${NAMESPACE}:${elsewhere}?`;
    return `There is no such setting. ${parent === "" ? "The settings are" : `Under ${NAMESPACE}:${parent} there are`} ${names.join(", ")}.`;
  }
}

function sentence(issue: Issue, value: unknown): string {
  const path = issue.path.join(".");
  if (value === undefined) return "This setting is missing.";
  if (value === null) return "This setting has a key but no value.";
  if (issue.code === "custom") return `This ${issue.message}`;
  if (path === "cilium.version" && typeof value === "number") {
    return `YAML read the version as the number ${value} (1.20 becomes 1.2). Quote it, and give the full version.`;
  }
  if (issue.code === "invalid_type" && issue.expected === "string")
    return `This is ${kindOf(value)}, not text. Quote it in the YAML file.`;
  if (issue.code === "invalid_type" && issue.expected === "boolean") return notABoolean(issue.path, value);
  if (issue.code === "invalid_type" && issue.expected === "number") return `This is ${kindOf(value)}, not a number.`;
  if (issue.code === "invalid_type")
    return `This is ${kindOf(value)}, not ${issue.expected === "int" ? "a whole number" : `an ${issue.expected}`}.`;
  if (issue.code === "too_small" || issue.code === "too_big") return `${String(value)} is out of range.`;
  const suggestion = meant(issue, value);
  if (suggestion !== undefined && suggestion === value)
    return `This is the text "${value}". Remove the quotes in the YAML file.`;
  return `This is not one of the allowed values.${suggestion ? ` Did you mean ${suggestion}?` : ""}`;
}

function notABoolean(path: readonly PropertyKey[], value: unknown): string {
  if (path.length > 1 && (value === "true" || value === "false")) {
    return `This is the text "${value}", not the switch ${value}: Helm would take any text for true. Remove the quotes in the YAML file.`;
  }
  return `This is ${kindOf(value)}, not a switch.`;
}

/** What a misspelt or wrongly quoted value most likely means. */
function meant(issue: Issue, value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  return closest(
    value,
    issue.code === "invalid_type" && issue.expected === "boolean" ? ["true", "false"] : wordsOf(issue),
  );
}

function wordsOf(issue: Issue): string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  return issue.code === "invalid_union" && "options" in issue ? (issue.options ?? []).map(String) : [];
}

function kindOf(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  return (
    { string: "text", number: "a number", boolean: "a switch (true or false)", object: "an object" }[
      typeof value as string
    ] ?? typeof value
  );
}

/** Scalars of known settings may be shown. A chart address may carry a password. */
function isShown(value: unknown, key: string): boolean {
  return (
    value !== undefined &&
    (typeof value !== "object" || value === null) &&
    !(key === `${NAMESPACE}:cilium.chart` && String(value).includes("@"))
  );
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined),
    raw,
  );
}
