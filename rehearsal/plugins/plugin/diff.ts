import type { DiffKind } from "./provider.ts";
import { Asset, equal, isMap, type PropertyMap, reveal, Unknown, type Value } from "./values.ts";

/**
 * Every place where two property maps differ, by property path. Secret marks do not count. An unknown new value counts
 * as changed, since it may turn out to be.
 * @param replaces whether a change of this top-level property replaces the resource.
 */
export function detailedDiff(
  olds: PropertyMap,
  news: PropertyMap,
  replaces: (property: string) => boolean,
): Record<string, DiffKind> {
  const detailed: Record<string, DiffKind> = {};
  for (const property of new Set([...Object.keys(olds), ...Object.keys(news)])) {
    for (const [path, kind] of differences(property, olds[property] ?? null, news[property] ?? null)) {
      detailed[path] = replaces(property) ? `${kind}-replace` : kind;
    }
  }
  return detailed;
}

type Kind = "add" | "delete" | "update";

function differences(path: string, left: Value, right: Value): [string, Kind][] {
  const [a, b] = [reveal(left), reveal(right)];
  if (a instanceof Asset || b instanceof Asset || a instanceof Unknown || b instanceof Unknown) {
    return equal(a, b) ? [] : [[path, kindOf(a, b)]];
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    const longer = a.length > b.length ? a : b;
    return longer.flatMap((_, index) => differences(`${path}[${index}]`, a[index] ?? null, b[index] ?? null));
  }
  if (isMap(a) && isMap(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].flatMap((key) => differences(`${path}${step(key)}`, a[key] ?? null, b[key] ?? null));
  }
  return equal(a, b) ? [] : [[path, kindOf(a, b)]];
}

/** A property that is null counts as one that is not there, as the engine has it. */
function kindOf(left: Value, right: Value): Kind {
  if (left === null) {
    return "add";
  }
  return right === null ? "delete" : "update";
}

/** One step of a property path; a key that is no plain name goes in quotes. */
function step(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
