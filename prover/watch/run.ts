import { randomBytes } from "node:crypto";
import { setTimeout as timer } from "node:timers/promises";
import type { Kubernetes } from "../kubernetes.ts";
import type { NodeSeen } from "../observation.ts";
import { readMembers } from "../readBack.ts";
import { captureFilters } from "../wire/filters.ts";
import { markerPort } from "../wire/markers.ts";
import { chosenPairs } from "../wire/pairs.ts";
import type { WireContext } from "../wire/sightings.ts";
import { AgentPhases } from "./agentPhases.ts";
import type { Change } from "./change.ts";
import { addChange } from "./evidence.ts";
import { droppedBy } from "./guardDrops.ts";
import { note, readJournal } from "./journal.ts";
import { judged, SETTLE } from "./judge.ts";
import { Lookouts } from "./lookouts.ts";
import { hidesOverlay, stateOf } from "./order.ts";
import { PlaintextLog } from "./plaintextLog.ts";
import { filesOf, type Started, writeWhole } from "./state.ts";
import { type StreamCount, Talkers } from "./talkers.ts";

/** Nodes between which streams run, at the most. */
const NODES = 8;

/** Messages a second, of all pairs together: user-space ciphers on a small machine need the rest. In clear each is read by the captures, four times. */
const RATE = { encrypted: 2000, plain: 600 };

/** Seconds: for the pods to start, for pairs to answer before they count, for what was counted to be fetched, and for all to end by itself. */
const PATIENCE = { pods: 60, pairs: 3, fetch: 30, fetchAbandoned: 5, whole: 3900 };

/** Why a watch ends; null: in order. */
export interface Ending {
  why: string | null;
}

const sleep = (seconds: number): Promise<void> => timer(1000 * seconds);

/** One watch at work. */
export class WatchRun {
  readonly marker = `wirecloak-watch-${randomBytes(12).toString("hex")}`;
  readonly log = new PlaintextLog();
  private readonly api: Kubernetes;
  private readonly started: Started;
  private readonly say: (line: string) => void;
  private readonly port = markerPort();
  private talkers: Talkers | undefined;
  private lookouts: Lookouts | undefined;
  private phases: AgentPhases | undefined;
  private plan: Parameters<typeof judged>[0]["pairs"] = { total: 0, sample: null, watched: [] };
  private interval = { udp: 0, tcp: 0 };
  private startedAt = Date.now();
  private known = "";
  private dropped = 0;

  constructor(api: Kubernetes, started: Started, say: (line: string) => void) {
    this.api = api;
    this.started = started;
    this.say = say;
  }

  /** Returns once streams and captures run. */
  async begin(): Promise<void> {
    const { order, from, folder, id, namespace } = this.started;
    const to = stateOf(order.intent);
    const seen = await readMembers(this.api);
    const chosen = sampled(seen.nodes, id);
    const { image, outside } = order.intent.proof;
    this.talkers = new Talkers(this.api, chosen, {
      ...{ namespace, image, port: this.port, deadline: PATIENCE.whole, sleep },
    });
    await this.talkers.start(PATIENCE.pods);
    for (const { node, silent } of this.talkers.all)
      if (silent !== null) this.say(`${node.name} cannot talk: ${silent}`);
    const ready = this.talkers.ready;
    const watched = chosenPairs(
      ready.map(({ node }) => node.name),
      "all",
      id,
    ).tested;
    this.plan = { ...planned(seen.nodes.length, ready.length, id), watched };
    const states = from === null ? [to] : [from, to];
    const rate = states.some(({ encryption }) => encryption === "none") ? RATE.plain : RATE.encrypted;
    const udp = Math.max(10, Math.ceil((1000 * watched.length) / rate));
    this.interval = { udp, tcp: 10 * udp };
    const pods = [...order.pods, ...seen.nodes.flatMap(({ podCidrs }) => podCidrs)];
    this.lookouts = new Lookouts({
      filter: captureFilters({ markerPort: this.port, podCidrs: pods }).readable,
      context: this.context(seen.nodes),
      overlayHidden: hidesOverlay(states),
      nodesHidden: from?.nodeEncryption === true && to.nodeEncryption,
      seconds: PATIENCE.whole,
      log: this.log,
      ...{ outside, overlay: order.intent.overlay, markerPort: this.port, sleep, say: this.say },
      ...{ rooms: ready.map(({ node, podIp }) => ({ node, podIp })) },
    });
    const { guard } = order;
    await Promise.all([
      guard &&
        droppedBy(guard).then(
          (dropped) => (this.dropped = dropped ?? 0),
          () => 0,
        ),
      this.lookouts.begin(),
      this.talkers.begin(this.marker, this.interval, PATIENCE.pairs),
    ]);
    this.startedAt = Date.now();
    this.phases = new AgentPhases(from, to, seen, this.startedAt);
    note(folder, "watch began", this.startedAt);
    this.say(`watching ${watched.length} pairs, a message each ${udp} ms`);
  }

  /** What the guard has dropped since the watch began that should have been encrypted; null where it does not tell. */
  private async guardDropped(): Promise<number | null> {
    const { guard } = this.started.order;
    const dropped = guard && (await droppedBy(guard).catch((error: Error) => this.say(`the guard: ${error.message}`)));
    // One that was set after the watch began had dropped nothing before.
    return typeof dropped === "number" ? dropped - this.dropped : null;
  }

  /** Looks at the agents; what cannot be asked now is asked the next time. */
  async look(): Promise<void> {
    try {
      const seen = await readMembers(this.api);
      for (const { name, at } of this.phases?.look(seen, Date.now()) ?? []) note(this.started.folder, name, at);
      const nodes = JSON.stringify(seen.nodes.map(({ name, addresses, podCidrs }) => [name, addresses, podCidrs]));
      if (nodes !== this.known) this.lookouts?.know(this.context(seen.nodes));
      this.known = nodes;
      await this.lookouts?.refresh();
    } catch (error) {
      this.say(`the agents could not be looked at: ${(error as Error).message}`);
    }
  }

  /** Ends everything and judges it. */
  async end({ why }: Ending): Promise<Change> {
    const { id, order, from, folder } = this.started;
    const fetch = why === null ? PATIENCE.fetch : PATIENCE.fetchAbandoned;
    const reports = this.talkers?.reports(SETTLE / 1000, fetch) ?? Promise.resolve(new Map<string, StreamCount[]>());
    const [streams, looked] = await Promise.all([
      reports,
      this.lookouts?.end(reports) ?? { vantages: [], places: new Set<string>(), failings: ["nothing was captured"] },
    ]);
    const endedAt = Date.now();
    note(folder, "watch ended", endedAt);
    const silent = this.talkers?.all.filter((talker) => talker.silent !== null) ?? [];
    return judged({
      ...{ id, from, to: stateOf(order.intent), guard: order.guard !== null, startedAt: this.startedAt, endedAt },
      failings: [
        ...(why === null ? [] : [why]),
        ...looked.failings,
        ...silent.map((talker) => `${talker.node.name}: ${talker.silent}`),
      ],
      journal: readJournal(folder),
      log: this.log,
      places: looked.places,
      sendersOnly: order.intent.proof.outside === null,
      vantages: looked.vantages,
      pairs: this.plan,
      intervalMs: this.interval,
      streams,
      guardDrops: await this.guardDropped(),
      notSeen: notSeen(order.intent.proof.outside !== null),
    });
  }

  async remove(): Promise<void> {
    this.lookouts?.close();
    await Promise.race([this.talkers?.remove(), sleep(15)]);
  }

  private context(nodes: readonly NodeSeen[]): WireContext {
    const ips = new Map(this.talkers?.ready.map(({ node, podIp }) => [node.name, podIp]));
    return {
      nodes: nodes.map(({ name, addresses, podCidrs }) => ({
        name,
        ips: addresses,
        podIp: ips.get(name) ?? null,
        podCidrs,
      })),
      markers: new Set([this.marker]),
      controls: this.lookouts?.controls ?? new Map(),
      markerPort: this.port,
    };
  }
}

/** Ends a watch whatever has become of it, and leaves its result where `end` and people find it. */
export async function endWatch(
  run: WatchRun,
  ending: Ending,
  started: Started,
  say: (line: string) => void,
): Promise<void> {
  let change: Change | undefined;
  try {
    change = await run.end(ending);
    addChange(started.evidence, change);
  } catch (error) {
    say(`the watch could not be ended as it should: ${(error as Error).stack}`);
  }
  await run.remove().catch((error: Error) => say(`${started.namespace} could not be removed: ${error.message}`));
  // Last: whoever waits for the end goes on when this is there.
  if (change) writeWhole(filesOf(started.folder).result, JSON.stringify(change));
}

/** The nodes that talk: all that are fit, or a stated sample. */
function sampled(nodes: readonly NodeSeen[], seed: string): NodeSeen[] {
  const fit = nodes.filter(({ ready, addresses }) => ready && addresses.length > 0);
  if (fit.length <= NODES) return fit;
  const order = chosenPairs(
    fit.map(({ name }) => name),
    fit.length,
    seed,
  ).tested.map(({ from }) => from);
  const names = new Set([...new Set(order)].slice(0, NODES));
  return fit.filter(({ name }) => names.has(name));
}

function planned(nodes: number, talking: number, seed: string): { total: number; sample: string | null } {
  const total = nodes * (nodes - 1);
  return {
    total,
    sample: talking === nodes ? null : `all pairs of ${talking} of ${nodes} nodes, drawn with seed ${seed}`,
  };
}

function notSeen(outside: boolean): string[] {
  return [
    "What pods on the same node say to each other never crosses the wire.",
    ...(outside
      ? []
      : [
          "There is no place between the nodes to look from: what counts as leaked is what nodes send, whatever drops it on its way.",
        ]),
  ];
}
