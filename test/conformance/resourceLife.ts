import { isMap, type PropertyMap, reveal, Secret, type Value } from "../../rehearsal/plugins/plugin/values.ts";
import type { Plugin, State, Target } from "./plugin.ts";

/** What the engine does for a new resource. */
export async function created(plugin: Plugin, target: Target, news: PropertyMap): Promise<State> {
  const { inputs, failures } = await plugin.check(target, news);
  expect(failures).toEqual([]);
  return plugin.create(target, inputs);
}

/** What the engine asks for a resource whose program has these arguments now. */
export async function diffTo(plugin: Plugin, target: Target, state: State, news: PropertyMap) {
  const { inputs } = await plugin.check(target, news, state.inputs);
  return plugin.diff(target, state, inputs);
}

/** What the engine does when the program has these arguments now. */
export async function updated(plugin: Plugin, target: Target, state: State, news: PropertyMap): Promise<State> {
  const { inputs } = await plugin.check(target, news, state.inputs);
  return plugin.update(target, state, inputs);
}

/** What `pulumi refresh` makes of a state. */
export async function refreshed(plugin: Plugin, target: Target, state: State): Promise<State> {
  const read = await plugin.read(target, state);
  if (read === undefined) {
    throw new Error(`${target.name} is gone`);
  }
  return read;
}

/** The value at a path, without secret marks; null where there is none. */
export function at(map: PropertyMap, ...keys: string[]): Value {
  return keys.reduce<Value>((value, key) => {
    const inner = reveal(value);
    return isMap(inner) ? (inner[key] ?? null) : null;
  }, map);
}

/** The values in a state that are not secret, as text: what anybody who reads the state sees. */
export function readable(value: Value): string {
  if (value instanceof Secret) {
    return "";
  }
  if (Array.isArray(value)) {
    return value.map(readable).join("\n");
  }
  return isMap(value) ? Object.values(value).map(readable).join("\n") : String(value);
}

/** A kubeconfig for this server, with a second context for another one. */
export function kubeconfigOf(server: string, more: object = {}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    contexts: [
      { name: "here", context: { cluster: "here", user: "me" } },
      { name: "there", context: { cluster: "there", user: "me" } },
    ],
    clusters: [
      { name: "here", cluster: { server } },
      { name: "there", cluster: { server: "https://127.0.0.1:2" } },
    ],
    users: [{ name: "me", user: { token: "t", ...more } }],
  });
}
