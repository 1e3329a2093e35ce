import { type Check, contradicts, type Found, note, unobserved } from "../finding.ts";
import type { Intent } from "../intent.ts";
import type { Observation } from "../observation.ts";
import type { CiphertextSeen, VantageSeen } from "../wire/observation.ts";
import { runningVantages } from "./captures.ts";
import { pairKey, suchAs, testedPairs } from "./pairs.ts";

const NAMES: Record<CiphertextSeen["kind"], string> = {
  wireguard: "WireGuard",
  esp: "ESP",
  "esp-in-vxlan": "ESP inside VXLAN",
  "esp-in-geneve": "ESP inside Geneve",
};

/** Packets of the kind that the mode sends; ESP that nobody could read the number of is not counted. */
export function isIntended(intent: Intent, { kind, spi, increasing, packets }: CiphertextSeen): boolean {
  if (packets === 0) return false;
  if (intent.encryption === "wireguard") return kind === "wireguard";
  return ["esp", "esp-in-vxlan", "esp-in-geneve"].includes(kind) && spi !== null && increasing !== null;
}

const wireEncrypted: Check = {
  name: "wire-encrypted",
  look: (intent, seen) => [...unencryptedPairs(intent, seen), ...otherKinds(intent, seen)],
};

/** The tested pairs of which a place that should have seen encrypted packets saw none. */
function unencryptedPairs(intent: Intent, seen: Observation): Found[] {
  const { wire } = seen;
  if (!wire) return [];
  const mode = intent.encryption === "wireguard" ? "WireGuard" : "ESP";
  const pairs = testedPairs(wire);
  const bySender = Map.groupBy(pairs, ({ from }) => from);
  return runningVantages(intent, seen).flatMap((vantage) => {
    const encrypted = new Set(vantage.ciphertext.filter((each) => isIntended(intent, each)).map(pairKey));
    // A node's own device is passed by what that node sends only.
    const passing = vantage.where === "outside" ? pairs : (bySender.get(vantage.node ?? "") ?? []);
    const missing = Map.groupBy(
      passing.filter((pair) => !encrypted.has(pairKey(pair))),
      ({ from }) => from,
    );
    return [...missing].map(([from, unseen]) =>
      unobserved({
        node: from,
        message: `sent no ${mode} packet to ${suchAs(unseen.map(({ to }) => to))}`,
        evidence: `capture at ${vantage.name}`,
        fix: `see that ${intent.encryption === "wireguard" ? "UDP port 51871" : "IP protocol 50 (ESP)"} may pass between the nodes`,
        passing: true,
      }),
    );
  });
}

/**
 * What else is sent encrypted: a note. Tunnels of the other mode carry nothing readable, and may be somebody else's under Cilium; that each
 * pair uses the intended mode is asked for above.
 */
function otherKinds(intent: Intent, seen: Observation): Found[] {
  const found = new Map<string, Found>();
  for (const vantage of runningVantages(intent, seen)) {
    for (const { kind, from, to } of vantage.ciphertext) {
      const key = `${from} ${kind}`;
      if (from === null || to === null || found.has(key)) continue;
      if ((kind === "wireguard") === (intent.encryption === "wireguard")) continue;
      const message = `also sends ${NAMES[kind]}`;
      found.set(key, note({ node: from, message, evidence: `capture at ${vantage.name}` }));
    }
  }
  return [...found.values()];
}

/** The key ids that ESP may carry. During a rotation the older one is allowed as well, once an intent can say so. */
function allowedSpis(intent: Intent): (number | null)[] {
  return [intent.keyId];
}

const wireSpi: Check = {
  name: "wire-spi",
  look: (intent, seen) => {
    if (intent.encryption !== "ipsec") return [];
    const found = new Map<string, { from: string; spi: number; to: Set<string>; vantage: string }>();
    for (const { vantage, stream } of espStreams(intent, seen)) {
      const { from, to, spi } = stream;
      if (from === null || to === null || spi === null || allowedSpis(intent).includes(spi)) continue;
      const known = found.get(`${from} ${spi}`) ?? { from, spi, to: new Set(), vantage: vantage.name };
      known.to.add(to);
      found.set(`${from} ${spi}`, known);
    }
    return [...found.values()].map(({ from, spi, to, vantage }) =>
      contradicts({
        node: from,
        message: `encrypts to ${suchAs([...to])} with IPsec key ${spi}, where it must be ${intent.keyId}`,
        evidence: `capture at ${vantage}, SPI`,
        fix: `kubectl -n ${intent.cilium.namespace} logs ds/cilium -c cilium-agent | grep -i ipsec`,
        // A node takes up a new key some time after the others.
        passing: true,
      }),
    );
  },
};

/** How much more packets than numbers there must be, and how many, before order alone cannot explain it. */
const REPEATED = 1.5;
const ENOUGH = 8;

/**
 * Each ESP packet of a tunnel has a number of its own. Packets out of order prove nothing (several processors may send), but more
 * packets than there are numbers from the first to the last do: some were sent twice.
 */
function repeats({ increasing, firstSequence, lastSequence, packets }: CiphertextSeen): boolean {
  if (increasing !== false || firstSequence === null || lastSequence === null) return false;
  // Tunnels that were made anew begin at 1 again.
  if (lastSequence < firstSequence || packets < ENOUGH) return false;
  return packets >= REPEATED * (lastSequence - firstSequence + 1);
}

const wireSequence: Check = {
  name: "wire-sequence",
  look: (intent, seen) =>
    espStreams(intent, seen)
      .filter(({ vantage, stream }) => vantage.where === "node" && vantage.node === stream.from && repeats(stream))
      .map(({ vantage, stream }) =>
        contradicts({
          node: stream.from,
          message: `repeats sequence numbers in what it encrypts to ${stream.to}: ${stream.packets} packets with numbers ${stream.firstSequence} to ${stream.lastSequence}`,
          evidence: `capture at ${vantage.name}`,
          fix: "find who sends its packets again: compare captures on the node and on the path to the other one",
        }),
      ),
};

function espStreams(intent: Intent, seen: Observation): { vantage: VantageSeen; stream: CiphertextSeen }[] {
  if (intent.encryption !== "ipsec") return [];
  return runningVantages(intent, seen).flatMap((vantage) =>
    vantage.ciphertext.filter(({ kind }) => kind !== "wireguard").map((stream) => ({ vantage, stream })),
  );
}

export const ciphertextChecks: readonly Check[] = [wireEncrypted, wireSpi, wireSequence];
