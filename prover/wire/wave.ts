import { CommandError, type ContainerName, type ProbeApi } from "../clusterApi.ts";
import { eachBounded } from "./bounded.ts";
import { CONTROL_FRAMES, CONTROL_TIMEOUT, type Control, controlCommand } from "./controls.ts";
import { IN_ONE, type Marker, MarkerLog, markerCommands, markerTimeout } from "./markers.ts";
import type { ControlSeen, VantageSeen } from "./observation.ts";
import type { Role } from "./podManifest.ts";
import type { ReadyProbe } from "./probe.ts";
import type { ProbePods } from "./probePods.ts";
import type { StrictTest } from "./strict.ts";
import { PodTap } from "./tap.ts";
import { type Place, Vantage, type Watch } from "./vantage.ts";

/** Nodes whose captures start or end, or that send controls, at once. */
const NODES_AT_ONCE = 32;

/** Marker commands at once. */
const COMMANDS_AT_ONCE = 128;

/** Seconds after the last packet was sent: the kernel hands packets to tcpdump up to a second late, and what it holds is lost at the end. */
export const GRACE = 2;

/** Seconds that a wave takes beside its markers, at the most. */
const OVERHEAD = 120;

/** What one run sends, and what became of it. */
export class Traffic {
  readonly controls: readonly Control[];
  readonly log = new MarkerLog();
  private readonly controlsSent = new Map<Control, number>();
  private readonly silences = new Map<Marker, string>();
  private readonly markersOf: ReadonlyMap<string, Marker[]>;

  constructor(controls: readonly Control[], markers: readonly Marker[]) {
    this.controls = controls;
    this.markersOf = Map.groupBy(markers, ({ from }) => from);
  }

  from(node: string): readonly Marker[] {
    return this.markersOf.get(node) ?? [];
  }

  sentControls(node?: string): Omit<ControlSeen, "seen">[] {
    return this.controls
      .filter(({ from }) => node === undefined || from === node)
      .map((control) => ({ from: control.from, form: control.form, sent: this.controlsSent.get(control) ?? 0 }));
  }

  countControls(sent: readonly Control[]): void {
    for (const control of sent) this.controlsSent.set(control, (this.controlsSent.get(control) ?? 0) + CONTROL_FRAMES);
  }

  silence(markers: readonly Marker[], why: string): void {
    for (const marker of markers) this.silences.set(marker, why);
  }

  /** Why a marker was never sent; null where it was. */
  silentOf(marker: Marker): string | null {
    return this.log.of(marker.text).sent > 0 ? null : (this.silences.get(marker) ?? "nothing was sent");
  }
}

export interface Stage {
  api: Pick<ProbeApi, "exec">;
  pods: Pick<ProbePods, "where">;
  /** Every probe that is ready, by its node. */
  probes: ReadonlyMap<string, ReadyProbe>;
  traffic: Traffic;
  markerPort: number;
  /** Null where strict mode is off. */
  strict: StrictTest | null;
  /** Where each node's agent runs. */
  agents: ReadonlyMap<string, ContainerName>;
  /** Seconds for which markers flow at the least. */
  seconds: number;
  watch: Omit<Watch, "seconds">;
  progress: (line: string) => void;
  signal: AbortSignal;
}

/** Seconds after which a wave must be through, whoever does not answer. */
export function waveLimit(markers: number, nodes: number, seconds: number): number {
  // Each node may add one command that is not full, for each kind.
  const commands = markers / IN_ONE + 2 * nodes;
  return Math.ceil((Math.ceil(commands / COMMANDS_AT_ONCE) * markerTimeout(seconds)) / 1000) + OVERHEAD;
}

/** Lets these nodes send their markers while what each of them sends is captured; every capture begins before and ends after. */
export async function wave(stage: Stage, sources: readonly ReadyProbe[]): Promise<VantageSeen[]> {
  const { api, pods, traffic, watch, signal } = stage;
  const markers = sources.reduce((sum, { node }) => sum + traffic.from(node.name).length, 0);
  const limit = waveLimit(markers, sources.length, stage.seconds);
  const vantages = new Map<ReadyProbe, Vantage>();
  try {
    await eachBounded(sources, NODES_AT_ONCE, async (probe) => {
      signal.throwIfAborted();
      const { device } = probe.egress;
      const place: Place = { name: `${probe.node.name} ${device}`, where: "node", node: probe.node.name, device };
      const tap = new PodTap(api, pods.where(probe, "host"), 1000 * (limit + 10));
      const vantage = new Vantage(place, tap, { ...watch, seconds: limit });
      vantages.set(probe, vantage);
      const silent = await vantage.started();
      if (silent !== null) stage.progress(`nothing can be captured at ${place.name}: ${silent}`);
    });
    await sendControls(stage, sources);
    await sendMarkers(stage, sources);
    await sendUnknown(stage, sources);
    await sendControls(stage, sources);
    await watch.sleep(GRACE);
    const seen: VantageSeen[] = [];
    await eachBounded(vantages, NODES_AT_ONCE, async ([probe, vantage]) => {
      seen.push(await vantage.end(traffic.sentControls(probe.node.name)));
    });
    return seen;
  } finally {
    for (const vantage of vantages.values()) vantage.close();
  }
}

async function sendControls(
  { api, pods, probes, traffic, markerPort, signal }: Stage,
  sources: readonly ReadyProbe[],
): Promise<void> {
  await eachBounded(sources, NODES_AT_ONCE, async (probe) => {
    signal.throwIfAborted();
    const own = traffic.controls.filter(({ from }) => from === probe.node.name);
    const command = controlCommand(own, {
      ...probe.egress,
      nodeIp: probe.node.addresses[0] ?? "",
      podIp: probe.podIp,
      peerPodIp: peerOf(probe, probes).podIp,
      markerPort,
    });
    // A control that was not sent is one that no capture can see, which tells enough.
    const sent = await answered(api.exec(pods.where(probe, "host"), command, { timeout: CONTROL_TIMEOUT, signal }));
    if (sent === null) traffic.countControls(own);
  });
}

/** Any other node's probe; itself where there is none. */
function peerOf(probe: ReadyProbe, probes: ReadonlyMap<string, ReadyProbe>): ReadyProbe {
  for (const other of probes.values()) if (other !== probe) return other;
  return probe;
}

/** To an address that no node holds: strict mode must stop it. */
async function sendUnknown(
  { api, pods, strict, agents, markerPort: port, signal }: Stage,
  sources: readonly ReadyProbe[],
): Promise<void> {
  if (strict === null) return;
  await eachBounded(sources, NODES_AT_ONCE, async (probe) => {
    signal.throwIfAborted();
    const { name } = probe.node;
    const where = { node: name, talker: pods.where(probe, "talker"), agent: agents.get(name) ?? null, port };
    await strict.send(api, where, signal);
  });
}

async function sendMarkers(stage: Stage, sources: readonly ReadyProbe[]): Promise<void> {
  const { api, pods, traffic, markerPort, seconds, signal } = stage;
  const sendings = sources.flatMap((probe) => sendingsOf(stage, probe));
  await eachBounded(sendings, COMMANDS_AT_ONCE, async ({ probe, role, markers, command }) => {
    signal.throwIfAborted();
    const stdout = traffic.log.reader();
    const silent = await answered(
      api.exec(pods.where(probe, role), command, { stdout, timeout: markerTimeout(seconds), signal }),
    );
    if (silent !== null) traffic.silence(markers, silent);
  });

  function sendingsOf({ probes }: Stage, probe: ReadyProbe) {
    const own = traffic.from(probe.node.name);
    return (["pod", "node"] as const).flatMap((kind) => {
      const targets = own.flatMap((marker) => {
        const to = probes.get(marker.to);
        if (!to || marker.kind !== kind) return [];
        const address = kind === "pod" ? to.podIp : (to.node.addresses[0] ?? "");
        return [{ marker, protocol: marker.protocol, text: marker.text, address }];
      });
      const role: Role = kind === "pod" ? "talker" : "host";
      return markerCommands(seconds, markerPort, targets).map(({ command, targets }) => ({
        probe,
        role,
        command,
        markers: targets.map(({ marker }) => marker),
      }));
    });
  }
}

/** Null where a command ended well, else why not. */
async function answered(command: Promise<void>): Promise<string | null> {
  try {
    await command;
    return null;
  } catch (error) {
    if (error instanceof CommandError) return `its probe ${error.message}`;
    throw error;
  }
}
