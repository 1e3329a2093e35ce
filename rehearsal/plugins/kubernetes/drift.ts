import { equal, isMap, type PropertyMap, reveal, type Value } from "../plugin/values.ts";

/**
 * What the program said, with the live value wherever the cluster has another one now than right after the last apply.
 * So defaults, other spellings of a value (`1000m` for `1`) and fields of other managers are no drift.
 * @param applied the object as the API server answered the last apply.
 */
export function drifted(said: PropertyMap, applied: PropertyMap, live: PropertyMap): PropertyMap {
  return Object.fromEntries(
    Object.entries(said).flatMap(([key, value]): [string, Value][] => {
      const now = live[key];
      return now === undefined
        ? keptIfEqual(key, value, applied[key])
        : [[key, driftedValue(value, applied[key], now)]];
    }),
  );
}

/** A value that the server drops at once (an empty map, say) was never there: no drift. */
function keptIfEqual(key: string, value: Value, applied: Value | undefined): [string, Value][] {
  return applied === undefined ? [[key, value]] : [];
}

function driftedValue(marked: Value, applied: Value | undefined, live: Value): Value {
  if (applied !== undefined && equal(applied, live)) {
    return marked;
  }
  const [said, before] = [reveal(marked), reveal(applied ?? null)];
  if (isMap(said) && isMap(live)) {
    return drifted(said, isMap(before) ? before : {}, live);
  }
  if (Array.isArray(said) && Array.isArray(live)) {
    return driftedList(said, Array.isArray(before) ? before : [], live);
  }
  return live;
}

/** Items with names are one object each, and others may have added theirs; any other list is one value. */
function driftedList(said: readonly Value[], applied: readonly Value[], live: readonly Value[]): Value[] {
  if (!said.every((item) => nameOf(item) !== undefined)) {
    return [...live];
  }
  return said.flatMap((item) => {
    const same = (other: Value) => nameOf(other) === nameOf(item);
    const now = live.find(same);
    return now === undefined ? [] : [driftedValue(item, applied.find(same), now)];
  });
}

function nameOf(item: Value): string | undefined {
  const map = reveal(item);
  const name = isMap(map) ? reveal(map.name ?? null) : null;
  return typeof name === "string" ? name : undefined;
}
