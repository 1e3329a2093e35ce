import { type Leak, leaks } from "../checks/leaks.ts";
import { encryptingNodes, pairKey, requiredFlows } from "../checks/pairs.ts";
import type { Intent } from "../intent.ts";
import type { Observation } from "../observation.ts";
import type { CiphertextSeen, FlowSeen, VantageSeen } from "../wire/observation.ts";
import { byText } from "./canonical.ts";
import type { PairEvidence } from "./schema.ts";

/** How each tested ordered pair of nodes came out. Pure; pairs that were not tested are not in it. */
export function pairsOf(intent: Intent, seen: Observation): PairEvidence[] {
  if (!seen.wire) return [];
  const flows = Map.groupBy(seen.wire.flows, pairKey);
  const nodes = encryptingNodes(intent, seen);
  const readable = readableAt(intent, seen);
  const vantages = seen.wire.vantages
    .toSorted((a, b) => byText(a.name, b.name))
    .map((vantage) => ({
      vantage,
      controls: Map.groupBy(vantage.controls, ({ from }) => from),
      readable: packetsByPair(readable.get(vantage.name) ?? []),
      encrypted: packetsByPair(vantage.ciphertext.filter((stream) => isOf(intent, stream))),
    }));
  const pairs = [...flows].map(([key, tried]): PairEvidence => {
    const { from = "", to = "" } = tried[0] ?? {};
    const places = vantages.filter(({ vantage }) => vantage.where === "outside" || vantage.node === from);
    const most = (packets: "readable" | "encrypted"): number =>
      Math.max(0, ...places.map((place) => place[packets].get(key) ?? 0));
    const missing = [
      ...missingMarkers(requiredFlows(nodes, { from, to }), tried),
      ...(places.some(({ vantage }) => vantage.where === "node") ? [] : [`no capture on ${from}`]),
      ...places.flatMap(({ vantage, controls, encrypted }) => {
        const trouble = captureTrouble(vantage) ?? controlTrouble(intent, controls.get(from) ?? []);
        if (trouble !== null) return [`${vantage.name}: ${trouble}`];
        return encrypted.has(key) ? [] : [`${vantage.name}: no encrypted packet`];
      }),
    ];
    return {
      from,
      to,
      result: most("readable") > 0 ? "readable" : missing.length > 0 ? "not observed" : "encrypted",
      sent: sum(tried.map((flow) => flow.sent)),
      returned: sum(tried.map((flow) => flow.returned)),
      encryptedPackets: most("encrypted"),
      readablePackets: most("readable"),
      missing,
    };
  });
  return pairs.sort((a, b) => byText(a.from, b.from) || byText(a.to, b.to));
}

/** The readable packets of each place, by its name. Where encryption is off, every marker that was read. */
export function readableAt(intent: Intent, seen: Observation): Map<string, Leak[]> {
  const found =
    intent.encryption === "none"
      ? (seen.wire?.vantages ?? []).flatMap(({ name, plaintext }) =>
          plaintext.filter((packet) => packet.marker).map((packet) => ({ ...packet, vantage: name })),
        )
      : leaks(intent, seen);
  return Map.groupBy(found, ({ vantage }) => vantage);
}

/** Whether a stream is one of the mode in use, and in IPsec under the key in use. */
export function isOf({ encryption, keyId }: Intent, { kind, spi }: CiphertextSeen): boolean {
  if (encryption === "none") return false;
  return encryption === "wireguard" ? kind === "wireguard" : kind !== "wireguard" && spi === keyId;
}

/** Why what a vantage point did not see says nothing; null where it does say something. */
export function captureTrouble({ silent, complete, dropped }: VantageSeen): string | null {
  if (silent !== null) return `no capture (${silent})`;
  if (!complete) return "the capture did not run the whole time";
  return dropped > 0 ? `the capture lost ${dropped} packets` : null;
}

/** Every form in which a leak could come must have been seen. */
function controlTrouble({ overlay }: Intent, controls: VantageSeen["controls"]): string | null {
  const unseen = ["bare", ...(overlay === null ? [] : [overlay])].filter(
    (form) => !controls.some((control) => control.form === form && control.seen > 0),
  );
  return unseen.length === 0 ? null : `the control marker was not seen (${unseen.join(", ")})`;
}

/** One marker there and back is enough: packets may be lost. */
function missingMarkers(
  required: readonly Pick<FlowSeen, "kind" | "protocol">[],
  flows: readonly FlowSeen[],
): string[] {
  return required.flatMap(({ kind, protocol }) => {
    const flow = flows.find((tried) => tried.kind === kind && tried.protocol === protocol);
    if (flow && flow.silent === null && flow.returned > 0) return [];
    const why = flow?.silent ?? (flow ? `none of ${flow.sent} markers came back` : "no marker was sent");
    return [`${kind} ${protocol}: ${why}`];
  });
}

function packetsByPair(seen: readonly { from: string | null; to: string | null; packets: number }[]) {
  const packets = new Map<string, number>();
  for (const { from, to, packets: some } of seen) {
    if (from === null || to === null) continue;
    const key = pairKey({ from, to });
    packets.set(key, (packets.get(key) ?? 0) + some);
  }
  return packets;
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
