import type { GuardSeen } from "../../../prover/observation.ts";
import type { WireCase } from "./wire.ts";
import { ENCRYPTED, type WireFault } from "./wireFault.ts";

/** A guard in force that has dropped nothing that should have been encrypted. */
export function guardInForce(): GuardSeen {
  const count = { packets: 3, bytes: 300 };
  return {
    generation: "one",
    forms: ["wireguard"],
    digest: "0123456789abcdef",
    intact: true,
    dropped: {
      overlay: { ...count, what: "VXLAN or Geneve between nodes with readable contents", plaintext: true },
      fragment: { ...count, what: "later fragments", plaintext: false },
    },
  };
}

/** A cluster with a guard; `change` gets it as it is after the marker traffic. */
function guarded(change: (after: GuardSeen) => void = () => undefined) {
  return ({ seen, intent }: WireCase): void => {
    intent.guard = { command: ["guard"], input: "", forms: ["wireguard"] };
    const after = guardInForce();
    change(after);
    seen.guard = { before: { said: guardInForce() }, after: { said: after } };
  };
}

const count = (guard: GuardSeen, name: string, packets: number) => {
  const counter = guard.dropped[name];
  if (counter) counter.packets += packets;
};

/** What only the checks of the guard tell. */
export const guardFaults: readonly WireFault[] = [
  {
    name: "the guard is off",
    in: ENCRYPTED,
    spoil: (wireCase) => {
      guarded()(wireCase);
      wireCase.seen.guard = { before: { said: null }, after: { said: null } };
    },
    verdict: "failed",
    by: ["guard-in-force"],
  },
  {
    name: "the guard cannot be asked",
    in: ENCRYPTED,
    spoil: (wireCase) => {
      guarded()(wireCase);
      wireCase.seen.guard = { before: { silent: "no docker" }, after: { silent: "no docker" } };
    },
    verdict: "not proven",
    by: ["guard-in-force"],
  },
  {
    name: "the guard was changed by hand",
    in: ENCRYPTED,
    spoil: guarded((guard) => {
      guard.intact = false;
    }),
    verdict: "failed",
    by: ["guard-in-force"],
  },
  {
    name: "the guard is another mode's",
    in: ENCRYPTED,
    spoil: guarded((guard) => {
      guard.forms = ["other"];
    }),
    verdict: "failed",
    by: ["guard-in-force"],
  },
  {
    name: "the guard dropped what should have been encrypted, and nobody else saw it",
    in: ENCRYPTED,
    spoil: guarded((guard) => count(guard, "overlay", 2)),
    verdict: "failed",
    by: ["guard-dropped"],
  },
];

/** What looks like trouble of the guard and is none. */
export const guardHarmless: readonly WireFault[] = [
  { name: "a guard that dropped nothing in this time", in: ENCRYPTED, spoil: guarded(), verdict: "proven", by: [] },
  {
    name: "the guard dropped what is nobody's leak",
    in: ENCRYPTED,
    spoil: guarded((guard) => count(guard, "fragment", 2)),
    verdict: "proven",
    by: [],
  },
  {
    name: "the guard lets pass both modes, before the end of a change",
    in: ENCRYPTED,
    spoil: guarded((guard) => guard.forms.push("other")),
    verdict: "proven",
    by: [],
  },
  {
    name: "the guard was set anew and counts from 0",
    in: ENCRYPTED,
    spoil: guarded((guard) => count(guard, "overlay", -3)),
    verdict: "proven",
    by: [],
  },
];
