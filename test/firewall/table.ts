import { CORPUS } from "./corpus.ts";
import { type Row, rows } from "./modes.ts";
import { difference, inCloud, isWrong, type Judged, onBridge } from "./renderings.ts";

/** What one rendering does with the whole corpus in one state of a cluster. */
export interface Line extends Omit<Row, "forms"> {
  rendering: "nftables" | "security groups";
  packets: number;
  dropped: number;
  passed: number;
  /** Passed though the bridge drops it, since ports tell nothing of contents; each has a sentence that says so. */
  cannotTell: number;
  /** Dropped though the bridge passes it, since in a cloud all is closed that is not named. */
  closed: number;
  wrong: Judged[];
}

/** A rendering that there is not, with the reason. */
export interface Refused extends Omit<Row, "forms"> {
  rendering: "security groups";
  refused: string;
}

/** Both renderings of every state. */
export function judgements(): (Line | Refused)[] {
  return rows().flatMap((row): (Line | Refused)[] => {
    const { forms, network } = row;
    const bridge = lineOf(row, "nftables", CORPUS.map(onBridge(forms)));
    const refused = refusal(() => inCloud(forms, network));
    const { forms: _, ...state } = row;
    if (refused !== undefined) return [bridge, { ...state, rendering: "security groups", refused }];
    return [bridge, lineOf(row, "security groups", CORPUS.map(inCloud(forms, network)))];
  });
}

function lineOf({ forms, ...state }: Row, rendering: Line["rendering"], judged: Judged[]): Line {
  const passes = ({ found }: Judged) => found === "pass";
  const differs = judged.filter(({ packet }) => difference(packet, forms, state.network) !== undefined);
  const apart = rendering === "nftables" ? [] : differs;
  return {
    ...{ ...state, rendering, packets: judged.length, wrong: judged.filter(isWrong) },
    ...{ dropped: judged.filter((one) => !passes(one)).length, passed: judged.filter(passes).length },
    ...{ cannotTell: apart.filter(passes).length, closed: apart.filter((one) => !passes(one)).length },
  };
}

function refusal(make: () => unknown): string | undefined {
  try {
    make();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** One line a state and rendering. */
export function printed(lines: readonly (Line | Refused)[]): string {
  const head =
    "mode | Cilium | pods in | rendering | packets | dropped | passed | cannot tell | closed | disagreements";
  const rowsOf = lines.map((line) => {
    const state = [line.mode, line.cilium, line.network, line.rendering];
    if ("refused" in line) return [...state, "refused"].join(" | ");
    const { packets, dropped, passed, cannotTell, closed, wrong } = line;
    return [...state, packets, dropped, passed, cannotTell, closed, wrong.length].join(" | ");
  });
  return [head, ...rowsOf].join("\n");
}
