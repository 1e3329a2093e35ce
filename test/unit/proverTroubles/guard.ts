import type { GuardSeen, RuleFault, RulesSeen } from "../../../prover/observation.ts";
import { settled } from "./record.ts";
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

/** A guard in AWS that is in force. */
export function guardInCloud(addresses: string[]): GuardSeen & { rules: RulesSeen } {
  return {
    ...{ generation: "sg-1", forms: ["wireguard"], digest: "0123456789abcdef", intact: true, dropped: {} },
    rules: { by: "AWS", at: "2026-11-21T10:00:01.000Z", open: [], faults: [], addresses },
  };
}

/** A cluster whose cloud carries the guard; `change` gets it as it was told. */
function carried(change: (rules: RulesSeen, wireCase: WireCase) => void = () => undefined) {
  return (wireCase: WireCase): void => {
    const { seen, intent } = wireCase;
    intent.guard = { command: ["guard"], input: "", forms: ["wireguard"] };
    const told = guardInCloud(seen.nodes.flatMap(({ addresses }) => addresses));
    change(told.rules, wireCase);
    told.intact = told.rules.faults.length === 0;
    seen.guard = { before: { said: told }, after: { said: told } };
  };
}

const fault = (more: Partial<RuleFault>): RuleFault => ({
  ...{ kind: "missing", rule: "r", node: null, address: null, what: "is off", evidence: "rules of sg-1", fix: null },
  ...more,
});

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
    name: "a rule of the cloud's guard is missing",
    in: ENCRYPTED,
    spoil: carried((rules) => rules.faults.push(fault({}))),
    verdict: "failed",
    by: ["guard-in-force"],
  },
  {
    name: "the cloud's guard has a rule that opens",
    in: ENCRYPTED,
    spoil: carried((rules) => rules.faults.push(fault({ kind: "foreign" }))),
    verdict: "failed",
    by: ["guard-in-force"],
  },
  {
    name: "a node is in another group too",
    in: ENCRYPTED,
    spoil: carried((rules, { seen }) => {
      const [address = ""] = seen.nodes[1]?.addresses ?? [];
      rules.faults.push(fault({ kind: "node", rule: null, node: "ip-10-0-0-1", address }));
    }),
    verdict: "failed",
    by: ["guard-in-force"],
  },
  {
    name: "the cloud's guard lets everything pass, and no update is under way",
    in: ENCRYPTED,
    spoil: carried((rules, { seen }) => {
      rules.open.push("sgr-1", "sgr-2");
      seen.settled = { ...settled, record: null };
    }),
    verdict: "failed",
    by: ["guard-in-force"],
  },
  {
    name: "the cloud's guard lets everything pass, as until the end of an update to encryption",
    in: ENCRYPTED,
    spoil: carried((rules) => rules.open.push("sgr-1", "sgr-2")),
    verdict: "not proven",
    by: ["guard-in-force"],
  },
  {
    name: "the cloud told nothing of a node's groups",
    in: ENCRYPTED,
    spoil: carried((rules) => rules.addresses.pop()),
    verdict: "not proven",
    by: ["guard-in-force"],
  },
  {
    name: "the cloud's guard is another mode's",
    in: ENCRYPTED,
    spoil: ({ seen, intent }) => {
      carried()({ seen, intent } as WireCase);
      if (intent.guard) intent.guard.forms = ["other"];
    },
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
  { name: "a guard that the cloud carries", in: ENCRYPTED, spoil: carried(), verdict: "proven", by: [] },
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
