import { z } from "zod";
import type { OutsideVantage } from "../intent.ts";
import type { NodeSeen } from "../observation.ts";
import { CONTROL_FRAMES, type Control, plannedControls } from "../wire/controls.ts";
import type { WireContext } from "../wire/sightings.ts";
import { ProcessTap } from "../wire/tap.ts";
import { BEGIN_PATIENCE } from "../wire/vantage.ts";
import type { ChangeVantage } from "./change.ts";
import { Lookout, type LookoutOptions, portControls } from "./lookout.ts";

/** Seconds for the last controls to be seen. Packets come in order, so by then all before them were; what the kernel still holds is lost at the end. A busy machine reads late. */
const GRACE = 45;

/** Milliseconds without a packet after which all that tcpdump had to say has been read. */
const QUIET = 300;

/** Seconds for a capture that was told to end to say what it has missed. */
const END = 30;

/** Seconds after which tcpdump has written whatever the kernel has kept for it: it reads once a second. */
const HELD = 1.5;

const links = z.array(z.looseObject({ ifname: z.string() }));

export interface LookoutsOptions extends LookoutOptions {
  outside: OutsideVantage | null;
  overlay: "vxlan" | "geneve" | null;
  markerPort: number;
  /** Of what the controls are made. */
  rooms: { node: NodeSeen; podIp: string }[];
  /** Seconds for the last controls to be seen. */
  grace?: number;
  sleep: (seconds: number) => Promise<void>;
  say: (line: string) => void;
}

/** All captures of one watch, with their controls. */
export class Lookouts {
  /** By the marker of the control: what a context tells them by. */
  readonly controls: WireContext["controls"] = new Map();
  private readonly options: LookoutsOptions;
  private readonly known = new Map<string, Control[]>();
  private readonly sent = new Map<string, number>();
  private readonly gone = new Set<string>();
  private lookout: Lookout | undefined;
  private silent: string | null = null;
  private taps: ProcessTap[] = [];

  constructor(options: LookoutsOptions) {
    this.options = options;
  }

  async begin(): Promise<void> {
    const { outside, sleep, context } = this.options;
    if (!outside) {
      this.silent = "there is no place between the nodes";
      return;
    }
    await this.refresh(true);
    this.lookout = new Lookout("outside", "any", this.tap(outside), {
      ...this.options,
      context: { ...context, controls: this.controls },
    });
    this.silent = await this.lookout.started(sleep(BEGIN_PATIENCE.outside));
    if (this.silent === null) await this.sendControls([...this.known.keys()]);
  }

  know(context: WireContext): void {
    this.lookout?.know({ ...context, controls: this.controls });
  }

  /** Learns of new ports of the bridge. `first`: whatever was seen. */
  async refresh(first = false): Promise<void> {
    const { outside, overlay } = this.options;
    if (!outside) return;
    const unknown = [...(this.lookout?.seen() ?? [])].some(
      (device) => device !== outside.device && !this.known.has(device) && !this.gone.has(device),
    );
    if (!first && !unknown) return;
    const ports = await this.ports(outside);
    const fresh = ports.filter((port) => !this.known.has(port));
    for (const device of this.lookout?.seen() ?? []) if (!ports.includes(device)) this.gone.add(device);
    const controls = plannedControls(fresh, overlay);
    for (const port of fresh)
      this.known.set(
        port,
        controls.filter(({ from }) => from === port),
      );
    for (const { marker, from, form } of controls)
      (this.controls as Map<string, Omit<(typeof controls)[number], "marker"> & { sent: number }>).set(marker, {
        from,
        form,
        sent: 0,
      });
  }

  /** @param quiet when our own streams are over */
  async end(
    quiet: Promise<unknown>,
  ): Promise<{ vantages: ChangeVantage[]; places: ReadonlySet<string>; failings: string[] }> {
    const { outside, sleep } = this.options;
    const failings: string[] = [];
    let dropped = 0;
    if (outside && this.lookout && this.silent === null) {
      const now = new Set(await this.ports(outside).catch(() => this.known.keys()));
      await this.sendControls([...this.known.keys()].filter((port) => now.has(port)));
      await this.controlsSeen(this.options.grace ?? GRACE);
      await quiet;
      await this.allRead(this.lookout);
      const ended = await this.lookout.end(sleep(END));
      dropped = ended.dropped;
      if (ended.why !== null) failings.push(`${outside.name}: ${ended.why}`);
    } else failings.push(`${outside?.name ?? "the wire"}: ${this.silent ?? "nothing was captured"}`);
    const vantages = [...this.known].map(
      ([port, controls]): ChangeVantage => ({
        ...{ name: port, where: "port", node: null, silent: this.silent },
        controlsSent: this.sent.get(port) ?? 0,
        controlsSeen: this.lookout?.controlsSeen(controls) ?? 0,
        dropped: 0,
      }),
    );
    const [first] = vantages;
    // One capture sees all of them, and counts for all.
    if (first) first.dropped = dropped;
    return { vantages, places: new Set(this.known.keys()), failings };
  }

  /** Waits until every control sent was seen, or for the last one: what tcpdump wrote last is known to be whole only when more comes, or its end. */
  private async controlsSeen(patience: number): Promise<void> {
    const until = Date.now() + 1000 * patience;
    const lacking = (): number =>
      [...this.known]
        .map(([port, controls]) => (this.sent.get(port) ?? 0) - (this.lookout?.controlsSeen(controls) ?? 0))
        .reduce((sum, missing) => sum + Math.max(0, missing), 0);
    while (lacking() > 1 && Date.now() < until && !this.lookout?.ended) await this.options.sleep(0.05);
    if (lacking() === 1) await this.options.sleep(HELD);
  }

  /** Told to end while its output waits to be read, tcpdump ends with EINTR and says nothing of what it has missed. Where others' packets never cease that is a risk. */
  private async allRead(lookout: Lookout): Promise<void> {
    const until = Date.now() + 1000 * GRACE;
    while (lookout.silence < QUIET && Date.now() < until && !lookout.ended) await this.options.sleep(0.05);
  }

  close(): void {
    this.lookout?.close();
    for (const tap of this.taps) tap.close();
  }

  private tap({ command }: OutsideVantage): ProcessTap {
    const tap = new ProcessTap(command);
    this.taps.push(tap);
    return tap;
  }

  private async ports(outside: OutsideVantage): Promise<string[]> {
    let output = "";
    await this.tap(outside).run(["ip", "-j", "link", "show", "master", outside.device], {
      stdout: (text) => {
        output += text;
      },
      stderr: () => {},
    });
    return links.parse(JSON.parse(output || "[]")).map(({ ifname }) => ifname);
  }

  private async sendControls(ports: readonly string[]): Promise<void> {
    const { outside, rooms, markerPort, say } = this.options;
    const [room, peer = room] = rooms;
    if (!outside || !room || !peer) return;
    const controls = ports.flatMap((port) => this.known.get(port) ?? []);
    const where = { nodeIp: room.node.addresses[0] ?? "", podIp: room.podIp, peerPodIp: peer.podIp, markerPort };
    const frames = Array.from({ length: CONTROL_FRAMES }, () => controls).flat();
    for (const { from } of frames) this.sent.set(from, (this.sent.get(from) ?? 0) + 1);
    const quiet = { stdout: () => {}, stderr: () => {} };
    await this.tap(outside)
      .run(portControls(frames, where), quiet)
      .catch((error: Error) => say(`controls: ${error.message}`));
  }
}
