/** What became of one rotation under traffic. */
export interface Rotated {
  number: number;
  from: number;
  to: number;
  code: number;
  verdict: string | undefined;
  /** One that was tried while the last one was surely in flight was refused with the time to wait; null where none surely was. */
  refusedTooEarly: boolean | null;
  /** Readable packets past the guard, by our own capture and by the watch. */
  leaked: number;
  sample: string[];
  blind: string | undefined;
  /** Of the watch; undefined where there was none. */
  watched: { complete: boolean; leaked: number; broken: number; kept: number; longestGapMs: number } | undefined;
  /** Keys in use on a node, each change of their number. */
  keysInUse: number[];
  /** SPIs on the wire, in the order in which they were first seen. */
  spis: number[];
  seconds: number;
  said: string;
  at: string;
}

/** Whether the number of keys in use doubled and came back. */
export function doubled(keysInUse: readonly number[]): boolean {
  const [first = 0] = keysInUse;
  return first > 0 && keysInUse.includes(2 * first) && keysInUse.at(-1) === first;
}

/** Whether the wire went from the old key to the new one and not back. */
export function moved({ spis, from, to }: Rotated): boolean {
  return spis.join() === `${from},${to}`;
}

/** A line for each rotation. */
export function rotationTable(results: readonly Rotated[]): string {
  const head = [
    "key",
    "leaked",
    "broken",
    "longest gap, ms",
    "keys in use",
    "SPIs on the wire",
    "too early was refused",
  ];
  const lines = results.map((each) => [
    `${each.from} -> ${each.to}`,
    String(each.leaked + (each.watched?.leaked ?? 0)),
    each.watched ? `${each.watched.broken} of ${each.watched.broken + each.watched.kept}` : "-",
    each.watched ? String(Math.round(each.watched.longestGapMs)) : "-",
    each.keysInUse.join(", "),
    each.spis.join(", "),
    each.refusedTooEarly === null ? "-" : each.refusedTooEarly ? "yes" : "no",
  ]);
  return [head, head.map(() => "---"), ...lines].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/** Everything that is not as it should be, a line each. */
export function rotationComplaints(results: readonly Rotated[]): string[] {
  return results.flatMap((each) => {
    const { from, to, code, verdict, said, leaked, sample, blind, watched, keysInUse } = each;
    const wrong: [boolean, string][] = [
      [code !== 0 || verdict !== "proven", `ended with ${code}, ${verdict}: ${said}`],
      [leaked > 0, `${leaked} packets leaked, such as ${sample[0]}`],
      [blind !== undefined, `the capture could have missed a leak: ${blind}`],
      [watched === undefined, "no change was watched"],
      [watched?.complete === false, "the watch is incomplete"],
      [(watched?.leaked ?? 0) > 0, `the watch saw ${watched?.leaked} packets leak`],
      [(watched?.broken ?? 0) > 0, `${watched?.broken} connections broke`],
      [!doubled(keysInUse), `the keys in use were ${keysInUse.join(", ")}`],
      [!moved(each), `the SPIs on the wire were ${each.spis.join(", ")}`],
      [each.refusedTooEarly === false, "one that came too early was not refused"],
    ];
    return wrong.flatMap(([holds, what]) => (holds ? [`rotation ${from} -> ${to}: ${what}`] : []));
  });
}

/** One line for all. */
export function rotationSummary(results: readonly Rotated[]): string {
  const sum = (of: (each: Rotated) => number): number => results.reduce((total, each) => total + of(each), 0);
  const leaked = sum((each) => each.leaked + (each.watched?.leaked ?? 0));
  const broken = sum(({ watched }) => watched?.broken ?? 0);
  const wraps = results.some(({ from, to }) => from === 15 && to === 1) ? " with the step from 15 to 1" : "";
  return `rotations: ${results.length}${wraps}, leaked: ${leaked}, broken: ${broken}`;
}
