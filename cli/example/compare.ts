/**
 * What of the expected is not so in the observed, each in a line; empty where all is. Objects may have more than is expected; a text
 * between slashes is a regular expression; what is expected of a list that is no list itself holds for each of its items.
 */
export function differences(expected: unknown, observed: unknown, at = ""): string[] {
  if (Array.isArray(observed) && !Array.isArray(expected)) {
    if (observed.length === 0) return [`${at}: nothing, expected ${shown(expected)}`];
    return observed.flatMap((item, index) => differences(expected, item, `${at}[${index}]`));
  }
  const [, pattern] = typeof expected === "string" ? (/^\/(.+)\/$/s.exec(expected) ?? []) : [];
  if (pattern !== undefined)
    return new RegExp(pattern).test(String(observed)) ? [] : [`${at}: ${shown(observed)}, expected ${expected}`];
  if (typeof expected === "object" && expected !== null && typeof observed === "object" && observed !== null) {
    const fields = observed as Record<string, unknown>;
    return Object.entries(expected).flatMap(([key, value]) =>
      differences(value, fields[key], at === "" ? key : `${at}.${key}`),
    );
  }
  return expected === observed ? [] : [`${at}: ${shown(observed)}, expected ${shown(expected)}`];
}

/** Characters of a value that a line shows. */
const SHOWN = 400;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text;
}
