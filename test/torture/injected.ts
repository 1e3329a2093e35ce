import { type GoodEnd, INJECTIONS, type PlannedInjection } from "./injections.ts";
import { laneName } from "./matrix.ts";

/** What the update after an injection came to. */
export type End = GoodEnd | "neither";

/** What became of an injection. */
export interface Injected {
  number: number;
  kind: string;
  what: string;
  /** How it was declared to end. */
  ends: readonly GoodEnd[];
  /** The update that it happened to went through all the same. */
  wentThrough: boolean;
  /** Readable packets that our own capture saw past the guard, from before the update until after the next one. */
  leaked: number;
  /** The first of them. */
  sample: string[];
  /** Why the capture could have missed some; undefined where it could not. */
  blind: string | undefined;
  end: End;
  /** What a person was told, or what went wrong. */
  said: string;
  seconds: number;
  at: string;
}

/** Seconds, node and change of an injection, in words. */
export function injectionName({ injection, transition, pace, lane, node }: PlannedInjection, after: number): string {
  return `${injection.kind} ${after.toFixed(1)} s into ${transition.name}, ${pace}, ${laneName(lane)}, node ${node}`;
}

/** What an update that failed tells a person to do: the first error of ours in its output, with its way out; undefined where it gives none. */
export function toldBy(output: string): string | undefined {
  const plain = output.replaceAll(ESCAPES, "");
  const errors = plain.split(/\n(?=\s*(?:wirecloak:[\w.]+|rehearsal|Error|error:))/);
  const told = errors.find((each) => /\bfix: +\S/.test(each));
  return told?.trim().slice(0, 600);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is how colours are written.
const ESCAPES = /\u001b\[[0-9;]*m/g;

/** A line for each kind. */
export function injectionTable(results: readonly Injected[]): string {
  const head = [
    ...["what goes wrong", "must end", "injections", "leaked", "the update went through"],
    ...["recovered", "told", "neither"],
  ];
  const lines = INJECTIONS.flatMap(({ kind, what }) => {
    const of = results.filter((result) => result.kind === kind);
    const ended = (end: End): number => of.filter((result) => result.end === end).length;
    const allowed = [...new Set(of.flatMap(({ ends }) => ends))].sort();
    const leaked = of.reduce((sum, result) => sum + result.leaked, 0);
    const through = of.filter(({ wentThrough }) => wentThrough).length;
    const counts = [of.length, leaked, through, ended("recovered"), ended("told"), ended("neither")];
    return of.length === 0 ? [] : [[`${kind}: ${what}`, allowed.join(" or "), ...counts.map(String)]];
  });
  const rule = head.map((_, index) => (index < 2 ? "---" : "---:"));
  return [head, rule, ...lines].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/** Everything that is not as it was declared, a line each. */
export function injectionComplaints(results: readonly Injected[]): string[] {
  return results.flatMap(({ number, what, ends, leaked, sample, blind, end, said }) => {
    const about = `${number}: ${what}`;
    return [
      ...(leaked > 0 ? [`${about}: ${leaked} packets leaked, such as ${sample[0]}`] : []),
      ...(blind !== undefined ? [`${about}: the capture could have missed a leak: ${blind}`] : []),
      ...(ends.some((each) => each === end) ? [] : [`${about}: ${end}, not ${ends.join(" or ")}: ${said}`]),
    ];
  });
}

/** The last line. */
export function injectionSummary(results: readonly Injected[]): string {
  const ended = (end: End): number => results.filter((result) => result.end === end).length;
  const leaked = results.reduce((sum, result) => sum + result.leaked, 0);
  return `injections: ${results.length}, leaked: ${leaked}, recovered: ${ended("recovered")}, told: ${ended("told")}, neither: ${ended("neither")}`;
}
