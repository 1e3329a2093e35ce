import { isIntended } from "./checks/ciphertext.ts";
import { leaks } from "./checks/leaks.ts";
import { strictInWords } from "./checks/strict.ts";
import type { Intent } from "./intent.ts";
import type { Observation } from "./observation.ts";
import type { ControlSeen, VantageSeen, WireObservation } from "./wire/observation.ts";

/** What was seen on the wire, in numbers. */
export interface WireReport {
  /** Places where packets were captured, and those of them where none could be. */
  vantages: { total: number; silent: number };
  /** Ordered node pairs: how many there are, how many were tested, and how a sample was drawn. */
  pairs: WireObservation["pairs"];
  /** Each packet counts once, whether it was seen on its node, outside, or in both places. */
  packets: {
    /** Readable ones between nodes that should not have been; with encryption off, all that were looked for. */
    plaintext: number;
    /** Those encrypted as intended. */
    ciphertext: number;
  };
  /** Readable packets that were sent so that they are seen. */
  controls: { sent: number; seen: number };
  /** What the test of strict mode saw; null where there was none. */
  strict: string | null;
}

export function wireReport(intent: Intent, seen: Observation): WireReport | null {
  const { wire } = seen;
  if (!wire) return null;
  const found = Map.groupBy(leaks(intent, seen), (leak) => leak.vantage);
  const off = intent.encryption === "none";
  const controls = wire.vantages.flatMap(ownControls);
  return {
    vantages: {
      total: wire.vantages.length,
      silent: wire.vantages.filter((vantage) => vantage.silent !== null).length,
    },
    pairs: wire.pairs,
    packets: {
      plaintext: once(wire, ({ name, plaintext }) => (off ? plaintext : (found.get(name) ?? []))),
      ciphertext: once(wire, ({ ciphertext }) => ciphertext.filter((stream) => !off && isIntended(intent, stream))),
    },
    controls: {
      sent: controls.reduce((sum, control) => sum + control.sent, 0),
      seen: controls.reduce((sum, control) => sum + control.seen, 0),
    },
    strict: strictInWords(wire.strict),
  };
}

/** A node's own device is passed by what that node sends only. */
function ownControls({ where, node, controls }: VantageSeen): ControlSeen[] {
  return where === "outside" ? controls : controls.filter((control) => control.from === node);
}

/** How many packets there were, those on the nodes' devices or those outside: whichever place saw more. */
function once(wire: WireObservation, packets: (vantage: VantageSeen) => { packets: number }[]): number {
  const at = (where: VantageSeen["where"]): number =>
    wire.vantages
      .filter((vantage) => vantage.where === where)
      .flatMap(packets)
      .reduce((sum, each) => sum + each.packets, 0);
  return Math.max(at("node"), at("outside"));
}

/** What a proof on the wire rests on. */
export function proofInWords({ vantages, pairs, packets }: WireReport): string {
  const tested = pairs.sample === null ? `${pairs.tested}` : `${pairs.tested} of ${pairs.total}`;
  return `${tested} node pairs, ${packets.plaintext} readable packets at ${vantages.total} places of capture, ${packets.ciphertext} encrypted; each place saw its control`;
}

/** The wire as lines for a terminal. */
export function wireLines({ vantages, pairs, packets, controls, strict }: WireReport): string[] {
  return [
    `${pairs.tested} of ${pairs.total} node pairs tested${pairs.sample === null ? "" : `: ${pairs.sample}`}`,
    `${vantages.total} places of capture${vantages.silent > 0 ? `, ${vantages.silent} of them silent` : ""}: ${packets.plaintext} readable packets, ${packets.ciphertext} encrypted`,
    `${controls.seen} of ${controls.sent} controls seen`,
    ...(strict === null ? [] : [`strict mode: ${strict}`]),
  ];
}
