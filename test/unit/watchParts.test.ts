import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentPhases } from "../../prover/watch/agentPhases.ts";
import { beginJournal, note, readJournal } from "../../prover/watch/journal.ts";
import { hidesOverlay, liveState, stateText } from "../../prover/watch/order.ts";
import { PlaintextLog } from "../../prover/watch/plaintextLog.ts";
import { merged, spreadOf, weighted } from "../../prover/watch/statistics.ts";
import { identify, isAlive, updaterOf } from "../../prover/watch/updater.ts";
import { IPSEC, WIREGUARD } from "./wireStates.ts";

describe("statistics", () => {
  test("nearest rank, of values and of histograms", () => {
    expect(spreadOf([])).toBeNull();
    expect(spreadOf([7])).toEqual({ p50: 7, p99: 7, max: 7 });
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(spreadOf(hundred)).toEqual({ p50: 50, p99: 99, max: 100 });
    expect(
      weighted(
        new Map([
          [10, 99],
          [500, 1],
        ]),
      ),
    ).toEqual({ p50: 10, p99: 10, max: 500 });
    expect(
      weighted(
        new Map([
          [10, 98],
          [500, 2],
        ]),
      ),
    ).toEqual({ p50: 10, p99: 500, max: 500 });
    expect(weighted(new Map([[10, 0]]))).toBeNull();
  });

  test("histograms add up", () => {
    expect(
      merged([
        new Map([[1, 2]]),
        new Map([
          [1, 3],
          [2, 1],
        ]),
      ]),
    ).toEqual(
      new Map([
        [1, 5],
        [2, 1],
      ]),
    );
  });
});

describe("the journal", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "wirecloak-watch-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("holds what was noted since the watch began, in the order of time", () => {
    note(folder, "proof began");
    expect(readJournal(folder)).toEqual([]);
    beginJournal(folder);
    note(folder, "proof ended", 20);
    note(folder, "proof began", 10);
    note(undefined, "proof began");
    expect(readJournal(folder)).toEqual([
      { name: "proof began", at: 10 },
      { name: "proof ended", at: 20 },
    ]);
    beginJournal(folder);
    expect(readJournal(folder)).toEqual([]);
  });

  test("a line that was cut short, or of another's making, is none", () => {
    beginJournal(folder);
    note(folder, "proof began", 10);
    appendFileSync(join(folder, "journal.jsonl"), '{"name":"lunch","at":5}\n{"name":"proof en');
    expect(readJournal(folder)).toHaveLength(1);
  });
});

describe("the log of readable packets", () => {
  test("counts by window, place, direction and pair", () => {
    const log = new PlaintextLog();
    for (const time of [100, 1000, 2000]) log.add({ time, place: "port2", past: true, from: "a", to: "b" });
    log.add({ time: 1000, place: "port3", past: false, from: "b", to: "a" });
    const all = { past: true, since: 0, until: 10_000 };
    expect(log.count(all)).toBe(3);
    expect(log.count({ ...all, since: 1000 })).toBe(2);
    expect(log.count({ ...all, until: 2000 })).toBe(2);
    expect(log.count({ ...all, past: false })).toBe(1);
    expect(log.count({ ...all, places: new Set(["port3"]) })).toBe(0);
    expect(log.count({ ...all, from: "b" })).toBe(0);
  });
});

describe("the phases of the agents", () => {
  const agent = (node: string, start: string, ready = true) => ({
    ...{
      pod: `cilium-${node}`,
      node,
      ready,
      waiting: null,
      terminating: false,
      revision: "1",
      startedAt: `2026-01-01T00:00:0${start}.000Z`,
    },
    ...{ status: { silent: "not asked" }, encryption: { silent: "not asked" }, counters: null },
  });
  const keys = (...ids: number[]) =>
    ids.map((encryptionKey, index) => ({ name: `n${index}`, wireguardKey: null, encryptionKey, bootId: null }));
  const names = (noted: { name: string; at: number }[]) => noted.map(({ name, at }) => `${name} ${at}`);

  test("of a switch: agents count once they have started anew and are ready", () => {
    const zero = Date.parse("2026-01-01T00:00:00.000Z");
    const before = { agents: [agent("a", "1"), agent("b", "1")], ciliumNodes: [] };
    const phases = new AgentPhases(WIREGUARD, IPSEC, before, zero);
    const look = (at: number, ...agents: ReturnType<typeof agent>[]) =>
      phases.look({ agents, ciliumNodes: [] }, zero + at).map(({ name, at }) => `${name} ${at - zero}`);
    expect(look(1500, agent("a", "1"), agent("b", "1"))).toEqual([]);
    expect(look(2500, agent("a", "2", false), agent("b", "1"))).toEqual(["first agent restarted 2500"]);
    // It was seen late, and had started by the end of second 2.
    expect(look(9000, agent("a", "2"), agent("b", "1"))).toEqual(["first agent on the new mode 3000"]);
    expect(look(9900, agent("a", "2"), agent("b", "9"))).toEqual([
      "last agent off the old mode 9000",
      "last agent on the new mode 9900",
    ]);
    expect(look(10_000, agent("a", "2"), agent("b", "9"))).toEqual([]);
  });

  test("of a rotation: nodes count once they announce the new key, without a restart", () => {
    const agents = [agent("n0", "1"), agent("n1", "1")];
    const phases = new AgentPhases(IPSEC, { ...IPSEC, keyId: 4 }, { agents, ciliumNodes: keys(3, 3) }, 0);
    expect(names(phases.look({ agents, ciliumNodes: keys(4, 3) }, 1))).toEqual(["first agent on the new mode 1"]);
    expect(names(phases.look({ agents, ciliumNodes: keys(4, 4) }, 2))).toEqual([
      "last agent off the old mode 1",
      "last agent on the new mode 2",
    ]);
  });
});

describe("what a cluster was told to be", () => {
  const config = (data: Record<string, string>) => ({ config: { data, changedAt: null }, ciliumNodes: [] });

  test("is read from cilium-config", () => {
    expect(liveState({ config: null, ciliumNodes: [] }, null)).toBeNull();
    expect(liveState(config({}), "1.20.2")?.encryption).toBe("none");
    expect(liveState(config({ "enable-wireguard": "true", "encrypt-node": "true" }), "1.20.2")).toEqual({
      ...WIREGUARD,
      nodeEncryption: true,
    });
    const ipsec = config({ "enable-ipsec": "true", "enable-encryption-strict-mode-egress": "true" });
    const ciliumNodes = [{ name: "a", wireguardKey: null, encryptionKey: 3, bootId: null }];
    expect(liveState({ ...ipsec, ciliumNodes }, "1.20.2")).toEqual({ ...IPSEC, strict: true });
  });

  test("in words", () => {
    expect(stateText(WIREGUARD)).toBe("wireguard");
    expect(stateText({ ...IPSEC, strict: true })).toBe("ipsec (key 3, strict)");
  });

  test("hides all of an overlay unless it is an IPsec of Cilium up to 1.17", () => {
    expect(hidesOverlay([WIREGUARD, IPSEC])).toBe(true);
    expect(hidesOverlay([WIREGUARD, { ...IPSEC, cilium: "1.17.18" }])).toBe(false);
    expect(hidesOverlay([{ ...WIREGUARD, encryption: "none" }, WIREGUARD])).toBe(true);
  });
});

describe("the update that a watch belongs to", () => {
  test("a process is alive while its id has not gone to another", () => {
    const self = identify();
    expect(self).not.toBeNull();
    if (!self) return;
    expect(isAlive(self)).toBe(true);
    expect(isAlive({ ...self, began: "0" })).toBe(false);
    expect(isAlive({ pid: 2 ** 22 + 1, began: "0" })).toBe(false);
  });

  test("tests are run by no engine", () => {
    expect(updaterOf()).toBeNull();
  });
});
