/** Lists whose order says something: which address others route to first, and command lines. */
const ORDERED = new Set(["addresses", "nodeIps", "options", "command"]);

/** What names the members of a list of things, most telling first. */
const NAMES = ["name", "node", "pod", "from", "to", "kind", "protocol", "form", "src", "dst", "spi"];

/**
 * The same data with the keys of objects, and lists whose order says nothing, in one fixed order, so that equal
 * observations are equal texts and have equal digests.
 */
export function canonical(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) {
    const members = value.map((member) => canonical(member));
    if (ORDERED.has(key)) return members;
    return members
      .map((member) => [identity(member), member] as const)
      .sort(([a], [b]) => byText(a, b))
      .map(([, member]) => member);
  }
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(([name, member]) => [name, canonical(member, name)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => byText(a, b)));
}

/** By name first, so that people find their way; the whole text decides between equal names. */
function identity(member: unknown): string {
  if (member === null || typeof member !== "object") return String(member);
  const named = member as Record<string, unknown>;
  return [...NAMES.map((name) => (name in named ? String(named[name]) : "")), JSON.stringify(member)].join("\n");
}

/** Order by code units: the same on every machine, whatever its language. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
