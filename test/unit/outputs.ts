import * as pulumi from "@pulumi/pulumi";

/** The value of an output; rejects where the output fails, so that a test of it cannot pass by never ending. */
export function outputValue<T>(output: pulumi.Input<T>): Promise<pulumi.Unwrap<T>> {
  // `promise()` rejects where `apply` would never call back.
  return (pulumi.output(output) as unknown as { promise(): Promise<pulumi.Unwrap<T>> }).promise();
}

/** A resource as the engine would hear of it. */
export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** URN and id of the provider that it is made with; empty: a default one. */
  provider: string;
}

/** Outputs of a resource of some type, or of a call of some name, from its inputs. */
export type Outputs = Record<string, (inputs: Record<string, unknown>) => Record<string, unknown>>;

export interface Recorded {
  resources: Registered[];
  /** By name. Options reach no mock; they are seen by a transformation. */
  options: Map<string, pulumi.ResourceOptions>;
  /** Options that record what is below them. */
  recording: pulumi.ComponentResourceOptions;
}

/** Starts Pulumi's mocks; in a preview what no mock gives is unknown. */
export async function startMocks(outputs: Outputs = {}, preview = false): Promise<Recorded> {
  const resources: Registered[] = [];
  const options = new Map<string, pulumi.ResourceOptions>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, provider = "" }) => {
        resources.push({ type, name, inputs, provider });
        return {
          id: preview ? undefined : `${name}-id`,
          state: { ...inputs, ...(preview ? {} : outputs[type]?.(inputs)) },
        };
      },
      call: ({ token, inputs }) => ({ ...inputs, ...outputs[token]?.(inputs) }),
    },
    "project",
    "stack",
    preview,
  );
  const record: pulumi.ResourceTransformation = ({ name, opts }) => {
    options.set(name, opts);
    return undefined;
  };
  return { resources, options, recording: { transformations: [record] } };
}
