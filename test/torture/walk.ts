import { generator, shuffled } from "../seeded.ts";
import type { Pace, Transition } from "./matrix.ts";
import type { Mode } from "./modes.ts";

/** What is left to do in one cluster: each is a single update. */
export interface Edge {
  transition: Transition;
  pace: Pace;
}

/** An update of the walk: one that is asked for, or a jump to where the next one begins. */
export interface Step<E extends Edge = Edge> {
  to: Mode;
  pace: Pace;
  /** Undefined for a jump. */
  edge: E | undefined;
}

export interface Walk<E extends Edge = Edge> {
  /** Where the cluster has to be before the first step. */
  start: Mode;
  steps: Step<E>[];
}

/** Tries, of which the one with the fewest jumps is taken. */
const TRIES = 50;

/**
 * An order in which one cluster goes through all the edges, each update beginning where the last one ended wherever that is possible. The same for the same seed.
 * @param at where the cluster is; undefined where it is still to be made
 */
export function walk<E extends Edge>(edges: readonly E[], seed: number, at?: Mode): Walk<E> | undefined {
  const random = generator(seed);
  const tries = Array.from({ length: TRIES }, () => tryWalk(edges, random, at)).filter((each) => each !== undefined);
  return tries.sort((a, b) => a.steps.length - b.steps.length)[0];
}

function tryWalk<E extends Edge>(edges: readonly E[], random: () => number, at: Mode | undefined): Walk<E> | undefined {
  const left = shuffled(edges, random);
  const start = at ?? beginning(left);
  if (start === undefined) return undefined;
  const steps: Step<E>[] = [];
  let standing = start;
  while (left.length > 0) {
    const next = left.findIndex(({ transition }) => transition.from.name === standing.name);
    const [edge] = next === -1 ? [] : left.splice(next, 1);
    const to = edge?.transition.to ?? beginning(left);
    if (to === undefined) break;
    steps.push({ to, pace: edge?.pace ?? "fast", edge });
    standing = to;
  }
  return { start, steps };
}

/** Where to begin among these: where more lead away than lead to, since nothing else will bring one there. */
function beginning(edges: readonly Edge[]): Mode | undefined {
  const surplus = (mode: Mode): number =>
    edges.filter(({ transition }) => transition.from.name === mode.name).length -
    edges.filter(({ transition }) => transition.to.name === mode.name).length;
  const from = edges.map(({ transition }) => transition.from);
  return from.toSorted((a, b) => surplus(b) - surplus(a))[0];
}
