import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BenchRun, readBenchRuns, statistics, withRun } from "../../prover/bench/benchRuns.ts";
import { benchText, comparable, ratioOf } from "../../prover/bench/benchText.ts";
import { clientCommand, readMtu, serverCommand, throughput } from "../../prover/bench/iperf.ts";

const run = (mode: string, gbits: number[], takenAt = "2026-11-21T10:00:00.000Z"): BenchRun => ({
  ...{ mode, simulated: true, cilium: "1.20.2", routing: "tunnel", from: "dev-worker", to: "dev-worker2" },
  ...{ mtu: 1420, seconds: 5, gbits, takenAt },
});

test("mean and deviation of the sample", () => {
  expect(statistics([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({ mean: 5, deviation: expect.closeTo(2.138, 3) });
  expect(statistics([3])).toEqual({ mean: 3, deviation: null });
});

describe("iperf3", () => {
  test("what the receiver counted", () => {
    expect(throughput(JSON.stringify({ end: { sum_received: { bits_per_second: 1.25e9 } } }))).toBe(1.25);
  });
  test.each([
    ['{"error":"unable to connect to server: Connection refused"}', "unable to connect to server: Connection refused"],
    ['{"end":{"sum_received":{"bits_per_second":5}},"error":"interrupted"}', "interrupted"],
    ['{"end":{}}', "iperf3 counted nothing"],
    ["", "iperf3 said nothing"],
    ["sh: iperf3: not found\n", "sh: iperf3: not found"],
  ])("%s", (output, failed) => {
    expect(throughput(output)).toEqual({ failed });
  });
  test("its buffer is where a read-only pod can write, and it ends by itself", () => {
    for (const command of [serverCommand(1, 60), clientCommand("::1", 1, 5)])
      expect(command[2]).toContain("TMPDIR=/dev/shm");
    expect(serverCommand(1, 60)).toEqual(expect.arrayContaining(["timeout", "60"]));
  });
  test("the MTU of the pod's device", () => {
    expect(readMtu('[{"ifname":"eth0","mtu":1370}]')).toBe(1370);
    expect(readMtu('Device "eth0" does not exist.')).toBeNull();
  });
});

describe("what is kept", () => {
  test("one run of each mode, the newest first", () => {
    const both = withRun({ schema: 1, runs: [run("none", [3])] }, run("wireguard", [1]));
    const again = withRun(both, run("none", [4]));
    expect(again.runs.map(({ mode, gbits }) => [mode, ...gbits])).toEqual([
      ["none", 4],
      ["wireguard", 1],
    ]);
  });
  test("a file that is not there, or not ours, holds none", () => {
    const folder = mkdtempSync(join(tmpdir(), "bench-"));
    try {
      const file = join(folder, "bench.json");
      expect(readBenchRuns(file).runs).toEqual([]);
      writeFileSync(file, '{"schema":2,"runs":[]}');
      expect(readBenchRuns(file).runs).toEqual([]);
      const kept = withRun({ schema: 1, runs: [] }, run("ipsec", [1, 2]));
      writeFileSync(file, JSON.stringify(kept));
      expect(readBenchRuns(file)).toEqual(kept);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a comparison", () => {
  const runs = { schema: 1 as const, runs: [run("wireguard", [1, 1.2]), run("ipsec", [2]), run("none", [4.4])] };
  const wireguard = run("wireguard", [1, 1.2]);
  test("is with the newest of another mode, or the one asked for, never with itself", () => {
    expect(comparable(runs, wireguard)?.mode).toBe("ipsec");
    expect(comparable(runs, wireguard, "none")?.mode).toBe("none");
    expect(comparable(runs, wireguard, "wireguard")).toBeNull();
    expect(ratioOf(wireguard, run("none", [4.4]))).toBeCloseTo(0.25);
  });
  test("as a table, which says in rehearsal what it is worth", () => {
    expect(benchText(wireguard, run("none", [4.4]))).toMatchSnapshot();
    expect(benchText({ ...wireguard, simulated: false }, null)).not.toContain("rehearsal");
  });
});
