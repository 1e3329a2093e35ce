import type { CheckFailure } from "../plugin/provider.ts";
import { isMap, type PropertyMap, reveal, Unknown, type Value } from "../plugin/values.ts";

/** The inputs of `local.Command`, secrets revealed, once they are all known. */
export interface CommandInputs {
  readonly create?: string;
  readonly update?: string;
  readonly delete?: string;
  readonly interpreter?: readonly string[];
  readonly dir?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly logging?: Logging;
  readonly addPreviousOutputInEnv?: boolean;
}

export type Logging = "none" | "stdout" | "stderr" | "stdoutAndStderr";

/** What is wrong with a known value; `undefined` when nothing is. */
type Rule = (value: Value) => string | undefined;

const text: Rule = (value) => (typeof value === "string" ? undefined : "must be a string");
const flag: Rule = (value) => (typeof value === "boolean" ? undefined : "must be true or false");
const anyList: Rule = (value) => (Array.isArray(value) ? undefined : "must be a list");
const unsupported: Rule = () => "is not supported by the stand-in for the command plugin; the official plugin has it";

const textList: Rule = (value) =>
  Array.isArray(value) && value.every(knownAs("string")) ? undefined : "must be a list of strings";

const textMap: Rule = (value) =>
  isMap(value) && Object.values(value).every(knownAs("string")) ? undefined : "must be a map of strings";

const loggings: readonly Logging[] = ["none", "stdout", "stderr", "stdoutAndStderr"];
const logging: Rule = (value) =>
  loggings.some((known) => known === value) ? undefined : `must be one of ${loggings.join(", ")}`;

/** Every input with its rule. */
const rules: Readonly<Record<string, Rule>> = {
  create: text,
  update: text,
  delete: text,
  interpreter: textList,
  dir: text,
  environment: textMap,
  stdin: text,
  logging,
  triggers: anyList,
  addPreviousOutputInEnv: flag,
  assetPaths: unsupported,
  archivePaths: unsupported,
};

/** The names of all inputs; what else is in the state is an output. */
export const inputNames: readonly string[] = Object.keys(rules);

/** What is wrong with the inputs. Values are not in the text: any of them may be a secret. */
export function inputFailures(inputs: PropertyMap): CheckFailure[] {
  return Object.entries(inputs).flatMap(([property, marked]) => {
    const value = reveal(marked);
    if (value === null || value instanceof Unknown) {
      return [];
    }
    const rule = rules[property];
    const wrong = rule === undefined ? "is no input of local.Command" : rule(value);
    return wrong === undefined ? [] : [{ property, reason: `${property} ${wrong}` }];
  });
}

/** Reads inputs that have passed `inputFailures` and hold nothing unknown. */
export function readInputs(inputs: PropertyMap): CommandInputs {
  const given = Object.entries(inputs).filter(([, value]) => value !== null);
  return Object.fromEntries(given.map(([property, value]) => [property, reveal(value)])) as CommandInputs;
}

function knownAs(type: "string"): (value: Value) => boolean {
  return (value) => value instanceof Unknown || typeof value === type;
}
