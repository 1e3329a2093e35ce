import type { Tree } from "../resource.ts";
import { inEach } from "../undecided.ts";

/** Every text in a tree, with its path. */
export function* textsIn(value: unknown, path: string): Generator<[path: string, text: string]> {
  if (typeof value === "string") yield [path, value];
  if (typeof value !== "object" || value === null) return;
  yield* inEach(Object.keys(value), (key) => textsIn((value as Tree)[key], `${path}.${key}`));
}
