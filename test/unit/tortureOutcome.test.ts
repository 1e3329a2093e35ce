import { appendFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { heldBack, startsIn } from "../torture/agentStarts.ts";
import { readCapture } from "../torture/capture.ts";
import { ROWS, type Row, rowName, TRANSITIONS } from "../torture/matrix.ts";
import {
  complaints,
  coverage,
  faultOf,
  judged,
  type Outcome,
  summary,
  table,
  type Watched,
} from "../torture/outcome.ts";
import { Results } from "../torture/results.ts";

const LEAKING = ROWS.find(({ transition }) => transition.leaks) as Row;

function outcome(row: Row, guard: boolean, changes: Partial<Watched> = {}, others: Partial<Outcome> = {}): Outcome {
  const change: Watched = {
    ...{ complete: true, why: null, leaked: 0, attempted: 0, plaintextWhileEncrypting: 0, guardDrops: 0 },
    ...{ connections: { kept: 2, broken: 0 }, phases: [], startedAt: "", endedAt: "", gaps: [10, 30] },
    ...changes,
  };
  return {
    ...{
      row: rowName(row),
      what: "it",
      guard,
      code: 0,
      verdict: "proven",
      wanted: "proven",
      change,
      seconds: 1,
      at: "",
    },
    ...others,
  };
}

const good = [outcome(LEAKING, true), outcome(LEAKING, false, { plaintextWhileEncrypting: 7 })];

test("a run where all is right has nothing to complain of, and counts its controls", () => {
  expect(complaints(judged(good), good)).toEqual([]);
  expect(summary(judged(good), good)).toBe("transitions: 1, leaked: 0, control leaked: 1");
});

test("a row whose control should leak and saw none is blind, and is named", () => {
  const blind = [outcome(LEAKING, true), outcome(LEAKING, false)];
  expect(complaints(judged(blind), blind)).toEqual([`blind, its control saw no leak: ${rowName(LEAKING)}`]);
  expect(summary(judged(blind), blind)).toMatch(/control leaked: 0$/);
});

test("what our own capture saw in the control counts where the watch could not tell", () => {
  const seen = [outcome(LEAKING, true), outcome(LEAKING, false, {}, { plain: 4 })];
  expect(complaints(judged(seen), seen)).toEqual([]);
  expect(summary(judged(seen), seen)).toMatch(/control leaked: 1$/);
});

describe("plaintext that a guard would have held back", () => {
  const plain = ["10.0 port2 Out IP", "11.0 port2 Out IP", "12.0 port2 Out IP", "13.0 port2 Out IP"];
  const between = (from: string, to: string) => {
    const found = TRANSITIONS.find(({ name }) => name === `${from} -> ${to}`);
    if (!found) throw new Error("no such transition");
    return found;
  };

  test("is all of it from mode to mode, from none what came after the first agent's start, to none what came before all agreed", () => {
    expect(heldBack(plain, between("wireguard", "ipsec"), [10.5, 12.5], undefined)).toBe(4);
    expect(heldBack(plain, between("none", "ipsec"), [10.5, 12.5], undefined)).toBe(3);
    expect(heldBack(plain, between("ipsec", "none"), [10.5, 10.6], 11.5)).toBe(2);
    expect(heldBack(plain, between("ipsec", "none"), [], 11.5)).toBe(0);
  });

  test("agents tell their start in their logs, the last one counts", () => {
    const line = (pod: string, time: string) =>
      `[pod/${pod}/cilium-agent] time=2026-11-21T20:00:0${time}Z level=info msg="the rehearsal's agent runs" version=1.20.2 encryption=IPsec`;
    const logs = [
      line("a", "1.500"),
      line("b", "2.250"),
      "[pod/b/cilium-agent] time=x something else",
      line("a", "3.000"),
    ].join("\n");
    expect(startsIn(logs)).toEqual([3, 2.25].map((seconds) => Date.parse("2026-11-21T20:00:00Z") / 1000 + seconds));
  });
});

test("a row whose control was cut short is not yet blind, and is no control either", () => {
  const cut = [outcome(LEAKING, true), outcome(LEAKING, false, { complete: false })];
  expect(complaints(judged(cut), cut)).toEqual([]);
  expect(summary(judged(cut), cut)).toMatch(/control leaked: 0$/);
});

test.each<[string, Outcome, RegExp]>([
  ["a leak", outcome(LEAKING, true, { leaked: 3 }), /3 packets leaked/],
  ["an update that failed", outcome(LEAKING, true, {}, { code: 1, said: "no" }), /ended with 1: no/],
  ["no proof", outcome(LEAKING, true, {}, { verdict: "not proven" }), /verdict is not proven/],
  ["no watch", outcome(LEAKING, true, {}, { change: null }), /no change was watched/],
  ["half a watch", outcome(LEAKING, true, { complete: false, why: "killed" }), /incomplete: killed/],
])("under the guard %s is a fault", (_, found, words) => {
  expect(faultOf(found)).toMatch(words);
  expect(complaints(judged([found]), [found])).toHaveLength(1);
});

test("a run that could not be judged is no complaint once the row was run again, and one that leaked stays one", () => {
  const again = [outcome(LEAKING, true, { complete: false }), outcome(LEAKING, true)];
  expect(complaints(judged(again), again)).toEqual([]);
  const leaked = [outcome(LEAKING, true, { leaked: 1 }), outcome(LEAKING, true)];
  expect(complaints(judged(leaked), leaked)).toEqual(["it: 1 packets leaked"]);
});

test("an update that only makes a cluster needs no watch", () => {
  expect(faultOf(outcome(LEAKING, true, {}, { row: undefined, change: null }))).toBeUndefined();
});

test("leaks of updates between rows count as well", () => {
  const between = [...good, outcome(LEAKING, true, { leaked: 2 }, { row: undefined })];
  expect(summary(judged(between), between)).toBe("transitions: 1, leaked: 2, control leaked: 1");
  expect(complaints(judged(between), between)).toEqual(["it: 2 packets leaked"]);
});

test("the table has a line for each transition and pace, with the gaps of all pairs together", () => {
  const { transition, pace } = LEAKING;
  const runs = [...good, outcome(LEAKING, true, { gaps: [20, 1000.4], connections: { kept: 1, broken: 1 } })];
  expect(table(judged(runs))).toContain(
    `| ${transition.name} | ${pace} | 2 | 0 | 1 of 1 | 30 | 1000 | 1000 | 1 of 4 |`,
  );
  expect(coverage(judged(runs))).toContain("1 of 28 rows, 1 controls");
});

describe("results", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "wct-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("are found again by the next run", () => {
    new Results<number>(folder, "a").add(1);
    new Results<number>(folder, "b").add(2);
    expect(new Results<number>(folder, "a").all()).toEqual([1]);
  });

  test("survive a line that a kill cut short", () => {
    const results = new Results<{ n: number }>(folder, "a");
    results.add({ n: 1 });
    appendFileSync(join(folder, readdirSync(folder)[0] ?? ""), '{"n":');
    results.add({ n: 2 });
    expect(results.all()).toEqual([{ n: 1 }, { n: 2 }]);
  });
});

describe("our own capture", () => {
  const control = (port: string): string =>
    `1.0 ${port} Out IP 10.244.255.250.7001 > 192.0.2.1.7001: UDP, length 15\n` +
    `1.1 ${port} Out IP 172.30.255.250.50000 > 192.0.2.1.8472: OTV, flags [I] (0x08), overlay 0, instance 2\nIP 10.244.255.250.7001 > 192.0.2.1.7001: UDP, length 15\n`;
  const end = "9 packets captured\n9 packets received by filter\n0 packets dropped by kernel\n";

  test("tells controls, leaks and SPIs from each other", () => {
    const leak =
      "2.0 port3 Out IP 172.30.0.2.40000 > 172.30.0.3.8472: OTV, flags [I] (0x08), overlay 0, instance 2\nIP 10.244.0.9.5 > 10.244.1.7.7000: UDP, length 8\n";
    const esp = "3.5 port3 Out IP 172.30.0.2 > 172.30.0.3: ESP(spi=0x00000004,seq=0x40), length 120\n";
    const watchs =
      "1.2 port2 Out IP 172.30.0.1.50000 > 192.0.2.1.8472: OTV, flags [I] (0x08), overlay 0, instance 2\nIP 172.30.0.1.9 > 192.0.2.1.9: UDP, length 15\n";
    const { plain, spis, blind } = readCapture(
      `listening on any\n${control("port2")}${control("port3")}${watchs}${leak}${esp}${end}`,
      ["port2", "port3"],
      1,
    );
    expect(plain).toHaveLength(1);
    expect(plain[0]).toContain("10.244.1.7");
    expect([...spis]).toEqual([[4, { first: 3.5, last: 3.5 }]]);
    expect(blind).toBeUndefined();
  });

  test.each<[string, string, string[], RegExp]>([
    ["a control is missing", `${control("port2")}${end}`, ["port2", "port3"], /at port3/],
    ["no port was there", end, [], /no port/],
    ["it did not end by our will", control("port2"), ["port2"], /ended before/],
    ["packets were lost", `${control("port2")}3 packets dropped by kernel\n`, ["port2"], /dropped 3/],
  ])("is blind where %s", (_, text, ports, words) => {
    expect(readCapture(text, ports, 1).blind).toMatch(words);
  });
});
