import { mustBeHidden } from "../checks/leaks.ts";
import { Capture } from "../wire/capture.ts";
import { controlFrame, nowhere } from "../wire/controlFrame.ts";
import { type Control, octal } from "../wire/controls.ts";
import type { Packet } from "../wire/packet.ts";
import { Sightings, type WireContext } from "../wire/sightings.ts";
import type { Tap } from "../wire/tap.ts";
import type { PlaintextLog } from "./plaintextLog.ts";

/** Bytes of a packet: all that its headers can be, and a message of the streams. */
const SNAP_LENGTH = 256;

/** More than any watch lasts; the place's own limit of time ends it. */
const PACKETS = 2_000_000_000;

/** KiB: where plaintext is allowed there is a lot of it, and a busy machine reads it late. */
const BUFFER = 32_768;

/** Devices of which the packets are kept apart. */
const DEVICES = 1024;

export interface LookoutOptions {
  filter: string;
  context: WireContext;
  /** The modes of this change hide all of an overlay. */
  overlayHidden: boolean;
  /** Node encryption is on before and after: the streams of nodes must be hidden too. */
  nodesHidden: boolean;
  /** Seconds after which it ends by itself. */
  seconds: number;
  log: PlaintextLog;
}

/**
 * One capture that lasts as long as a change. `any` sees all devices of a place between the nodes, each packet where it comes in, before the
 * guard, and where it goes out, past it. On a node's own device only what it sends is seen.
 */
export class Lookout {
  /** Unique: what its packets are kept by. */
  readonly place: string;
  private readonly capture: Capture;
  private readonly tap: Tap;
  private readonly options: LookoutOptions;
  private readonly sightings = new Map<string, Sightings>();
  private readonly devices = new Set<string>();
  private readonly controls = new Map<string, number>();
  private heardAt = 0;
  private context: WireContext;
  private nodeIps: ReadonlySet<string> = new Set();

  /** Starts at once. `place`: a name of its own, for what is seen on one device; with `any` each device is a place. */
  constructor(place: string, device: string, tap: Tap, options: LookoutOptions) {
    this.place = place;
    this.tap = tap;
    this.options = options;
    this.context = options.context;
    this.know(options.context);
    const capture = { device, filter: options.filter, outgoing: device !== "any", seconds: options.seconds };
    this.capture = new Capture(tap, { ...capture, snapLength: SNAP_LENGTH, count: PACKETS, buffer: BUFFER }, (packet) =>
      this.sort(packet),
    );
  }

  /** Null, or why nothing is seen. */
  started(patience: Promise<unknown>): Promise<string | null> {
    return this.capture.started(patience);
  }

  /** It ended before it was told to. */
  get ended(): boolean {
    return this.capture.early;
  }

  /** Whose addresses are which may change while it runs: nodes come. */
  know(context: WireContext): void {
    for (const [key, seen] of this.controlsNow()) this.controls.set(key, (this.controls.get(key) ?? 0) + seen);
    this.context = context;
    this.nodeIps = new Set(context.nodes.flatMap(({ ips }) => ips));
    this.sightings.clear();
  }

  /** Devices on which anything was seen. */
  seen(): ReadonlySet<string> {
    return this.devices;
  }

  /** Milliseconds since the last packet was read. */
  get silence(): number {
    return performance.now() - this.heardAt;
  }

  /** Ends the capture; resolves with why it was not whole, and the packets that the kernel dropped. */
  async end(patience: Promise<unknown>): Promise<{ why: string | null; dropped: number }> {
    const early = this.capture.early;
    await this.tap.end().catch(() => undefined);
    const { complete, dropped } = await this.capture.finished(early, patience);
    this.tap.close();
    const why = complete ? null : early ? "the capture ended early" : "the capture did not say what it had missed";
    return { why, dropped: dropped ?? 0 };
  }

  /** How many of these controls were seen, on the device that each was sent from. */
  controlsSeen(controls: readonly Control[]): number {
    const now = this.controlsNow();
    return controls.reduce((sum, { from, marker }) => {
      const key = `${from}\n${marker}`;
      return sum + (this.controls.get(key) ?? 0) + (now.get(key) ?? 0);
    }, 0);
  }

  close(): void {
    this.tap.close();
  }

  private sort(packet: Packet): void {
    this.heardAt = performance.now();
    const device = packet.at?.device ?? this.place;
    const past = packet.at?.outgoing ?? false;
    const key = `${device}\n${past}`;
    let sightings = this.sightings.get(key);
    if (!sightings) {
      if (this.sightings.size >= DEVICES) return;
      sightings = new Sightings(this.context);
      this.sightings.set(key, sightings);
      this.devices.add(device);
    }
    const plaintext = sightings.add(packet);
    if (!plaintext || !this.isHidden(plaintext, packet)) return;
    this.options.log.add({ time: 1000 * packet.time, place: device, past, from: plaintext.from, to: plaintext.to });
  }

  /** Whether it is of what must be hidden. The proof's own controls go where nobody is, and no bridge carries them on. */
  private isHidden(plaintext: NonNullable<ReturnType<Sightings["add"]>>, { layers }: Packet): boolean {
    if (layers.some(({ dst }) => dst === nowhere.ipv4 || dst === nowhere.ipv6)) return false;
    const { overlayHidden, nodesHidden } = this.options;
    return plaintext.form === "node" ? nodesHidden : mustBeHidden(plaintext, overlayHidden, this.nodeIps);
  }

  /** Those that the sightings of now saw, by device and marker. A port's controls are those that leave by it. */
  private controlsNow(): Map<string, number> {
    return new Map(
      [...this.sightings].flatMap(([key, sightings]) => {
        const [device = "", past] = key.split("\n");
        const own = past === "true" || device === this.place;
        return own
          ? sightings.controlsByMarker().map(({ marker, seen }) => [`${device}\n${marker}`, seen] as const)
          : [];
      }),
    );
  }
}

/** What is known of the place that controls are sent from. */
export interface ControlRoom {
  nodeIp: string;
  podIp: string;
  peerPodIp: string;
  markerPort: number;
}

/** Nobody's: no node takes what is sent to it. */
const NOBODY = "02:00:5e:10:00:01";

const OVERLAY_PORT = { vxlan: 8472, geneve: 6081 };

/** Frames as octal escapes, each behind the device by which it leaves. One that cannot be sent is one that no capture can see, which tells enough. */
const SCRIPT = `while [ $# -gt 1 ]; do
  printf "$2" | timeout 5 socat -u - "INTERFACE:$1" 2>/dev/null
  shift 2
done`;

/** Sends controls out by the ports of a bridge, each towards its node and past any guard. */
export function portControls(controls: readonly Control[], room: ControlRoom): string[] {
  const frames = controls.flatMap(({ from, form, marker }) => [
    from,
    octal(
      controlFrame({
        ...{ form, marker, mac: NOBODY, nodeIp: room.nodeIp, innerSrc: room.podIp, innerDst: room.peerPodIp },
        ...{ markerPort: room.markerPort, overlayPort: form === "bare" ? 0 : OVERLAY_PORT[form] },
      }),
    ),
  ]);
  return ["sh", "-c", SCRIPT, "controls", ...frames];
}
