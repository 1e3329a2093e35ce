import type { Intent } from "../intent.ts";
import type { Observation } from "../observation.ts";
import type { PlaintextSeen, VantageSeen } from "../wire/observation.ts";
import { byText, canonical } from "./canonical.ts";
import { isOf, readableAt, sum } from "./pairs.ts";
import type { VantageEvidence } from "./schema.ts";

/** How many kinds of readable packets are listed for one vantage point; a leak of everything has one kind a pair. */
const LISTED = 20;

/** What each capture saw, those outside the nodes first. */
export function vantagesOf(intent: Intent, seen: Observation): VantageEvidence[] {
  const readable = readableAt(intent, seen);
  return (seen.wire?.vantages ?? [])
    .map((vantage) => vantageOf(intent, vantage, readable.get(vantage.name) ?? []))
    .sort((a, b) => byText(b.where, a.where) || byText(a.name, b.name));
}

function vantageOf(intent: Intent, seen: VantageSeen, readable: PlaintextSeen[]): VantageEvidence {
  const leaks = worstFirst(readable);
  return {
    name: seen.name,
    where: seen.where,
    node: seen.node,
    device: seen.device,
    silent: seen.silent,
    complete: seen.complete,
    dropped: seen.dropped,
    controlsSent: sum(seen.controls.map((control) => control.sent)),
    controlsSeen: sum(seen.controls.map((control) => control.seen)),
    encryptedPackets: sum(seen.ciphertext.filter((stream) => isOf(intent, stream)).map((stream) => stream.packets)),
    readablePackets: sum(leaks.map((leak) => leak.packets)),
    readable: leaks.slice(0, LISTED).map(({ form, from, to, src, dst, marker, packets, example }) => ({
      form,
      from: from ?? src,
      to: to ?? dst,
      marker,
      packets,
      example,
    })),
    readableLeftOut: Math.max(0, leaks.length - LISTED),
  };
}

/** Readable packets in the order of how much they tell: a marker, then how many there were. */
export function worstFirst(seen: readonly PlaintextSeen[]): PlaintextSeen[] {
  return [...seen].sort(
    (a, b) =>
      Number(b.marker) - Number(a.marker) ||
      b.packets - a.packets ||
      byText(JSON.stringify(canonical(a)), JSON.stringify(canonical(b))),
  );
}
