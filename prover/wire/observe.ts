import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { isIP } from "node:net";
import { setTimeout as timer } from "node:timers/promises";
import type { ContainerName, ProbeApi } from "../clusterApi.ts";
import type { Intent } from "../intent.ts";
import type { NodeSeen, Observation } from "../observation.ts";
import { plannedControls } from "./controls.ts";
import { captureFilters } from "./filters.ts";
import { endingCleanly } from "./interrupted.ts";
import { type Marker, markerPort, plannedMarkers } from "./markers.ts";
import type { FlowSeen, VantageSeen, WireObservation } from "./observation.ts";
import { chosenPairs } from "./pairs.ts";
import { isReady, type Probe, probeSeen, type ReadyProbe } from "./probe.ts";
import { ProbePods } from "./probePods.ts";
import { StrictTest } from "./strict.ts";
import { ProcessTap } from "./tap.ts";
import { BEGIN_PATIENCE, type Place, silentVantage, Vantage } from "./vantage.ts";
import { type Stage, Traffic, wave, waveLimit } from "./wave.ts";

export interface WireOptions {
  /** Folder for what was captured, as pcap files; absent: it is not kept. */
  keep?: string;
  /** Decides the sample of pairs; absent: the run's own random name. */
  seed?: string;
  /** Gets a line for people about what takes long. */
  progress?: (line: string) => void;
  /** Ends the observation; the probe pods are removed before it throws. */
  signal?: AbortSignal;
  /** Seconds until the probe pods must run. */
  patience?: number;
  /** Another sleep than the real one, in seconds, for tests. */
  sleep?: (seconds: number) => Promise<void>;
}

/** Seconds until the pods must run: most of it is for an image that no node has yet. */
const POD_PATIENCE = 90;

/** Nodes that send and capture at the same time: connections and memory have a bound, and time grows with the nodes. */
const WAVE = 100;

/**
 * Makes marker traffic between the nodes and watches the wire: probe pods on every node, captures on what each sends and, where
 * there is such a place, between them. What goes wrong with a node is in the observation; throws a ProverError only where the
 * Kubernetes API cannot be asked. The pods are removed whatever happens.
 */
export function observeWire(
  api: ProbeApi,
  intent: Intent,
  observation: Pick<Observation, "nodes" | "agents">,
  options: WireOptions = {},
): Promise<WireObservation> {
  return endingCleanly(options.signal, (signal) => observe(api, intent, observation, { ...options, signal }));
}

async function observe(
  api: ProbeApi,
  intent: Intent,
  { nodes, agents }: Pick<Observation, "nodes" | "agents">,
  options: WireOptions & { signal: AbortSignal },
): Promise<WireObservation> {
  const { keep, signal, progress = () => {}, sleep = (seconds) => timer(1000 * seconds) } = options;
  const { image, seconds, outside } = intent.proof;
  const run = randomBytes(4).toString("hex");
  const startedAt = new Date();
  const names = nodes.map(({ name }) => name);
  const pairs = chosenPairs(names, intent.proof.pairs, options.seed ?? run);
  const probes = nodes.map((node, index): Probe => {
    return { node, index, podIp: null, egress: null, silent: unfit(node, nodes.length) };
  });
  const optedOut = new Set(agents.filter(optsOut).map(({ node }) => node));
  const markers = plannedMarkers(
    pairs.tested,
    ({ from, to }) => intent.nodeEncryption && !optedOut.has(from) && !optedOut.has(to),
  );
  const strict = intent.strict && intent.encryption !== "none" ? new StrictTest(intent, nodes) : null;
  const seen = (vantages: VantageSeen[], traffic: Traffic): WireObservation => ({
    startedAt: startedAt.toISOString(),
    endedAt: new Date().toISOString(),
    image,
    pairs: { total: pairs.total, tested: pairs.tested.length, sample: pairs.sample },
    probes: probes.map(probeSeen),
    vantages,
    flows: flowsSeen(markers, traffic, probes),
    strict: strict?.result() ?? null,
  });
  if (probes.every(({ silent }) => silent !== null)) return seen([], new Traffic([], []));

  if (keep !== undefined) mkdirSync(keep, { recursive: true });
  const port = markerPort();
  const waves = Math.ceil(nodes.length / WAVE);
  const patience = options.patience ?? POD_PATIENCE;
  const limit =
    patience +
    BEGIN_PATIENCE.outside +
    waves * waveLimit(Math.ceil(markers.length / waves), Math.min(nodes.length, WAVE), seconds);
  const pods = new ProbePods(api, {
    ...{ namespace: `wirecloak-probe-${run}`, image, markerPort: port, hostTalks: intent.nodeEncryption },
    ...{ deadline: limit, patience, progress, sleep, signal },
  });
  try {
    await pods.sweep();
    progress(`starting probe pods on ${probes.filter(({ silent }) => silent === null).length} nodes`);
    await pods.start(probes);
    const ready = probes.filter(isReady);
    const traffic = new Traffic(
      plannedControls(
        ready.map(({ node }) => node.name),
        intent.overlay,
      ),
      markers,
    );
    const stage: Stage = {
      ...{ api, pods, traffic, markerPort: port, strict, seconds, progress, signal },
      agents: new Map(agents.map(({ node, pod }) => [node, agentOf(intent, pod)])),
      probes: new Map(ready.map((probe) => [probe.node.name, probe])),
      watch: {
        filters: captureFilters({ markerPort: port, podCidrs: nodes.flatMap(({ podCidrs }) => podCidrs) }),
        context: {
          nodes: probes.map(({ node, podIp }) => ({
            ...{ name: node.name, ips: node.addresses, podIp, podCidrs: node.podCidrs },
          })),
          markers: new Set([...markers.map(({ text }) => text), ...(strict?.texts ?? [])]),
          controls: new Map(traffic.controls.map(({ marker, from, form }) => [marker, { from, form, sent: 0 }])),
          markerPort: port,
        },
        keep,
        sleep,
      },
    };
    progress(
      `watching the wire for at least ${waves * seconds} s: ${pairs.tested.length} of ${pairs.total} ordered node pairs`,
    );
    const vantages = await watched(stage, ready, outside && { ...outside, seconds: limit });
    return seen(vantages, traffic);
  } finally {
    await pods.remove();
  }
}

/** All waves, one after the other, with a look from outside that spans them all. */
async function watched(
  stage: Stage,
  ready: readonly ReadyProbe[],
  outside: { name: string; device: string; command: string[]; seconds: number } | null,
): Promise<VantageSeen[]> {
  const place: Place | null = outside && { name: outside.name, where: "outside", node: null, device: outside.device };
  if (ready.length === 0) return place ? [silentVantage(place, "no node could be probed")] : [];
  const between =
    outside &&
    place &&
    new Vantage(place, new ProcessTap(outside.command), { ...stage.watch, seconds: outside.seconds });
  // It may be pulling an image, which an interrupted run need not wait for.
  stage.signal.addEventListener("abort", () => between?.close());
  try {
    const silent = await between?.started();
    if (silent) stage.progress(`nothing can be captured at ${place?.name}: ${silent}`);
    const seen: VantageSeen[] = [];
    for (let first = 0; first < ready.length; first += WAVE) {
      if (ready.length > WAVE) stage.progress(`nodes ${first + 1} to ${Math.min(first + WAVE, ready.length)} send`);
      seen.push(...(await wave(stage, ready.slice(first, first + WAVE))));
    }
    seen.sort((a, b) => (a.name < b.name ? -1 : 1));
    return between ? [...seen, await between.end(stage.traffic.sentControls())] : seen;
  } finally {
    between?.close();
  }
}

/** Why a node is not worth a try. */
function unfit(node: NodeSeen, nodes: number): string | null {
  if (nodes < 2) return "there is no other node: nothing crosses the wire";
  if (!node.ready) return "the node is not Ready";
  return isIP(node.addresses[0] ?? "") === 0 ? "the node has no InternalIP" : null;
}

/** Cilium encrypts neither what such a node sends to other nodes nor what they send to it. */
function optsOut({ status }: Observation["agents"][number]): boolean {
  return "said" in status && status.said.nodeEncryption === "OptedOut";
}

function agentOf({ cilium }: Intent, pod: string): ContainerName {
  return { namespace: cilium.namespace, pod, container: "cilium-agent" };
}

function flowsSeen(markers: readonly Marker[], traffic: Traffic, probes: readonly Probe[]): FlowSeen[] {
  const dead = new Map(probes.flatMap(({ node, silent }) => (silent === null ? [] : [[node.name, silent]])));
  const against = (node: string): string | null =>
    dead.has(node) ? `${node} could not be probed: ${dead.get(node)}` : null;
  return markers.map((marker) => {
    const { from, to, kind, protocol, text } = marker;
    const silent = against(from) ?? against(to) ?? traffic.silentOf(marker);
    return { from, to, kind, protocol, ...traffic.log.of(text), silent };
  });
}
