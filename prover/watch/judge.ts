import type { Change, ChangePhase, ChangeVantage, PairChange, WireState } from "./change.ts";
import type { Noted, PhaseName } from "./journal.ts";
import type { PlaintextLog } from "./plaintextLog.ts";
import { merged, spreadOf, weighted } from "./statistics.ts";
import type { StreamCount } from "./talkers.ts";

/** Milliseconds that a connection has to answer once the change is through; see `connection` in change.ts. */
export const SETTLE = 5000;

/** Longest gaps of a pair that are listed. */
const GAPS = 20;

/** All that a watch saw. Times are milliseconds since 1970. */
export interface Watched {
  id: string;
  from: WireState | null;
  to: WireState;
  guard: boolean;
  startedAt: number;
  endedAt: number;
  /** Why it is known not to be whole. */
  failings: string[];
  journal: readonly Noted[];
  log: PlaintextLog;
  /** Places past which nothing readable may go: the ports of the nodes' bridge. */
  places: ReadonlySet<string>;
  /** No place between the nodes: what a node sends is all that can be seen. */
  sendersOnly: boolean;
  vantages: ChangeVantage[];
  pairs: { total: number; sample: string | null; watched: readonly { from: string; to: string }[] };
  intervalMs: { udp: number; tcp: number };
  /** By node; one that could not be asked is missing. */
  streams: ReadonlyMap<string, readonly StreamCount[]>;
  guardDrops: number | null;
  notSeen: string[];
}

interface Window {
  since: number;
  until: number;
}

/** Judges a watch: the whole of what is said of a change. */
export function judged(watched: Watched): Change {
  const { log, places, sendersOnly, pairs, vantages, journal } = watched;
  const count = (past: boolean, window: Window | null, pair: { from?: string; to?: string } = {}): number =>
    window === null ? 0 : log.count({ past: past && !sendersOnly, ...window, places, ...pair });
  const forbidden = forbiddenWindow(watched);
  const each = pairs.watched.map(({ from, to }): PairChange => {
    const seen = { leaked: count(true, forbidden, { from, to }), attempted: count(false, forbidden, { from, to }) };
    return { from, to, ...pairOf(watched, from, to), ...seen };
  });
  const failings = [
    ...watched.failings,
    ...vantages.flatMap(({ name, silent }) => (silent === null ? [] : [`${name}: ${silent}`])),
    ...vantages
      .filter(({ silent, controlsSent, controlsSeen }) => silent === null && controlsSeen < controlsSent)
      .map(({ name, controlsSent, controlsSeen }) => `${name}: ${controlsSeen} of ${controlsSent} controls were seen`),
    ...vantages
      .filter(({ dropped }) => dropped > 0)
      .map(({ name, dropped }) => `${name}: the kernel dropped ${dropped} packets`),
    ...(each.length === 0 ? ["no pods could be made to talk"] : []),
    ...missing(watched),
  ];
  const answers = [...watched.streams.values()].flat().map(({ spread }) => histogram(spread));
  return {
    id: watched.id,
    from: watched.from,
    to: watched.to,
    guard: watched.guard,
    startedAt: iso(watched.startedAt),
    endedAt: iso(watched.endedAt),
    complete: failings.length === 0,
    why: failings.length === 0 ? null : shortened(failings),
    leaked: count(true, forbidden),
    attempted: count(false, forbidden),
    plaintextWhileEncrypting: count(true, encryptingWindow(watched)),
    guardDrops: watched.guardDrops,
    connections: {
      kept: each.filter(({ connection }) => connection === "kept").length,
      broken: each.filter(({ connection }) => connection === "broken").length,
    },
    gapMs: spreadOf(each.map(({ longestGapMs }) => longestGapMs)),
    answerMs: weighted(merged(answers)),
    intervalMs: watched.intervalMs,
    pairs: { total: pairs.total, sample: pairs.sample, each },
    phases: journal.map((noted, index) => {
      const window = { since: noted.at, until: journal[index + 1]?.at ?? watched.endedAt };
      return phaseOf(noted, window, forbidden, count);
    }),
    vantages,
    notSeen: watched.notSeen,
  };
}

/** When intent and guard forbid plaintext; null: never. */
export function forbiddenWindow(
  watched: Pick<Watched, "from" | "to" | "guard" | "startedAt" | "endedAt" | "journal">,
): Window | null {
  const { to, guard, startedAt, endedAt, journal } = watched;
  const encrypted = { before: encrypts(watched.from), after: encrypts(to) };
  const from = (since: number | undefined): Window | null => (since === undefined ? null : { since, until: endedAt });
  if (!encrypted.before && !encrypted.after) return null;
  // Nothing but the proof tells that all is encrypted.
  if (!guard) return encrypted.after ? from(timeOf(journal, "proof ended")) : null;
  if (!encrypted.before) return from(timeOf(journal, "guard widened"));
  // Until it opens the guard forbids what the settings already allow.
  return { since: startedAt, until: encrypted.after ? endedAt : (timeOf(journal, "guard opened") ?? endedAt) };
}

/** While any node was meant to encrypt, whatever the guard; null: none was. */
export function encryptingWindow(
  watched: Pick<Watched, "from" | "to" | "startedAt" | "endedAt" | "journal">,
): Window | null {
  const { from, to, startedAt, endedAt, journal } = watched;
  if (!encrypts(from) && !encrypts(to)) return null;
  const since = encrypts(from) ? startedAt : timeOf(journal, "first agent on the new mode");
  const until = encrypts(to) ? endedAt : (timeOf(journal, "last agent off the old mode") ?? endedAt);
  return since === undefined ? null : { since, until };
}

function encrypts(state: WireState | null): boolean {
  return state !== null && state.encryption !== "none";
}

function timeOf(journal: readonly Noted[], name: PhaseName): number | undefined {
  return journal.find((noted) => noted.name === name)?.at;
}

function phaseOf(
  { name, at }: Noted,
  window: Window,
  forbidden: Window | null,
  count: (past: boolean, window: Window) => number,
): ChangePhase {
  const within = forbidden !== null && forbidden.since <= window.since && window.until <= forbidden.until;
  return { name, at: iso(at), attempted: count(false, window), pastGuard: count(true, window), forbidden: within };
}

function pairOf(
  { streams, startedAt, endedAt }: Watched,
  from: string,
  to: string,
): Omit<PairChange, "from" | "to" | "leaked" | "attempted"> {
  const stream = streams.get(from)?.find((each) => each.to === to);
  if (!stream) {
    const whole = { at: iso(startedAt), ms: endedAt - startedAt };
    return { sent: 0, answered: 0, answerMs: null, longestGapMs: whole.ms, gaps: [whole], connection: "none" };
  }
  const gaps = stream.gaps.map(([at, ms]) => ({ at: iso(at), ms })).sort((a, b) => b.ms - a.ms);
  const answerMs = weighted(histogram(stream.spread));
  const kept = stream.tcp === "open" && stream.tcpAnswerMs !== null && stream.tcpAnswerMs <= SETTLE;
  return {
    sent: stream.sent,
    answered: stream.answered,
    answerMs,
    longestGapMs: Math.max(gaps[0]?.ms ?? 0, answerMs?.max ?? 0),
    gaps: gaps.slice(0, GAPS),
    connection: kept ? "kept" : stream.tcp === "none" || stream.tcp === "connecting" ? "none" : "broken",
  };
}

function missing({ streams, pairs }: Watched): string[] {
  const silent = [...new Set(pairs.watched.map(({ from }) => from))].filter((node) => !streams.has(node));
  return silent.length === 0 ? [] : [`the streams of ${silent.join(", ")} could not be asked for`];
}

function histogram(spread: Record<string, number>): Map<number, number> {
  return new Map(Object.entries(spread).map(([ms, count]) => [Number(ms), count]));
}

function shortened(reasons: string[]): string {
  const more = reasons.length - 5;
  return [...reasons.slice(0, 5), ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
