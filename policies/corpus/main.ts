// `make corpus`: every labelled fixture, what the rules say of it, and which rules nothing else would stand in for.
import { RULES } from "../rules/index.ts";
import { findingsOf, fixtures, namesOf } from "./fixture.ts";

const all = fixtures().map((fixture) => {
  const findings = findingsOf(RULES, fixture);
  const [by, undecided] = [namesOf(findings, "refused"), namesOf(findings, "undecided")];
  const [wanted, open] = [fixture.refused.toSorted(), (fixture.undecided ?? []).toSorted()];
  return {
    fixture,
    by,
    undecided,
    wanted,
    open,
    right: by.join() === wanted.join() && undecided.join() === open.join(),
  };
});

for (const { fixture, by, undecided, wanted, open, right } of all)
  console.log(
    `${right ? "ok" : "!!"} ${fixture.name}: ${said(by, undecided)}${right ? "" : `; it should: ${said(wanted, open)}`}`,
  );

console.log("\nwithout the rule | let through");
const blind = RULES.filter(({ name }) => {
  const through = all.filter(({ by }) => by.length === 1 && by[0] === name);
  console.log(`${name} | ${through.length}`);
  return through.length === 0;
});

const refuse = all.filter(({ wanted }) => wanted.length > 0);
const pass = all.filter(({ wanted }) => wanted.length === 0);
const accepted = refuse.filter(({ by }) => by.length === 0).length;
const rejected = pass.filter(({ by }) => by.length > 0).length;
const wrong = all.filter(({ right }) => !right).length;
console.log(
  `\n${all.length} fixtures: ${refuse.length} to refuse, ${pass.length} to pass; ${accepted} false accepts, ${rejected} false rejects, ${wrong - accepted - rejected} refused by other rules than declared; rules that no fixture needs: ${blind.map(({ name }) => name).join(", ") || "none"}`,
);
process.exitCode = wrong + blind.length > 0 ? 1 : 0;

function said(by: readonly string[], undecided: readonly string[]): string {
  const refused = by.length === 0 ? "passes" : `refused by ${by.join(", ")}`;
  return undecided.length === 0 ? refused : `${refused}, undecided by ${undecided.join(", ")}`;
}
