import { generator, shuffled } from "../seeded.ts";
import {
  IPSEC,
  IPSEC_OLD,
  IPSEC_STRICT,
  type Mode,
  NONE,
  WIREGUARD,
  WIREGUARD_NODES,
  WIREGUARD_OLD,
  WIREGUARD_STRICT,
} from "./modes.ts";

/** A change of an encrypted cluster by one update. */
export interface Transition {
  name: string;
  from: Mode;
  to: Mode;
  /**
   * Whether Cilium without guard and strict mode sends plaintext while nodes change. Declared here from what is known of Cilium (its BPF programs and agent, and the
   * table in docs/transitions.md), before any run: a row whose control sees none then is blind.
   */
  leaks: boolean;
  /** Why, in a line. */
  because: string;
}

const SAME_MODE = "agents restart with the encryption that they had, and nothing is taken down in between";

export const TRANSITIONS: readonly Transition[] = [
  between(NONE, WIREGUARD, true, "a node that has not changed yet sends plaintext, and it is accepted"),
  between(WIREGUARD, NONE, true, "a node that has changed sends plaintext"),
  between(NONE, IPSEC, true, "a node that has not changed yet sends plaintext, and it is accepted"),
  between(IPSEC, NONE, true, "a node that has changed sends plaintext"),
  between(
    WIREGUARD,
    IPSEC,
    true,
    "nodes drop what they cannot decrypt, but an agent takes cilium_wg0 down as it starts",
  ),
  between(IPSEC, WIREGUARD, true, "nodes drop what they cannot decrypt, but an agent flushes XFRM as it starts"),
  between(WIREGUARD, WIREGUARD_NODES, false, SAME_MODE),
  between(WIREGUARD_NODES, WIREGUARD, false, SAME_MODE),
  between(WIREGUARD, WIREGUARD_STRICT, false, SAME_MODE),
  between(WIREGUARD_STRICT, WIREGUARD, false, SAME_MODE),
  between(IPSEC, IPSEC_STRICT, false, SAME_MODE),
  between(IPSEC_STRICT, IPSEC, false, SAME_MODE),
  between(WIREGUARD_OLD, WIREGUARD, false, SAME_MODE),
  between(IPSEC_OLD, IPSEC, false, SAME_MODE),
];

function between(from: Mode, to: Mode, leaks: boolean, because: string): Transition {
  return { name: `${from.name} -> ${to.name}`, from, to, leaks, because };
}

export const PACES = ["fast", "steady"] as const;
export type Pace = (typeof PACES)[number];

/** A kind of cluster: it cannot change its routing, and one of each size is made. */
export interface Lane {
  routing: "tunnel" | "native";
  nodes: 2 | 4 | 8;
}

export const LANES: readonly Lane[] = ([2, 4, 8] as const).flatMap((nodes) =>
  (["tunnel", "native"] as const).map((routing) => ({ routing, nodes })),
);

/** A transition at a pace in a kind of cluster: run with the guard, and without it as the control. */
export interface Row {
  lane: Lane;
  transition: Transition;
  pace: Pace;
}

export const ROWS: readonly Row[] = LANES.flatMap((lane) =>
  TRANSITIONS.flatMap((transition) => PACES.map((pace) => ({ lane, transition, pace }))),
);

export function laneName({ routing, nodes }: Lane): string {
  return `${routing}, ${nodes} nodes`;
}

/** Identity: results are found again by it. */
export function rowName({ lane, transition, pace }: Row): string {
  return `${transition.name}, ${pace}, ${laneName(lane)}`;
}

/** So many rows of the matrix, the same for the same seed. Whole kinds of clusters first, since each costs one. */
export function chooseRows(count: number, seed: number): Row[] {
  const random = generator(seed);
  const order = new Map(shuffled(LANES, random).map((lane, index) => [lane, index]));
  const rows = shuffled(ROWS, random).sort((a, b) => (order.get(a.lane) ?? 0) - (order.get(b.lane) ?? 0));
  return rows.slice(0, count);
}
