import { allChecks } from "../../prover/checks/checks.ts";
import { judge } from "../../prover/judge.ts";
import { notEncrypted } from "../../prover/notEncrypted.ts";
import type { Observation } from "../../prover/observation.ts";
import { type Report, reportOf } from "../../prover/report.ts";
import { statusText } from "../../prover/status.ts";
import { CASES, type Case, healthy, intentFor } from "./proverTroubles/healthy.ts";
import { agent } from "./proverTroubles/trouble.ts";
import { healthyOnWire, passedBy, plainPackets, type WireCase } from "./proverTroubles/wire.ts";

function report(name: Case, count = 4, spoil: (seen: Observation) => void = () => {}, simulated = false): Report {
  const intent = { ...intentFor(name, count), simulated };
  const seen = healthy(name, count);
  spoil(seen);
  return reportOf(intent, seen, judge(intent, seen, allChecks), { requests: 14, seconds: 1.25 });
}

test.each(CASES)("the tree of a healthy cluster, %s", (name) => {
  expect(statusText(report(name))).toMatchSnapshot();
});

test("the tree of a cluster in trouble names node, evidence and what to do", () => {
  const text = statusText(
    report("ipsec", 4, (seen) => {
      agent(seen, 1).encryption = { silent: "did not answer within 20 s" };
      agent(seen, 2).revision = "0000";
    }),
  );
  expect(text).toMatchSnapshot();
});

test("a simulated cluster is called so with every verdict", () => {
  for (const name of CASES) {
    const { statement, simulated } = report(name, 4, undefined, true);
    expect(simulated).toBe(true);
    expect(statement).toMatch(/^not proven \(in rehearsal\): /);
  }
  expect(report("wireguard", 4, (seen) => seen.agents.pop(), true).statement).toMatch(/^failed \(in rehearsal\): /);
});

test("a cluster whose node says that it is simulated is called so, whatever the settings say", () => {
  const { statement, simulated } = report("wireguard", 4, (seen) => {
    for (const node of seen.nodes.slice(0, 1)) node.simulated = true;
  });
  expect(simulated).toBe(true);
  expect(statement).toMatch(/^not proven \(in rehearsal\): /);
  expect(report("wireguard").simulated).toBe(false);
});

test("of many nodes only those with something to say are listed, and one sentence tells of all", () => {
  const text = statusText(
    report("wireguard", 100, (seen) => {
      for (let index = 40; index < 60; index++) agent(seen, index).revision = "0000";
    }),
  );
  expect(text).toContain("80 of 100 nodes agree with the settings");
  expect(text).toContain(
    "dev-worker40, dev-worker41, dev-worker42, dev-worker43, dev-worker44 and 15 more nodes: its Cilium agent is of an older revision",
  );
  expect(text.split("\n").filter((line) => line.includes("!! "))).toHaveLength(10);
});

test("no encryption is never called by a better name", () => {
  expect(report("none").statement).toBe("not proven: not encrypted, as configured");
  expect(report("none").notEncrypted).toEqual([expect.stringContaining("all traffic between nodes")]);
});

test.each([
  ["wireguard", {}, /node encryption is off/],
  ["wireguard with node encryption", {}, /of dev-control-plane: opted out/],
  ["ipsec", {}, /in WireGuard mode only/],
  ["wireguard", { strict: false }, /strict mode is off/],
  ["wireguard", {}, /same node/],
  ["wireguard", {}, /leaves the cluster/],
] as const)("what stays plain is said: %s %o", (name, settings, said) => {
  expect(notEncrypted({ ...intentFor(name), ...settings }, healthy(name)).join("\n")).toMatch(said);
});

test("strict mode is not said to be off where it is on", () => {
  expect(notEncrypted({ ...intentFor("ipsec"), strict: true }, healthy("ipsec")).join("\n")).not.toMatch(/strict/);
});

function wireReported(name: Case, spoil: (wireCase: WireCase) => void = () => {}): Report {
  const wireCase = healthyOnWire(name);
  spoil(wireCase);
  const { intent, seen } = wireCase;
  return reportOf(intent, seen, judge(intent, seen, allChecks), { requests: 14, seconds: 1.25 });
}

test.each(CASES)("the tree of a healthy cluster with its packets seen, %s", (name) => {
  expect(statusText(wireReported(name))).toMatchSnapshot();
});

test("a proof says what it rests on", () => {
  const report = wireReported("wireguard");
  expect(report.statement).toBe(
    "proven: 12 node pairs, 0 readable packets at 5 places of capture, 192 encrypted; each place saw its control",
  );
  expect(report.wire).toEqual({
    vantages: { total: 5, silent: 0 },
    pairs: { total: 12, tested: 12, sample: null },
    packets: { plaintext: 0, ciphertext: 192 },
    strict: null,
    controls: { sent: 48, seen: 48 },
  });
});

test("the proof of a sample says so", () => {
  const { statement } = wireReported("ipsec", ({ wire }) => {
    wire.pairs = { total: 9_900, tested: 12, sample: "each node sends to 3 others" };
  });
  expect(statement).toMatch(/^proven: 12 of 9900 node pairs, /);
});

test("a leak comes first, each packet counted once though two places saw it", () => {
  const report = wireReported("wireguard", ({ wire }) => {
    for (const place of passedBy(wire, 1)) place.plaintext.push(plainPackets({ from: 1, to: 0 }));
  });
  expect(report.statement).toBe("failed: 8 readable packets between nodes");
  expect(statusText(report)).toMatchSnapshot();
});

test("where no node but a place outside is in trouble, the wire is said to be", () => {
  const { statement } = wireReported("wireguard", ({ wire }) => {
    for (const place of wire.vantages) if (place.where === "outside") place.silent = "no such device";
  });
  expect(statement).toBe(
    "not proven: all 4 nodes say WireGuard, as configured, but the wire was not observed as a whole",
  );
});

test("without encryption what can be read is counted, and called as configured", () => {
  const report = wireReported("none");
  expect(report.statement).toBe("not proven: not encrypted, as configured");
  expect(report.wire?.packets).toEqual({ plaintext: 96, ciphertext: 0 });
  expect(report.reasons.join()).toMatch(/96 packets between nodes could be read, as configured/);
});

test("a node that leaks to all the others is one sentence at each form", () => {
  const { reasons } = wireReported("ipsec", ({ wire }) => {
    for (const place of passedBy(wire, 1))
      for (const to of [0, 2, 3]) place.plaintext.push(plainPackets({ from: 1, to }));
  });
  expect(reasons).toEqual([
    expect.stringMatching(
      /^dev-worker1: sent 24 readable packets to dev-control-plane and 2 more, between pods as they are/,
    ),
  ]);
});

describe("of nodes that could not be probed", () => {
  const unprobed = (count: number): Report =>
    wireReported("wireguard", ({ seen }) => {
      if (!seen.wire) throw new Error("nobody looked at the wire");
      const gone = new Set(seen.wire.probes.slice(0, count).map(({ node }) => node));
      for (const probe of seen.wire.probes) if (gone.has(probe.node)) probe.silent = "no such image";
      for (const vantage of seen.wire.vantages) {
        if (vantage.node === null ? count === seen.nodes.length : gone.has(vantage.node)) {
          Object.assign(vantage, { silent: "not probed", complete: false, controls: [], ciphertext: [] });
        }
      }
      for (const flow of seen.wire.flows)
        if (gone.has(flow.from)) Object.assign(flow, { silent: "not probed", returned: 0 });
    });

  test("people read that alone, and the findings keep all that follows from it", () => {
    const report = unprobed(4);
    expect(report.verdict).toBe("not proven");
    expect(report.reasons).toHaveLength(1);
    expect(report.reasons[0]).toContain("no such image");
    expect(report.findings.length).toBeGreaterThan(10);
  });

  test("what the others miss is still told", () => {
    expect(unprobed(1).reasons.join("\n")).toMatch(/bridge|came back|encrypted|control/);
  });
});

test("of a guard that the cloud carries the tree tells what it cannot tell apart, and does not say that there is none", () => {
  const intent = { ...intentFor("wireguard"), guardLimits: ["Readable UDP passes."] };
  const seen = healthy("wireguard");
  const text = statusText(reportOf(intent, seen, judge(intent, seen, allChecks), { requests: 14, seconds: 1.25 }));
  expect(text).toMatch(/^guard: in security groups.*\n└─ Readable UDP passes\.$/m);
  expect(text).not.toContain("guard: none");
});
