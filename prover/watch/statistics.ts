import type { Spread } from "./change.ts";

/** Nearest-rank percentiles; null where there is nothing. */
export function spreadOf(values: readonly number[]): Spread | null {
  return weighted(new Map([...Map.groupBy(values, (value) => value)].map(([value, all]) => [value, all.length])));
}

/** The same of a histogram: how often each value was seen. */
export function weighted(counts: ReadonlyMap<number, number>): Spread | null {
  const sorted = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  const max = sorted.at(-1)?.[0];
  if (max === undefined) return null;
  const rank = (share: number): number => {
    let left = Math.ceil(share * total);
    for (const [value, count] of sorted) {
      left -= count;
      if (left <= 0) return value;
    }
    return max;
  };
  return { p50: rank(0.5), p99: rank(0.99), max };
}

/** Several histograms as one. */
export function merged(histograms: Iterable<ReadonlyMap<number, number>>): Map<number, number> {
  const all = new Map<number, number>();
  for (const histogram of histograms)
    for (const [value, count] of histogram) all.set(value, (all.get(value) ?? 0) + count);
  return all;
}
