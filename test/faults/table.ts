import type { Verdict } from "../../prover/judge.ts";
import { type Setting, settingName } from "./matrix.ts";

/** What became of one run. */
export interface Outcome {
  setting: Setting;
  name: string;
  label: Verdict;
  verdict: string;
  seconds: number;
}

/** A row for each case, a column for each setting; a cell has how many of its runs were judged rightly. */
export function table(outcomes: readonly Outcome[]): string {
  const cases = [...new Set(outcomes.map(({ name }) => name))].sort(
    (a, b) => order(outcomes, a) - order(outcomes, b) || a.localeCompare(b),
  );
  const settings = [...new Set(outcomes.map(({ setting }) => settingName(setting)))];
  const rows = cases.map((name) => {
    const of = outcomes.filter((outcome) => outcome.name === name);
    const cells = settings.map((setting) => cell(of.filter((outcome) => settingName(outcome.setting) === setting)));
    return [name, of[0]?.label ?? "", ...cells];
  });
  const head = ["case", "right verdict", ...settings];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

const LABELS: readonly Verdict[] = ["proven", "failed", "not proven"];

function order(outcomes: readonly Outcome[], name: string): number {
  const label = outcomes.find((outcome) => outcome.name === name)?.label;
  return label ? LABELS.indexOf(label) : LABELS.length;
}

function cell(outcomes: readonly Outcome[]): string {
  if (outcomes.length === 0) return "-";
  const right = outcomes.filter(({ label, verdict }) => label === verdict).length;
  const wrong = [...new Set(outcomes.flatMap(({ label, verdict }) => (label === verdict ? [] : [verdict])))];
  return `${right}/${outcomes.length}${wrong.length > 0 ? ` (${wrong.join(", ")})` : ""}`;
}

/** The last line: a verdict that is false, either way, is the worst that a prover can give. */
export function summary(outcomes: readonly Outcome[]): string {
  const falsely = (verdict: Verdict): number =>
    outcomes.filter((outcome) => outcome.verdict === verdict && outcome.label !== verdict).length;
  const times = outcomes.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)] ?? 0;
  return [
    "",
    `not proven where another verdict is right: ${falsely("not proven")}; seconds a proof: median ${median.toFixed(1)}, longest ${(times.at(-1) ?? 0).toFixed(1)}`,
    `false proven: ${falsely("proven")}, false failed: ${falsely("failed")}, runs: ${outcomes.length}`,
  ].join("\n");
}
