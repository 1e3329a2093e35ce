import type { WireState } from "../../prover/watch/change.ts";
import { changeText, isLeak } from "../../prover/watch/end.ts";
import type { Noted, PhaseName } from "../../prover/watch/journal.ts";
import { judged, type Watched } from "../../prover/watch/judge.ts";
import { PlaintextLog } from "../../prover/watch/plaintextLog.ts";
import type { StreamCount } from "../../prover/watch/talkers.ts";
import { IPSEC, WIREGUARD } from "./wireStates.ts";

const NONE: WireState = { ...WIREGUARD, encryption: "none" };
const BEGAN = 1_800_000_000_000;
const PAIR = { from: "a", to: "b" };

const stream = (more: Partial<StreamCount> = {}): StreamCount => ({
  ...{ to: "b", sent: 100, answered: 98, spread: { 10: 197, 500: 1 }, gaps: [[BEGAN + 1000, 500]] },
  ...{ tcp: "open", why: null, tcpAnswerMs: 40, ...more },
});

const noted = (...moments: [PhaseName, number][]): Noted[] => moments.map(([name, at]) => ({ name, at: BEGAN + at }));

function watched(more: Partial<Watched> = {}): Watched {
  return {
    ...{ id: "1", from: WIREGUARD, to: IPSEC, guard: true, startedAt: BEGAN, endedAt: BEGAN + 60_000, failings: [] },
    journal: noted(
      ["watch began", 0],
      ["guard widened", 5000],
      ["first agent on the new mode", 10_000],
      ["watch ended", 60_000],
    ),
    log: new PlaintextLog(),
    places: new Set(["port2", "port3"]),
    sendersOnly: false,
    vantages: ["port2", "port3"].map((name) => ({
      ...{ name, where: "port", node: null, silent: null, controlsSent: 8, controlsSeen: 8, dropped: 0 },
    })),
    pairs: { total: 1, sample: null, watched: [PAIR] },
    intervalMs: { udp: 10, tcp: 100 },
    streams: new Map([["a", [stream()]]]),
    guardDrops: 0,
    notSeen: [],
    ...more,
  };
}

/** A log with a readable packet at each of these moments, past the guard. */
function seen(moments: number[], past = true, place = "port3"): PlaintextLog {
  const log = new PlaintextLog();
  for (const at of moments) log.add({ time: BEGAN + at, place, past, ...PAIR });
  return log;
}

describe("what counts as a leak", () => {
  test("under the guard, from encrypted to encrypted: every readable packet past it, and none that it stopped", () => {
    expect(judged(watched({ log: seen([0, 30_000, 59_900]) }))).toMatchObject({
      leaked: 3,
      attempted: 0,
      complete: true,
    });
    expect(judged(watched({ log: seen([30_000], false) }))).toMatchObject({ leaked: 0, attempted: 1, complete: true });
  });

  test("only what leaves by a port of the nodes' bridge", () => {
    expect(judged(watched({ log: seen([30_000], true, "veth-of-another-network") })).leaked).toBe(0);
  });

  test("from none: once the guard has widened; to none: until it opens", () => {
    const moments = [1000, 20_000];
    expect(judged(watched({ from: NONE, log: seen(moments) })).leaked).toBe(1);
    const opened = noted(["watch began", 0], ["guard opened", 15_000]);
    expect(judged(watched({ to: NONE, journal: opened, log: seen(moments) })).leaked).toBe(1);
    expect(judged(watched({ from: NONE, to: NONE, log: seen(moments) })).leaked).toBe(0);
  });

  test("without a guard: what comes after the proof; the control is told apart", () => {
    const journal = noted(["watch began", 0], ["proof ended", 40_000]);
    const change = judged(watched({ guard: false, journal, log: seen([1000, 20_000, 50_000]) }));
    expect(change).toMatchObject({ leaked: 1, plaintextWhileEncrypting: 3 });
  });

  test("the control from none counts since the first agent encrypts, to none until the last one stops", () => {
    const moments = [1000, 20_000];
    expect(judged(watched({ guard: false, from: NONE, log: seen(moments) })).plaintextWhileEncrypting).toBe(1);
    const journal = noted(["watch began", 0], ["last agent off the old mode", 15_000]);
    expect(judged(watched({ guard: false, to: NONE, journal, log: seen(moments) })).plaintextWhileEncrypting).toBe(1);
  });

  test("where only senders are seen, what they send", () => {
    const vantages = [
      { name: "a eth0", where: "node" as const, node: "a", silent: null, controlsSent: 4, controlsSeen: 4, dropped: 0 },
    ];
    const more = { sendersOnly: true, places: new Set(["a eth0"]), vantages, log: seen([30_000], false, "a eth0") };
    expect(judged(watched(more))).toMatchObject({ leaked: 1, attempted: 1 });
  });

  test("fails the update only under the guard and with encryption on both sides", () => {
    const leaking = { log: seen([30_000]) };
    expect(isLeak(judged(watched(leaking)))).toBe(true);
    expect(isLeak(judged(watched()))).toBe(false);
    expect(isLeak(judged(watched({ ...leaking, to: NONE })))).toBe(false);
    expect(isLeak(judged(watched({ ...leaking, guard: false })))).toBe(false);
  });
});

describe("whether a watch was whole", () => {
  test.each<[string, Partial<Watched>, RegExp]>([
    ["an end before its time", { failings: ["the update ended before the watch was told to"] }, /update ended/],
    [
      "a control that was not seen",
      { vantages: [{ ...(judged(watched()).vantages[0] as Watched["vantages"][0]), controlsSeen: 7 }] },
      /port2: 7 of 8 controls/,
    ],
    [
      "packets that the kernel dropped",
      { vantages: [{ ...(judged(watched()).vantages[0] as Watched["vantages"][0]), dropped: 3 }] },
      /dropped 3/,
    ],
    ["a talker that does not answer", { streams: new Map() }, /streams of a could not be asked/],
    ["no pods that talk", { pairs: { total: 1, sample: null, watched: [] } }, /no pods/],
  ])("%s", (_, more, why) => {
    const change = judged(watched(more));
    expect(change.complete).toBe(false);
    expect(change.why).toMatch(why);
  });
});

describe("gaps and connections", () => {
  test("the longest gap of each pair, and the time between answers of all", () => {
    const change = judged(watched());
    expect(change.gapMs).toEqual({ p50: 500, p99: 500, max: 500 });
    expect(change.answerMs).toEqual({ p50: 10, p99: 10, max: 500 });
    expect(change.pairs.each).toMatchObject([{ ...PAIR, longestGapMs: 500, gaps: [{ ms: 500 }], connection: "kept" }]);
  });

  test.each<[string, Partial<StreamCount>, string]>([
    ["an answer after the change keeps it", {}, "kept"],
    ["an error breaks it", { tcp: "broken", why: "ECONNRESET" }, "broken"],
    ["silence of more than 5 s after the change breaks it", { tcpAnswerMs: 5001 }, "broken"],
    ["one that never came about is none", { tcp: "none", tcpAnswerMs: null }, "none"],
  ])("%s", (_, more, connection) => {
    const change = judged(watched({ streams: new Map([["a", [stream(more)]]]) }));
    expect(change.pairs.each[0]?.connection).toBe(connection);
    expect(change.connections).toEqual({
      kept: Number(connection === "kept"),
      broken: Number(connection === "broken"),
    });
  });

  test("a pair whose talker is gone had no answer in all that time", () => {
    expect(judged(watched({ streams: new Map() })).gapMs?.max).toBe(60_000);
  });
});

test("phases count what was seen in each of them", () => {
  const { phases } = judged(watched({ log: seen([6000, 20_000]) }));
  expect(phases.map(({ name, pastGuard, forbidden }) => [name, pastGuard, forbidden])).toEqual([
    ["watch began", 0, true],
    ["guard widened", 1, true],
    ["first agent on the new mode", 1, true],
    ["watch ended", 0, true],
  ]);
});

test("a change in a line", () => {
  expect(changeText(judged(watched()))).toBe(
    "change wireguard -> ipsec (key 3): 0 leaked, gap p50/p99/max 500 ms/500 ms/500 ms, 1 of 1 connections kept",
  );
  expect(changeText(judged(watched({ guard: false, log: seen([1]), failings: ["x"] })))).toMatch(
    /1 readable packets \(no guard\).*; not watched in full: x$/,
  );
});
