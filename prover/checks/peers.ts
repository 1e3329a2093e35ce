import { type Check, contradicts, note, unobserved } from "../finding.ts";
import type { Intent } from "../intent.ts";
import { keyState } from "../keys.ts";
import type { Counters, IpsecCounters, Observation, PeerCounters } from "../observation.ts";
import { partnersOf, suchAs, testedPairs } from "./pairs.ts";
import { liveAgents } from "./rollout.ts";

const COMMANDS = { wireguard: "cilium-dbg debuginfo", ipsec: "cilium-dbg encrypt status" };

/** Seconds after which WireGuard no longer uses a session without a new handshake (REJECT_AFTER_TIME). */
const SESSION = 180;

/** An agent whose node exchanged markers with others. */
interface Asked {
  pod: string;
  node: string;
  partners: ReadonlySet<string>;
  evidence: string;
  before: Counters;
  after: Counters;
}

const counters: Check = {
  name: "counters",
  look: (intent, seen) =>
    talkers(intent, seen).flatMap(({ pod, node, evidence, counters: read }) => {
      const answers = read ? [read.before, read.after] : [{ silent: "was not asked" }];
      const reasons = answers.flatMap((answer) => {
        if ("silent" in answer) return [answer.silent];
        return countersOf(intent, answer.said) ? [] : ["answered without any"];
      });
      return [...new Set(reasons)].map((reason) =>
        unobserved({
          node,
          message: `the counters of its encryption cannot be had: its Cilium agent ${reason}`,
          evidence,
          fix: `kubectl -n ${intent.cilium.namespace} exec ${pod} -c cilium-agent -- ${commandOf(intent)}`,
          passing: true,
        }),
      );
    }),
};

const peerKeys: Check = {
  name: "peer-keys",
  look: (intent, seen) => {
    const published = new Map(seen.ciliumNodes.map(({ name, wireguardKey }) => [name, wireguardKey]));
    const owners = Map.groupBy(seen.ciliumNodes, ({ wireguardKey }) => wireguardKey);
    return withPeers(intent, seen).flatMap(({ pod, node, partners, evidence, peers }) => {
      const keys = new Set(peers.map((peer) => peer.publicKey));
      const missing = [...partners].filter((name) => {
        const key = published.get(name);
        return key && !keys.has(key);
      });
      const strange = peers.filter(({ publicKey }) => !owners.get(publicKey)?.some(({ name }) => name !== node));
      const what = [
        missing.length > 0 && `has no WireGuard peer with the key that ${suchAs(missing)} publishes`,
        strange.length > 0 && `has ${strange.length} WireGuard peers with a key that no other node publishes`,
      ].filter((each) => each !== false);
      return what.map((message) =>
        contradicts({
          node,
          message,
          evidence,
          fix: `kubectl -n ${intent.cilium.namespace} delete pod ${pod}`,
          passing: true,
        }),
      );
    });
  },
};

/** A session that markers used was younger than that when they began; of the end, many nodes' turns away, that could not be asked. */
const peerHandshake: Check = {
  name: "peer-handshake",
  look: (intent, seen) => {
    const began = Date.parse(seen.wire?.startedAt ?? "");
    return withPeers(intent, seen).flatMap(({ node, evidence, partners, peers }) => {
      const young = ({ lastHandshake }: PeerCounters): boolean =>
        began - Date.parse(lastHandshake ?? "") <= 1000 * SESSION;
      const old = namesOf(seen, partners, peers).filter(({ peer }) => !young(peer));
      if (old.length === 0) return [];
      return [
        unobserved({
          node,
          message: `has had no WireGuard handshake with ${suchAs(old.map(({ name }) => name))} less than ${SESSION} s before the markers, or with them`,
          evidence,
          fix: "see that UDP port 51871 is open between the nodes",
          passing: true,
        }),
      ];
    });
  },
};

const peerTransfer: Check = {
  name: "peer-transfer",
  look: (intent, seen) =>
    withPeers(intent, seen).flatMap(({ node, evidence, partners, peers, before }) => {
      const earlier = new Map(before.peers?.map((peer) => [peer.publicKey, peer]));
      const idle = namesOf(seen, partners, peers).filter(({ peer }) => {
        const { rx, tx } = earlier.get(peer.publicKey) ?? { rx: 0, tx: 0 };
        return peer.rx <= rx || peer.tx <= tx;
      });
      if (idle.length === 0) return [];
      return [
        unobserved({
          node,
          message: `did not count markers as sent to and received from its WireGuard peer ${suchAs(idle.map(({ name }) => name))}`,
          evidence,
          fix: "prove again; compare its counters with a capture on the node if it stays",
          passing: true,
        }),
      ];
    }),
};

/** The agent tells one number for all tunnels: the highest. With a sample of the pairs its tunnel may be none of those tested. */
const ipsecSequence: Check = {
  name: "ipsec-sequence",
  look: (intent, seen) =>
    withIpsec(intent, seen).flatMap(({ node, evidence, earlier, later }) => {
      const place = { node, evidence, fix: "prove again", passing: true };
      if (later.maxSequence === null)
        return [unobserved({ ...place, message: "no packet of it ever went through IPsec, as its agent counts" })];
      if (seen.wire?.pairs.sample || later.maxSequence > (earlier.maxSequence ?? 0)) return [];
      // The highest may still be the old key's; that packets with the new one were sent, in order, is seen on the wire.
      if (keyState(intent, seen, later.keysInUse) === "old and new") return [];
      return [unobserved({ ...place, message: "its highest IPsec sequence number did not grow with the markers" })];
    }),
};

/** Errors that Cilium's own connectivity test bears, fewer than this many (cilium-cli, ExpectedXFRMErrors). */
const BORNE = 10;
const BEARABLE = /^(Xfrm)?(FwdHdrError|InError|InStateInvalid)$|^inbound_(forward_header|other|state_invalid)$/;

/** XFRM errors are counted since boot: those from before the markers are a note, those that came with them are not. */
export const xfrmErrors: Check = {
  name: "xfrm-errors",
  look: (intent, seen) => [
    ...liveAgents(seen).flatMap(({ pod, node, encryption }) => {
      const errors = "said" in encryption ? Object.entries(encryption.said.ipsec?.errors ?? {}) : [];
      if (errors.length === 0) return [];
      const message = `has counted XFRM errors since boot: ${inWords(errors)}`;
      return [note({ node, message, evidence: `${COMMANDS.ipsec} in pod ${pod}` })];
    }),
    ...withIpsec(intent, seen).flatMap(({ pod, node, evidence, earlier, later }) => {
      const errors = grown(earlier, later).filter(([name, count]) => count >= BORNE || !BEARABLE.test(name));
      if (errors.length === 0) return [];
      return [
        contradicts({
          node,
          message: `counted XFRM errors while markers were sent: ${inWords(errors)}`,
          evidence,
          fix: `kubectl -n ${intent.cilium.namespace} exec ${pod} -c cilium-agent -- cat /proc/net/xfrm_stat`,
          // A rollout or a key rotation that has just ended may still cost packets; a second look must find none.
          passing: true,
        }),
      ];
    }),
  ],
};

/** By how much each error counter grew, and those that the agent counted without a name. */
function grown(earlier: IpsecCounters, later: IpsecCounters): [string, number][] {
  const named = Object.entries(later.errors)
    .map(([name, count]): [string, number] => [name, count - (earlier.errors[name] ?? 0)])
    .filter(([, count]) => count > 0);
  const unnamed = later.errorCount - earlier.errorCount - named.reduce((sum, [, count]) => sum + count, 0);
  return unnamed > 0 ? [...named, ["without a name", unnamed]] : named;
}

const inWords = (errors: [string, number][]): string => errors.map(([name, count]) => `${name} ${count}`).join(", ");

/** The live agents of nodes that markers were sent from or to, with what they said of their counters. */
function talkers(intent: Intent, seen: Observation) {
  if (!seen.wire || intent.encryption === "none") return [];
  const partners = partnersOf(testedPairs(seen.wire));
  return liveAgents(seen).flatMap(({ pod, node, ready, counters }) => {
    const others = partners.get(node);
    // An agent that is not ready is not asked; agent-ready says so.
    if (!others || !ready) return [];
    return [{ pod, node, counters, partners: others, evidence: `${commandOf(intent)} in pod ${pod}` }];
  });
}

const commandOf = (intent: Intent): string => COMMANDS[intent.encryption === "ipsec" ? "ipsec" : "wireguard"];

/** The counters of the mode that is meant to be. */
function countersOf(intent: Intent, said: Counters): Counters["peers"] | Counters["ipsec"] {
  return intent.encryption === "ipsec" ? said.ipsec : said.peers;
}

/** The talkers that answered both times. */
function asked(intent: Intent, seen: Observation): Asked[] {
  return talkers(intent, seen).flatMap(({ counters: read, ...agent }) =>
    read && "said" in read.before && "said" in read.after
      ? [{ ...agent, before: read.before.said, after: read.after.said }]
      : [],
  );
}

function withPeers(intent: Intent, seen: Observation): (Asked & { peers: PeerCounters[] })[] {
  if (intent.encryption !== "wireguard") return [];
  return asked(intent, seen).flatMap((agent) => (agent.after.peers ? [{ ...agent, peers: agent.after.peers }] : []));
}

function withIpsec(intent: Intent, seen: Observation): (Asked & { earlier: IpsecCounters; later: IpsecCounters })[] {
  if (intent.encryption !== "ipsec") return [];
  return asked(intent, seen).flatMap((agent) => {
    const { before, after } = agent;
    return before.ipsec && after.ipsec ? [{ ...agent, earlier: before.ipsec, later: after.ipsec }] : [];
  });
}

/** The partners that are among the peers, with their names. */
function namesOf(
  seen: Observation,
  partners: ReadonlySet<string>,
  peers: PeerCounters[],
): { name: string; peer: PeerCounters }[] {
  const byKey = new Map(peers.map((peer) => [peer.publicKey, peer]));
  return seen.ciliumNodes.flatMap(({ name, wireguardKey }) => {
    const peer = wireguardKey === null ? undefined : byKey.get(wireguardKey);
    return peer && partners.has(name) ? [{ name, peer }] : [];
  });
}

export const counterChecks: readonly Check[] = [counters, peerKeys, peerHandshake, peerTransfer, ipsecSequence];
