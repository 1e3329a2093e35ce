import { CommandError, type ProbeApi } from "../clusterApi.ts";
import { Capture, type CaptureEnd } from "../wire/capture.ts";
import { CONTROL_TIMEOUT, type Control, controlCommand, plannedControls } from "../wire/controls.ts";
import { encryptedSnapLength } from "../wire/filters.ts";
import type { Packet } from "../wire/packet.ts";
import type { ReadyProbe } from "../wire/probe.ts";
import type { ProbePods } from "../wire/probePods.ts";
import { PodTap } from "../wire/tap.ts";
import type { Scope } from "./scope.ts";
import type { PlaceSniffed, WireSniffed } from "./sniffed.ts";
import { exampleOf, TextSearch } from "./textSearch.ts";

/** Packets of one capture, for the memory and the time of both sides. */
const PACKETS = 50_000;

/** Seconds for tcpdump to begin, and to end. */
const PATIENCE = 10;

export interface PlaceSettings {
  api: Pick<ProbeApi, "exec">;
  pods: Pick<ProbePods, "where">;
  scope: Scope;
  text: string;
  /** Seconds after which captures end by themselves. */
  limit: number;
  sleep: (seconds: number) => Promise<void>;
}

/** Captures at one device of a node, from their start to their end. */
abstract class SniffPlace {
  protected readonly settings: PlaceSettings;
  protected readonly probe: ReadyProbe;
  protected readonly search: TextSearch;
  private readonly device: string;
  private readonly tap: PodTap;
  private readonly captures: Capture[] = [];
  private silent: string | null = null;
  private over: CaptureEnd = { complete: false, dropped: null };

  constructor(settings: PlaceSettings, probe: ReadyProbe, device: string) {
    this.settings = settings;
    this.probe = probe;
    this.device = device;
    this.search = new TextSearch(settings.text, settings.scope.concerns);
    this.tap = new PodTap(settings.api, settings.pods.where(probe, "host"), 1000 * (settings.limit + 10));
  }

  /** Starts one at once; the first one is the one whose gaps count. */
  protected capture(filter: string, snapLength: number, packet: (packet: Packet) => void, outgoing = false): void {
    const { limit } = this.settings;
    const options = { device: this.device, filter, outgoing, snapLength, count: PACKETS, seconds: limit };
    this.captures.push(new Capture(this.tap, options, packet));
  }

  async started(): Promise<void> {
    const patience = this.settings.sleep(PATIENCE);
    for (const capture of this.captures) this.silent ??= await capture.started(patience);
  }

  async end(): Promise<void> {
    const [counted, ...others] = this.captures;
    const early = counted?.early ?? true;
    const patience = this.settings.sleep(PATIENCE);
    await this.tap.end().catch(() => undefined);
    if (counted) this.over = await counted.finished(early, patience);
    for (const capture of others) await capture.finished(true, patience);
  }

  close(): void {
    this.tap.close();
  }

  seen(): PlaceSniffed {
    return {
      ...{ node: this.probe.node.name, device: this.device, silent: this.silent },
      ...{ complete: this.over.complete, dropped: this.over.dropped ?? 0 },
      ...{ packets: this.search.packets, example: this.search.example },
    };
  }
}

/** A capture at a pod's own device, where its packets are not encrypted yet. */
export class PodPlace extends SniffPlace {
  constructor(settings: PlaceSettings, probe: ReadyProbe, device: string) {
    super(settings, probe, device);
    this.capture(settings.scope.before, 0, (packet) => this.search.add(packet));
  }
}

export interface WireSettings {
  overlay: "vxlan" | "geneve" | null;
  /** Of the controls. */
  port: number;
  signal: AbortSignal;
}

/** Captures where a node's packets leave it, with packets in clear of our own to show that they see. */
export class WirePlace extends SniffPlace {
  private readonly wire: WireSettings;
  private readonly controls: readonly Control[];
  private readonly controlsSeen: TextSearch[];
  private readonly encrypted: WireSniffed["encrypted"] = { packets: 0, example: null };

  constructor(settings: PlaceSettings, probe: ReadyProbe, wire: WireSettings) {
    super(settings, probe, probe.egress.device);
    this.wire = wire;
    this.controls = plannedControls([probe.node.name], wire.overlay);
    this.controlsSeen = this.controls.map(({ marker }) => new TextSearch(marker));
    const { scope } = settings;
    this.capture(
      scope.readable,
      0,
      (packet) => {
        this.search.add(packet);
        for (const search of this.controlsSeen) search.add(packet);
      },
      true,
    );
    this.capture(
      scope.encrypted,
      encryptedSnapLength,
      (packet) => {
        // ESP may be told to use no cipher.
        this.search.add(packet);
        if (!scope.crosses(packet)) return;
        this.encrypted.packets += 1;
        this.encrypted.example ??= exampleOf(packet.layers, packet.bytes);
      },
      true,
    );
  }

  /** One that was not sent is one that no capture can see, which tells enough. */
  async sendControls(): Promise<void> {
    const { api, pods } = this.settings;
    const { egress, node, podIp } = this.probe;
    const sender = { ...egress, nodeIp: node.addresses[0] ?? "", podIp, peerPodIp: podIp, markerPort: this.wire.port };
    try {
      const options = { timeout: CONTROL_TIMEOUT, signal: this.wire.signal };
      await api.exec(pods.where(this.probe, "host"), controlCommand(this.controls, sender), options);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
    }
  }

  override seen(): WireSniffed {
    // Each form at least once: a network may lose one.
    const seen = this.controlsSeen.filter(({ packets }) => packets > 0).length;
    return { ...super.seen(), controls: { sent: this.controls.length, seen }, encrypted: this.encrypted };
  }
}

/** A place at which nothing was captured. */
export function silentPlace(node: string, device: string, silent: string): PlaceSniffed {
  return { node, device, silent, complete: false, dropped: 0, packets: 0, example: null };
}

export function silentWire(node: string, silent: string | null | undefined): WireSniffed {
  return {
    ...silentPlace(node, "?", silent ?? "its probe did not answer"),
    ...{ controls: { sent: 0, seen: 0 }, encrypted: { packets: 0, example: null } },
  };
}
