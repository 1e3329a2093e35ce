import type { Proof } from "../../prover/evidence/document.ts";
import { summaryOf } from "../../prover/summary.ts";
import { failed, notProven, proven } from "./proverEvidence/proofs.ts";

const mayPass = ({ report }: Proof): boolean => summaryOf(report, null).mayPass;

/** The same proof where each finding that is not proven may or may not pass by itself. */
function withPassing(proof: Proof, passing: (index: number) => boolean): Proof {
  const findings = proof.report.findings.map((finding, index) => ({ ...finding, passing: passing(index) }));
  return { ...proof, report: { ...proof.report, findings } };
}

test("what is proven, or cannot be otherwise, is not worth another proof", () => {
  expect(mayPass(proven())).toBe(false);
  expect(mayPass(failed())).toBe(false);
});

test("a proof is worth another one where all that stands against it may pass by itself", () => {
  expect(mayPass(withPassing(notProven(), () => true))).toBe(true);
  expect(mayPass(withPassing(notProven(), (index) => index > 0))).toBe(false);
});
