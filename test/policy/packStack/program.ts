// The program of such a stack: the resources in a file, in that order, each after the one before.
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { AskedFor } from "./packStack.ts";

const { resources } = JSON.parse(readFileSync(process.env.RESOURCES_FILE ?? "", "utf8")) as { resources: AskedFor[] };

class Asked extends pulumi.CustomResource {}
class Provider extends pulumi.ProviderResource {}

const PROVIDER = "pulumi:providers:";
const providers = new Map<string, pulumi.ProviderResource>();
let last: pulumi.CustomResource | undefined;
for (const { type, name, props, through } of resources) {
  const inputs = withLater(props, last) as Record<string, unknown>;
  const provider = through === undefined ? undefined : providers.get(through);
  const opts = { ...(last && { dependsOn: [last] }), ...(provider && { provider }) };
  if (type.startsWith(PROVIDER)) {
    const made = new Provider(type.slice(PROVIDER.length), name, inputs, opts);
    providers.set(name, made);
    last = made;
  } else last = new Asked(type, name, inputs, opts);
}

/** Makes `{ later: value }` a value that is known only once the resource before is there. */
function withLater(value: unknown, before: pulumi.CustomResource | undefined): unknown {
  if (Array.isArray(value)) return value.map((each) => withLater(each, before));
  if (typeof value !== "object" || value === null) return value;
  if ("later" in value) return before?.id.apply(() => value.later);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withLater(each, before)]));
}
