import { evidenceOf } from "../../prover/evidence/document.ts";
import { pageOf } from "../../prover/evidence/html/page.ts";
import { readGuard } from "../../prover/guard.ts";
import { guardLine } from "../../prover/guardReport.ts";
import { parseIntent } from "../../prover/intent.ts";
import type { RulesSeen } from "../../prover/observation.ts";
import { statusText } from "../../prover/status.ts";
import { judged, proven } from "./proverEvidence/proofs.ts";
import { guardInCloud, guardInForce } from "./proverTroubles/guard.ts";
import { intentFor } from "./proverTroubles/healthy.ts";

const plan = (script: string) => ({ command: ["sh", "-c", script], input: "the order", forms: ["wireguard"] });

describe("asking for the guard", () => {
  test.each<[string, string, object]>([
    ["in force", `cat >/dev/null; echo '${JSON.stringify(guardInForce())}'`, { said: guardInForce() }],
    [
      "in force, carried by a cloud",
      `cat >/dev/null; echo '${JSON.stringify(guardInCloud(["10.0.0.1"]))}'`,
      { said: guardInCloud(["10.0.0.1"]) },
    ],
    ["none", "echo null", { said: null }],
    ["gets the order", `read -r order <&0 || true; [ "$order" = "the order" ] && echo null`, { said: null }],
    ["no nft", "echo 'nft is not there' >&2; exit 1", { silent: "nft is not there" }],
    ["no words", "exit 3", { silent: "ended with 3" }],
    ["another program", "echo '{}'", { silent: expect.stringMatching(/^no answer that can be read/) }],
  ])("%s", async (_, script, answer) => {
    expect(await readGuard(plan(script))).toEqual(answer);
  });

  test("by a program that is not there", async () => {
    const answer = await readGuard({ ...plan(""), command: ["/no/such/program"] });
    expect(answer).toEqual({ silent: expect.stringContaining("ENOENT") });
  });
});

describe("the guard in the evidence", () => {
  function proof(dropped: number) {
    const made = proven("wireguard", {
      worsen: ({ intent, seen }) => {
        intent.guard = plan("");
        const after = guardInForce();
        if (after.dropped.overlay) after.dropped.overlay.packets += dropped;
        seen.guard = { before: { said: guardInForce() }, after: { said: after } };
      },
    });
    return judged(made);
  }

  test("has its counters before and after the test traffic", () => {
    const evidence = evidenceOf(proof(0));
    expect(evidence.verdict).toBe("proven");
    expect(evidence.guard).toMatchObject({ standing: "in force", forms: ["wireguard"], digest: "0123456789abcdef" });
    expect(evidence.guard?.drops).toContainEqual(
      expect.objectContaining({ name: "overlay", plaintext: true, before: 3, after: 3 }),
    );
    expect(pageOf(evidence, "0")).toContain("Packets that the guard dropped");
  });

  test("names the counter that makes a proof fail", () => {
    const made = proof(2);
    expect(made.report.verdict).toBe("failed");
    expect(made.report.reasons[0]).toMatch(
      /the guard dropped 2 packets that should have been encrypted: VXLAN.*no capture at a node saw them.*counter overlay, 3 before the test traffic and 5 after/,
    );
    expect(pageOf(evidenceOf(made), "0")).toMatch(/label bad[^>]*>.*2</);
  });

  test("is in one line of the status", () => {
    expect(guardLine(proof(0).report.guard)).toBe(
      "guard: in force, lets pass wireguard; 3 packets dropped so far that could be read",
    );
    expect(guardLine({ standing: "off", forms: [], digest: null, drops: [] })).toBe("guard: off");
    expect(guardLine(null)).toMatch(/^guard: none/);
  });

  test("is none in the intent of a stack from before there were guards", () => {
    const { guard: _, ...older } = intentFor("wireguard");
    expect(parseIntent(JSON.stringify(older), "test").guard).toBeNull();
  });
});

describe("a guard that a cloud carries", () => {
  const AT = "2026-11-21T10:00:01.000Z";
  function proof(change: (rules: RulesSeen, names: string[], addresses: string[]) => void = () => undefined) {
    const made = proven("wireguard", {
      worsen: ({ intent, seen }) => {
        intent.guard = plan("");
        intent.guardLimits = ["Readable UDP passes."];
        const addresses = seen.nodes.flatMap((node) => node.addresses);
        const told = guardInCloud(addresses);
        change(
          told.rules,
          seen.nodes.map(({ name }) => name),
          addresses,
        );
        told.intact = told.rules.faults.length === 0;
        seen.guard = { before: { said: told }, after: { said: told } };
      },
    });
    return judged(made);
  }
  const rule = { kind: "missing", rule: "wireguard-udp-51871-to-nodes", node: null, address: null } as const;
  const missing = { ...rule, what: "security group rule X is missing", evidence: "rules of sg-1", fix: "put it back" };

  test("is in force as the cloud told, at a time, in status and evidence", () => {
    const made = proof();
    expect(made.report.verdict).toBe("proven");
    expect(statusText(made.report)).toContain(
      `guard: in force, as AWS told at ${AT}; security groups let pass wireguard, and see no contents\n└─ Readable UDP passes.`,
    );
    const evidence = evidenceOf(made);
    expect(evidence.guard).toMatchObject({ standing: "in force", drops: [], told: { by: "AWS", at: AT } });
    const page = pageOf(evidence, "0");
    expect(page).toContain(`That is as AWS told at ${AT}`);
    expect(page).toContain(`Whether they are in force is said above, as AWS told at ${AT}`);
    expect(page).not.toContain("Nobody told");
    // Nothing is counted there, so nothing is said of counts.
    expect(page).not.toContain("Packets that the guard dropped");
  });

  test("is not in force without a rule, and the reason names it, who told and what to do", () => {
    const { report } = proof((rules) => rules.faults.push(missing));
    expect(report).toMatchObject({ verdict: "failed", guard: { standing: "changed" } });
    expect(report.reasons).toEqual([
      `the guard is not in force: security group rule X is missing [rules of sg-1, as AWS told at ${AT}]; put it back`,
    ]);
    expect(guardLine(report.guard)).toMatch(/^guard: not in force, as AWS told/);
  });

  test("names the nodes that it does not hold as the cluster does, and machines that are no nodes as AWS does", () => {
    const what = "is also in security group sg-2 (legacy)";
    const of = (node: string, address: string) => ({ ...missing, kind: "node" as const, node, address, what });
    let name = "";
    const { report } = proof((rules, names, addresses) => {
      name = names[1] ?? "";
      rules.faults.push(of("ip-10-0-0-1", addresses[1] ?? ""), of("ip-10-0-0-9", "10.0.0.9"));
    });
    expect(report.reasons.map((reason) => reason.split(" [")[0])).toEqual([`${name}: ${what}`, `ip-10-0-0-9 ${what}`]);
    expect(report.nodes.filter(({ verdict }) => verdict === "contradicts").map((node) => node.name)).toEqual([name]);
  });

  test("that could not be asked is unknown, and nothing is proven", () => {
    const made = proven("wireguard", {
      worsen: ({ intent, seen }) => {
        intent.guard = plan("");
        intent.guardLimits = ["Readable UDP passes."];
        seen.guard = { before: { silent: "UnauthorizedOperation" }, after: { silent: "UnauthorizedOperation" } };
      },
    });
    const told = judged(made);
    expect(told.report).toMatchObject({ verdict: "not proven", guard: { standing: "unknown" } });
    expect(told.report.reasons[0]).toContain("UnauthorizedOperation");
    expect(statusText(told.report)).toContain("guard: unknown\n└─ Readable UDP passes.");
    expect(pageOf(evidenceOf(told), "0")).toContain("Nobody told whether they are in force");
  });
});
