import { evidenceOf } from "../../prover/evidence/document.ts";
import { pageOf } from "../../prover/evidence/html/page.ts";
import { readGuard } from "../../prover/guard.ts";
import { guardLine } from "../../prover/guardReport.ts";
import { parseIntent } from "../../prover/intent.ts";
import { judged, proven } from "./proverEvidence/proofs.ts";
import { guardInForce } from "./proverTroubles/guard.ts";
import { intentFor } from "./proverTroubles/healthy.ts";

const plan = (script: string) => ({ command: ["sh", "-c", script], input: "the order", forms: ["wireguard"] });

describe("asking for the guard", () => {
  test.each<[string, string, object]>([
    ["in force", `cat >/dev/null; echo '${JSON.stringify(guardInForce())}'`, { said: guardInForce() }],
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
