import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { UserError } from "../../components/userError.ts";
import { projectRoot } from "../../tools/paths.ts";

/** What must be found in what a step saw; a text between slashes is a regular expression. */
export type Expectation = { [key: string]: unknown };

const expectation: z.ZodType<Expectation> = z.record(z.string(), z.unknown());
const described = { name: z.string().min(1), expect: expectation };
const workload = z.string().min(1);

const step = z.discriminatedUnion("do", [
  /** `pulumi up`, after these changes to the config; sees the stack's outputs. */
  z.strictObject({ do: z.literal("up"), set: expectation.default({}), ...described }),
  /** Applies workloads.yaml and waits for its Deployments; sees on how many nodes their pods are. */
  z.strictObject({ do: z.literal("apply"), ...described }),
  /** Sees the output. */
  z.strictObject({ do: z.literal("kubectl"), args: z.array(z.string()).min(1), ...described }),
  /** A command in every Cilium agent; sees the answers. */
  z.strictObject({ do: z.literal("agents"), command: z.array(z.string()).min(1), ...described }),
  /** A shell command in a workload, `$TO` being the other's address; sees its output. */
  z.strictObject({ do: z.literal("exec"), from: workload, to: workload, run: z.string().min(1), ...described }),
  /** `wirecloak sniff`; sees what it tells as JSON. */
  z.strictObject({
    ...{ do: z.literal("sniff"), from: workload, to: workload, for: z.string().min(1), run: z.string().min(1) },
    ...described,
  }),
]);

export type Step = z.infer<typeof step>;

const expected = z.strictObject({ about: z.string().min(1), steps: z.array(step).min(1) });

/** An example as its folder tells it. */
export interface Example {
  name: string;
  folder: string;
  about: string;
  steps: Step[];
  /** The stack's config: settings by their full keys. */
  config: Record<string, unknown>;
  /** The folder of the Pulumi program: this project's, or the example's own. */
  program: string;
  /** The namespace of the program's config: its project's name. */
  namespace: string;
}

const EXAMPLES = join(projectRoot, "examples");

/** Names of all examples. */
export function exampleNames(): string[] {
  return readdirSync(EXAMPLES).filter((name) => existsSync(join(EXAMPLES, name, "expected.json")));
}

/** Reads an example. Throws a UserError where there is none of that name. */
export function readExample(name: string): Example {
  const folder = join(EXAMPLES, name);
  const names = exampleNames();
  if (!names.includes(name)) {
    throw new UserError([
      { key: "example", value: name, message: "There is no such example.", allowed: names.join(", ") },
    ]);
  }
  const read = expected.safeParse(JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")));
  if (!read.success)
    throw new UserError([{ key: `examples/${name}/expected.json`, message: z.prettifyError(read.error) }]);
  const { config } = parse(readFileSync(join(folder, "stack.yaml"), "utf8")) as { config: Record<string, unknown> };
  const program = existsSync(join(folder, "Pulumi.yaml")) ? folder : projectRoot;
  const project = parse(readFileSync(join(program, "Pulumi.yaml"), "utf8")) as { name: string };
  return { name, folder, ...read.data, config, program, namespace: project.name };
}

/** The name of its cluster. */
export function clusterNameOf({ config, namespace }: Pick<Example, "config" | "namespace">): string {
  return (config[`${namespace}:cluster`] as { name: string }).name;
}

/** A config with changes over it; of a setting that is an object only what the changes name is changed. */
export function changedConfig(
  config: Readonly<Record<string, unknown>>,
  changes: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged = { ...config };
  for (const [key, value] of Object.entries(changes))
    merged[key] = isObject(value) && isObject(merged[key]) ? { ...merged[key], ...value } : value;
  return merged;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
