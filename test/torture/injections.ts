import { generator, shuffled } from "../seeded.ts";
import { LANES, type Lane, PACES, type Pace, TRANSITIONS, type Transition } from "./matrix.ts";
import { IPSEC } from "./modes.ts";

export type GoodEnd = "recovered" | "told";

/** What goes wrong in the middle of an update. */
export interface Injection {
  kind: string;
  /** What happens, in words. */
  what: string;
  /** What may become of it: the next update proves the cluster, or it tells what a person must do. Declared here, before any run. */
  ends(transition: Transition): readonly GoodEnd[];
  /** In which changes it can happen. */
  fits(transition: Transition): boolean;
  /** How many of sixteen injections are of this kind. */
  share: number;
}

const recovered = (): readonly GoodEnd[] => ["recovered"];

/** A key that is gone before its successor has taken its place is put back by a person, who then rotates. */
const unlessRotated = (transition: Transition): readonly GoodEnd[] =>
  transition === ROTATION ? ["recovered", "told"] : ["recovered"];

const always = (): boolean => true;
const aboutIpsec = ({ from, to }: Transition): boolean => from.encryption === "ipsec" || to.encryption === "ipsec";

export const INJECTIONS: readonly Injection[] = [
  {
    kind: "kill -9",
    what: "the whole update is killed",
    ends: recovered,
    fits: always,
    share: 4,
  },
  {
    kind: "agent crash",
    what: "the agent of a node crashes, and again until the fault is cleared",
    ends: recovered,
    fits: always,
    share: 2,
  },
  {
    kind: "agent deleted",
    what: "the pod of an agent is deleted",
    ends: recovered,
    fits: always,
    share: 1,
  },
  {
    kind: "partition",
    what: "the cable of a node is cut",
    ends: recovered,
    fits: always,
    share: 2,
  },
  {
    kind: "API server",
    what: "the API server is killed, and started again some seconds later",
    ends: recovered,
    fits: always,
    share: 2,
  },
  { kind: "loss", what: "5 % of the packets of every node are lost", ends: recovered, fits: always, share: 1 },
  {
    kind: "Secret",
    what: "the Secret with the IPsec key is deleted",
    ends: unlessRotated,
    fits: aboutIpsec,
    share: 1,
  },
  {
    kind: "clock",
    what: "the clock of the machine that runs the update jumps by an hour, forward or back",
    ends: recovered,
    fits: always,
    share: 1,
  },
  {
    kind: "reboot",
    what: "a node is rebooted",
    ends: recovered,
    fits: always,
    share: 2,
  },
];

/** A rotation of the IPsec key, as a change like the others. */
export const ROTATION: Transition = {
  name: "rotation",
  from: IPSEC,
  to: IPSEC,
  leaks: false,
  because: "both keys are known while nodes change",
};

/** Plaintext is allowed at neither end, so that each readable packet is a leak, whatever was killed. */
const CHANGES: readonly Transition[] = [
  ...TRANSITIONS.filter(({ from, to }) => from.encryption !== "none" && to.encryption !== "none"),
  // As often as all the others of IPsec together.
  ...Array.from({ length: 4 }, () => ROTATION),
];

/** Where injections are tried: both routings, at a size where a node is one of several. */
export const INJECTION_LANES: readonly Lane[] = LANES.filter(({ nodes }) => nodes === 4);

/** One injection, in a change of a cluster. An edge of the walk. */
export interface PlannedInjection {
  number: number;
  lane: Lane;
  injection: Injection;
  transition: Transition;
  pace: Pace;
  /** How far into the update, as a part of the time that the cluster's last one took. */
  moment: number;
  /** Seconds for which it lasts, where it lasts. */
  holds: number;
  /** Index of the node that it happens to. */
  node: number;
  /** Seconds by which a clock jumps. */
  jump: number;
}

/** So many injections, the same for the same seed; each kind as often as its share says, at random moments of random changes. */
export function planInjections(count: number, seed: number): PlannedInjection[] {
  const random = generator(seed);
  const kinds = INJECTIONS.flatMap((injection) => Array.from({ length: injection.share }, () => injection));
  const chosen: Injection[] = [];
  while (chosen.length < count) chosen.push(...shuffled(kinds, random).slice(0, count - chosen.length));
  // Changes in turn, so that none is left out.
  let changes: Transition[] = [];
  return chosen.map((injection, index) => {
    const lane = INJECTION_LANES[index % INJECTION_LANES.length] as Lane;
    if (!changes.some(injection.fits)) changes = [...changes, ...shuffled(CHANGES, random)];
    const [transition] = changes.splice(changes.findIndex(injection.fits), 1);
    return {
      ...{ number: index + 1, lane, injection, transition: transition ?? ROTATION },
      pace: PACES[Math.floor(random() * PACES.length)] ?? "fast",
      moment: random(),
      holds: 2 + Math.floor(random() * 9),
      node: Math.floor(random() * lane.nodes),
      jump: random() < 0.5 ? -3600 : 3600,
    };
  });
}
