import { allChecks } from "../../prover/checks/checks.ts";
import { judge } from "../../prover/judge.ts";
import { notEncrypted } from "../../prover/notEncrypted.ts";
import type { Observation } from "../../prover/observation.ts";
import { type Report, reportOf } from "../../prover/report.ts";
import { statusText } from "../../prover/status.ts";
import { CASES, type Case, healthy, intentFor } from "./proverTroubles/healthy.ts";
import { agent } from "./proverTroubles/trouble.ts";

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
