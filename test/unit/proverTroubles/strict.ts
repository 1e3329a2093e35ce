import type { StrictNodeSeen, StrictSeen } from "../../../prover/wire/observation.ts";
import { plainPackets, vantage, type WireCase } from "./wire.ts";
import { ENCRYPTED, type WireFault } from "./wireFault.ts";

const NOBODY = "10.244.255.254";

/** Turns strict mode on in a case, with a test in which every node dropped and counted. */
export function strictTested({ intent, seen, wire }: WireCase): StrictSeen {
  intent.strict = true;
  const nodes = seen.nodes.map(
    ({ name }): StrictNodeSeen => ({
      node: name,
      sent: 3,
      silent: null,
      drops: { before: { said: 5 }, after: { said: 8 } },
    }),
  );
  wire.strict = { range: "10.244.0.0/16", address: NOBODY, nodes };
  return wire.strict;
}

function tested(wireCase: WireCase, index: number): StrictNodeSeen {
  const found = strictTested(wireCase).nodes[index];
  if (!found) throw new Error(`no node ${index}`);
  return found;
}

function fault(name: string, verdict: WireFault["verdict"], spoil: WireFault["spoil"]): WireFault {
  return { name: `strict mode: ${name}`, in: ENCRYPTED, spoil, verdict, by: ["strict-egress"] };
}

/** What goes wrong with strict mode, or with its test. */
export const strictFaults: readonly WireFault[] = [
  fault("it does not hold (strict-off)", "failed", (wireCase) => {
    tested(wireCase, 1).drops.after = { said: 5 };
    for (const place of [vantage(wireCase.wire, 1), vantage(wireCase.wire, "outside")])
      place.plaintext.push({ ...plainPackets({ from: 1, to: 0 }), dst: NOBODY, to: null });
  }),
  fault("it counts, and lets some through", "failed", (wireCase) => {
    strictTested(wireCase);
    vantage(wireCase.wire, 1).plaintext.push({ ...plainPackets({ from: 1, to: 0 }), dst: NOBODY, to: null });
  }),
  fault("the packets pass outside with an address that is nobody's", "failed", (wireCase) => {
    strictTested(wireCase);
    const plain = { ...plainPackets({ from: 1, to: 0 }), dst: NOBODY, from: null, to: null };
    vantage(wireCase.wire, "outside").plaintext.push(plain);
  }),
  fault("nothing was counted", "not proven", (wireCase) => {
    tested(wireCase, 1).drops.after = { said: 5 };
  }),
  fault("the counter began anew", "not proven", (wireCase) => {
    tested(wireCase, 1).drops.after = { said: 3 };
  }),
  fault("nothing was sent", "not proven", (wireCase) => {
    Object.assign(tested(wireCase, 1), { sent: 0, silent: "nothing was sent" });
  }),
  fault("the counter cannot be read", "not proven", (wireCase) => {
    tested(wireCase, 1).drops.before = { silent: "did not answer" };
  }),
  fault("the nodes hold the whole range", "not proven", (wireCase) => {
    Object.assign(strictTested(wireCase), { address: null, nodes: [] });
  }),
  fault("the range is not known", "not proven", (wireCase) => {
    Object.assign(strictTested(wireCase), { range: null, address: null, nodes: [] });
  }),
  fault("nobody tested it", "not proven", (wireCase) => {
    strictTested(wireCase);
    wireCase.wire.strict = null;
  }),
];
