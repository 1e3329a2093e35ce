import { randomBytes } from "node:crypto";
import type { FlowSeen } from "./observation.ts";
import type { Pair } from "./pairs.ts";

/** One marker that one node's workload sends to another's, again and again, and gets back. */
export interface Marker extends Pair {
  kind: FlowSeen["kind"];
  protocol: FlowSeen["protocol"];
  text: string;
}

/** Where a marker is sent to. */
export type Target = Pick<Marker, "protocol" | "text"> & { address: string };

/** What became of a marker. */
export type Sent = Pick<FlowSeen, "sent" | "returned">;

const PREFIX = "wirecloak-";

/** Nobody else's traffic holds it: 128 random bits after a word to search for. It fits into one packet. */
export function markerText(random = randomBytes(16)): string {
  return PREFIX + random.toString("hex");
}

/** A port that neither Cilium nor Kubernetes nor the kernel gives out (node ports begin at 30000, ephemeral ones at 32768). */
export function markerPort(random = randomBytes(2)): number {
  return 20_000 + (random.readUInt16BE() % 9_000);
}

/** A marker of its own for each pair, protocol and kind. `node` asks whether both sides encrypt what their nodes send. */
export function plannedMarkers(
  pairs: readonly Pair[],
  node: (pair: Pair) => boolean,
  text: () => string = markerText,
): Marker[] {
  return pairs.flatMap((pair) =>
    (node(pair) ? (["pod", "node"] as const) : (["pod"] as const)).flatMap((kind) =>
      (["tcp", "udp"] as const).map((protocol) => ({ ...pair, kind, protocol, text: text() })),
    ),
  );
}

/** Markers that one command sends at most: its arguments travel in a URL, and proxies take some kilobytes of it. */
export const IN_ONE = 24;

/** How often one is sent in a round at most, so that a network that loses packets still answers. */
const ATTEMPTS = 5;

/** Sockets that a pod has open at once, for its memory's sake. */
const AT_ONCE = 16;

/** Seconds that one attempt may take. */
const PATIENCE = 3;

/**
 * Sends every marker in rounds, until `seconds` have passed, at least once. Targets are arguments and never part of the script.
 * A line each: `sent MARKER` before an attempt, `returned MARKER` when it came back.
 */
const SCRIPT = `seconds=$1 port=$2
shift 2
through() {
  case $2 in *:*) family=6 host="[$2]" ;; *) family=4 host=$2 ;; esac
  case $1 in
  tcp) printf %s "$3" | timeout ${PATIENCE} socat -t 1 - "TCP$family:$host:$port,connect-timeout=2" 2>/dev/null ;;
  udp) printf %s "$3" | timeout ${PATIENCE} socat -t 0.5 - "UDP$family:$host:$port" 2>/dev/null ;;
  esac
}
try() {
  attempt=0
  while [ $attempt -lt ${ATTEMPTS} ]; do
    [ $attempt -eq 0 ] || sleep 0.5
    attempt=$((attempt + 1))
    echo "sent $3"
    if [ "$(through "$1" "$2" "$3")" = "$3" ]; then
      echo "returned $3"
      return
    fi
  done
}
round() {
  started=0
  while [ $# -ge 3 ]; do
    try "$1" "$2" "$3" &
    shift 3
    started=$((started + 1))
    [ $((started % ${AT_ONCE})) -ne 0 ] || wait
  done
  wait
}
end=$(($(date +%s) + seconds))
while :; do
  round "$@"
  [ "$(date +%s)" -lt "$end" ] || break
  sleep 1
done`;

/** The commands by which one pod sends its markers, each with those that it sends; they may run at once. */
export function markerCommands<T extends Target>(
  seconds: number,
  port: number,
  targets: readonly T[],
): { command: string[]; targets: T[] }[] {
  const batches = Array.from({ length: Math.ceil(targets.length / IN_ONE) }, (_, index) =>
    targets.slice(index * IN_ONE, (index + 1) * IN_ONE),
  );
  return batches.map((batch) => ({
    command: [
      ...["sh", "-c", SCRIPT, "markers", String(seconds), String(port)],
      ...batch.flatMap(({ protocol, address, text }) => [protocol, address, text]),
    ],
    targets: batch,
  }));
}

/** Milliseconds that such a command can take where nobody answers, and some for the way. */
export function markerTimeout(seconds: number): number {
  const round = Math.ceil(IN_ONE / AT_ONCE) * ATTEMPTS * (PATIENCE + 1);
  return 1000 * (seconds + round + 10);
}

/** Counts what such commands printed, by marker. */
export class MarkerLog {
  private readonly counts = new Map<string, Sent>();

  /** Reads the output of one command, cut anywhere. */
  reader(): (text: string) => void {
    let rest = "";
    return (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.note(line);
    };
  }

  private note(line: string): void {
    const [word, marker] = line.split(" ");
    if (marker === undefined || (word !== "sent" && word !== "returned")) return;
    const count = this.counts.get(marker) ?? { sent: 0, returned: 0 };
    count[word]++;
    this.counts.set(marker, count);
  }

  of(marker: string): Sent {
    return this.counts.get(marker) ?? { sent: 0, returned: 0 };
  }
}
