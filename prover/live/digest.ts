import { createHash } from "node:crypto";

/** Hex characters of a digest: enough that no two differ by chance, and short enough for a record of a thousand nodes. */
const LENGTH = 16;

/** The same for the same data, whatever the order of its keys. */
export function digestOf(data: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(data)))
    .digest("hex")
    .slice(0, LENGTH);
}

function sorted(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(sorted);
  if (typeof data !== "object" || data === null) return data;
  return Object.entries(data)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => [key, sorted(value)]);
}
