import { activityFacts, activityOf } from "../../prover/activity.ts";
import type { Counters } from "../../prover/observation.ts";

const NOW = Date.parse("2026-11-21T10:03:00.000Z");
const counted = (said: Counters) => activityOf({ counters: { before: { said }, after: { said } } }, NOW);
const peer = (lastHandshake: string | null, rx: number, tx: number) => ({
  publicKey: "k",
  endpoint: null,
  lastHandshake,
  rx,
  tx,
});

test("of WireGuard it tells handshakes, the age of the oldest, and bytes over all peers", () => {
  const peers = [
    peer("2026-11-21T10:02:00.000Z", 1000, 2),
    peer("2026-11-21T10:01:30.000Z", 1048, 4),
    peer(null, 0, 0),
  ];
  const activity = counted({ peers, ipsec: null });
  expect(activity).toMatchObject({ handshakes: 2, handshakeAge: 90, received: 2048, sent: 6, maxSequence: null });
  expect(activity && activityFacts(activity)).toEqual(["2 handshakes, the oldest 90 s ago", "2.0 KiB in, 6 B out"]);
});

test("of IPsec it tells the highest sequence number and the errors", () => {
  const ipsec = { maxSequence: 483, keysInUse: 12, errorCount: 3, errors: {} };
  const activity = counted({ peers: null, ipsec });
  expect(activity && activityFacts(activity)).toEqual(["sequence 483, 3 XFRM errors"]);
  const unused = counted({ peers: null, ipsec: { ...ipsec, maxSequence: null } });
  expect(unused && activityFacts(unused)).toEqual(["sequence N/A, 3 XFRM errors"]);
});

test("a device without a handshake is not called fresh, nor one ahead of our clock old", () => {
  expect(counted({ peers: [peer(null, 0, 0)], ipsec: null })).toMatchObject({ handshakes: 0, handshakeAge: null });
  expect(counted({ peers: [peer("2026-11-21T10:03:05.000Z", 0, 0)], ipsec: null })).toMatchObject({ handshakeAge: 0 });
});

test("an agent that was not asked, or did not answer, has none", () => {
  expect(activityOf({ counters: null }, NOW)).toBeNull();
  const silent = { silent: "was not asked" };
  expect(activityOf({ counters: { before: silent, after: silent } }, NOW)).toBeNull();
});
