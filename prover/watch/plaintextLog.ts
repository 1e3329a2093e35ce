/** A readable packet that was seen where none should be. */
export interface Readable {
  /** Milliseconds since 1970. */
  time: number;
  /** A port of the nodes' bridge, or a node's own device: what tells them apart is `Asked.places`. */
  place: string;
  /** Past the guard. */
  past: boolean;
  from: string | null;
  to: string | null;
}

/** What is asked of a log: `since` to `until`, milliseconds since 1970. */
export interface Asked {
  past: boolean;
  since: number;
  until: number;
  /** Absent: all. */
  places?: ReadonlySet<string>;
  from?: string;
  to?: string;
}

/** Milliseconds that are counted as one: a window's edges are as coarse. */
export const STEP = 50;

/** How many readable packets were seen when and where. Its memory grows with the time in which there were any, not with their number. */
export class PlaintextLog {
  private readonly series = new Map<string, Omit<Readable, "time"> & { steps: Map<number, number> }>();

  add({ time, ...where }: Readable): void {
    const key = [where.place, where.past, where.from, where.to].join("\n");
    let series = this.series.get(key);
    if (!series) {
      series = { ...where, steps: new Map() };
      this.series.set(key, series);
    }
    const step = Math.floor(time / STEP);
    series.steps.set(step, (series.steps.get(step) ?? 0) + 1);
  }

  /** Steps that begin in the window: what came before it by less than a step is not counted, what came after by less is. */
  count({ past, since, until, places, from, to }: Asked): number {
    let sum = 0;
    for (const series of this.series.values()) {
      if (series.past !== past || (places && !places.has(series.place))) continue;
      if ((from !== undefined && series.from !== from) || (to !== undefined && series.to !== to)) continue;
      for (const [step, packets] of series.steps) if (step * STEP >= since && step * STEP < until) sum += packets;
    }
    return sum;
  }
}
