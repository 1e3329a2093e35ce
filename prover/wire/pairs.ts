import { createHash } from "node:crypto";

/** An ordered pair of node names. */
export interface Pair {
  from: string;
  to: string;
}

export interface PairPlan {
  /** Ordered pairs that there are. */
  total: number;
  tested: Pair[];
  /** How the sample was drawn; null where all are tested. */
  sample: string | null;
}

/** Nodes that each node sends to in the smallest sample: both its neighbours in the ring. */
const LEAST = 2;

/**
 * All ordered pairs up to the limit, else a sample in which every node sends and receives equally often: the nodes in a ring, in
 * an order that the seed decides, each sending to its nearest. The same seed and nodes give the same pairs.
 */
export function chosenPairs(nodes: readonly string[], limit: number | "all", seed: string): PairPlan {
  const total = nodes.length ** 2 - nodes.length;
  if (limit === "all" || total <= limit) {
    const tested = nodes.flatMap((from) => nodes.filter((to) => to !== from).map((to) => ({ from, to })));
    return { total, tested, sample: null };
  }
  const each = Math.min(Math.max(LEAST, Math.floor(limit / nodes.length)), nodes.length - 1);
  const ring = shuffled(nodes, seed);
  const tested = steps(ring.length, each).flatMap((step) =>
    ring.map((from, index) => ({ from, to: ring[(index + step) % ring.length] ?? from })),
  );
  return {
    total,
    tested,
    sample: `each node sends to ${each} others and receives from ${each}, drawn with seed ${seed}`,
  };
}

/** The first `count` of 1, -1, 2, -2, ... in a ring, none twice: a step and its opposite test a pair in both directions. */
function steps(ring: number, count: number): number[] {
  const all = Array.from({ length: Math.floor(ring / 2) }, (_, index) => [index + 1, ring - index - 1]).flat();
  return [...new Set(all)].slice(0, count);
}

function shuffled(nodes: readonly string[], seed: string): string[] {
  return nodes
    .map((name) => ({ name, rank: createHash("sha256").update(`${seed} ${name}`).digest("hex") }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ name }) => name);
}
