// time.ParseDuration of Go, which Cilium's agent reads durations with.
const GO_DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/;
const UNIT_SECONDS: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** Whether a text is a Go duration such as `1h30m`. */
export function isDuration(text: string): boolean {
  return GO_DURATION.test(text);
}

/** The seconds of a Go duration. */
export function secondsOf(duration: string): number {
  const parts = [...duration.matchAll(/([\d.]+)([a-zµ]+)/g)];
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNIT_SECONDS[unit] ?? 0), 0);
}
