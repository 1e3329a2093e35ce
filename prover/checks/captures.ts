import { type Check, type Found, unobserved } from "../finding.ts";
import type { Intent } from "../intent.ts";
import type { Observation } from "../observation.ts";
import type { ControlSeen, VantageSeen } from "../wire/observation.ts";
import { suchAs } from "./pairs.ts";

const AGAIN = "prove again; look at the probe pods' node if it stays";

/** The places where packets were captured; none where encryption is off, since then there is nothing to prove. */
export function vantages(intent: Intent, seen: Observation): VantageSeen[] {
  return intent.encryption === "none" || !seen.wire ? [] : seen.wire.vantages;
}

/** The places whose capture ran. */
export function runningVantages(intent: Intent, seen: Observation): VantageSeen[] {
  return vantages(intent, seen).filter((vantage) => vantage.silent === null);
}

/** The nodes that sent markers. */
function senders(seen: Observation): string[] {
  return [...new Set(seen.wire?.flows.map((flow) => flow.from))];
}

const wireCapture: Check = {
  name: "wire-capture",
  look: (intent, seen) => {
    if (intent.encryption === "none" || !seen.wire) return [];
    return [
      ...vantages(intent, seen).flatMap(captureTroubles),
      ...senders(seen)
        .filter((node) => !vantages(intent, seen).some((vantage) => vantage.where === "node" && vantage.node === node))
        .map((node) => unobserved({ node, message: "nobody captured what it sends", evidence: null, fix: AGAIN })),
      ...(intent.proof.outside && !vantages(intent, seen).some((vantage) => vantage.where === "outside")
        ? [
            unobserved({
              node: null,
              message: `nobody captured between the nodes, at ${intent.proof.outside.name}`,
              evidence: null,
              fix: AGAIN,
            }),
          ]
        : []),
    ];
  },
};

function captureTroubles({ node, name, silent, complete, dropped }: VantageSeen): Found[] {
  const place = { node, evidence: `capture at ${name}`, fix: AGAIN };
  if (silent !== null) return [unobserved({ ...place, message: `nothing was captured: ${silent}` })];
  return [
    // The next capture may start in time, and meet fewer packets.
    ...(complete
      ? []
      : [unobserved({ ...place, message: "the capture did not run for as long as markers were sent", passing: true })]),
    ...(dropped > 0
      ? [unobserved({ ...place, message: `the capture missed ${dropped} packets, by its own count`, passing: true })]
      : []),
  ];
}

/** A capture in which nothing readable was seen says something only where a readable packet would have been seen. */
const wireControl: Check = {
  name: "wire-control",
  look: (intent, seen) => {
    const forms: ControlSeen["form"][] = intent.overlay ? ["bare", intent.overlay] : ["bare"];
    const all = senders(seen);
    return runningVantages(intent, seen).flatMap(({ name, where, node, controls }) => {
      const sending = where === "outside" ? all : all.filter((sender) => sender === node);
      const proven = new Set(controls.filter((each) => each.seen > 0).map(({ from, form }) => `${from} ${form}`));
      return forms.flatMap((form) => {
        const missed = sending.filter((from) => !proven.has(`${from} ${form}`));
        if (missed.length === 0) return [];
        return [
          unobserved({
            node,
            message: `the detector was not proven: it did not see the readable control (${form}) of ${suchAs(missed)}`,
            evidence: `capture at ${name}`,
            fix: AGAIN,
            // A frame may be lost like any other.
            passing: true,
          }),
        ];
      });
    });
  },
};

export const captureChecks: readonly Check[] = [wireCapture, wireControl];
