import { randomBytes } from "node:crypto";
import { detailedDiff } from "../plugin/diff.ts";
import type { Context, Resource } from "../plugin/provider.ts";
import { type PropertyMap, reveal, unknown } from "../plugin/values.ts";
import { inputFailures, inputNames, readInputs } from "./inputs.ts";
import { type Output, run } from "./run.ts";

/**
 * `command.local.Command` as version 1.2.1 of the official plugin has it. Two things about that one surprise, and hold
 * here too: the outputs `stdout` and `stderr` are no secrets even if an input is (only `additionalSecretOutputs` makes
 * them so), and a command whose background processes keep its stdout or stderr open is waited for until they end.
 */
export const localCommand: Resource = {
  check: ({ news }) => ({ inputs: { addPreviousOutputInEnv: true, ...news }, failures: inputFailures(news) }),

  diff: ({ oldOutputs, news }) => ({
    // against the outputs, which hold the inputs of the last run that succeeded
    detailed: detailedDiff(inputsOf(oldOutputs), news, (property) => property === "triggers"),
  }),

  async create({ name, inputs, preview }, context) {
    if (preview) {
      return { id: "", outputs: { ...inputs, stdout: unknown, stderr: unknown } };
    }
    const id = name + randomBytes(4).toString("hex");
    return { id, outputs: { ...inputs, ...(await perform("create", inputs, noOutput, context)) } };
  },

  read: ({ id, inputs, outputs }) => ({ id, inputs, outputs }),

  async update({ oldOutputs, news, preview }, context) {
    if (preview) {
      return { ...news, stdout: unknown, stderr: unknown };
    }
    const step = (news.update ?? null) === null ? "create" : "update";
    return { ...news, ...(await perform(step, news, outputOf(oldOutputs), context)) };
  },

  async delete({ outputs }, context) {
    await perform("delete", inputsOf(outputs), outputOf(outputs), context);
  },
};

const noOutput: Output = { stdout: "", stderr: "" };

/** Runs the command of a step, if there is one; without one the output of the last run stays. */
async function perform(
  step: "create" | "update" | "delete",
  inputs: PropertyMap,
  previous: Output,
  context: Context,
): Promise<Output & PropertyMap> {
  const read = readInputs(inputs);
  const script = read[step];
  const output = script === undefined ? previous : await run(script, read, previous, context);
  return { stdout: output.stdout, stderr: output.stderr };
}

function inputsOf(outputs: PropertyMap): PropertyMap {
  return Object.fromEntries(Object.entries(outputs).filter(([property]) => inputNames.includes(property)));
}

function outputOf(outputs: PropertyMap): Output {
  return { stdout: textOf(outputs, "stdout"), stderr: textOf(outputs, "stderr") };
}

function textOf(outputs: PropertyMap, property: string): string {
  const value = reveal(outputs[property] ?? null);
  return typeof value === "string" ? value : "";
}
