import { randomBytes } from "node:crypto";
import { setTimeout as timer } from "node:timers/promises";
import { type ClusterApi, CommandError, type ProbeApi } from "../clusterApi.ts";
import type { Intent } from "../intent.ts";
import type { NodeSeen } from "../observation.ts";
import { ProverError } from "../proverError.ts";
import { readCluster } from "../readBack.ts";
import { endingCleanly } from "../wire/interrupted.ts";
import { markerPort } from "../wire/markers.ts";
import { isReady, type Probe } from "../wire/probe.ts";
import { ProbePods } from "../wire/probePods.ts";
import { deviceInEndpoints, deviceInRoute, ENDPOINTS_COMMAND, podRouteCommand } from "./endpointDevice.ts";
import { scopeOf } from "./scope.ts";
import type { PlaceSniffed, Sniffed } from "./sniffed.ts";
import { PodPlace, silentPlace, silentWire, WirePlace } from "./sniffPlace.ts";
import { choosePair, parseWorkload, podsOf, type Workload } from "./workload.ts";

export interface SniffOptions {
  /** The sender, and the receiver; absent: everything that the sender sends to other nodes. */
  from: string;
  to?: string;
  text: string;
  namespace: string;
  /** Runs in the sender's container meanwhile, by `sh`; `$TO` is the receiver's address. */
  command?: string;
  /** Seconds to listen without a command, and that a command may take. */
  seconds: number;
  progress?: (line: string) => void;
}

/** A shorter text turns up by chance in what is encrypted. */
const SHORTEST = 4;

/** Seconds until the probe pods must run. */
const POD_PATIENCE = 90;

/** Seconds that a sniff takes beside its time to listen, at the most. */
const OVERHEAD = 60;

/** Seconds after the last packet was sent, for those on their way and in tcpdump's buffer. */
const GRACE = 1;

/** Milliseconds for a short command. */
const COMMAND_TIMEOUT = 10_000;

/** Looks for a text in the packets between two workloads: where they leave the sender, and where they leave its node. */
export function sniff(api: ClusterApi & ProbeApi, intent: Intent, options: SniffOptions): Promise<Sniffed> {
  return endingCleanly(undefined, (signal) => sniffUntil(signal, api, intent, options));
}

async function sniffUntil(
  signal: AbortSignal,
  api: ClusterApi & ProbeApi,
  intent: Intent,
  options: SniffOptions,
): Promise<Sniffed> {
  const { text, seconds, command, progress = () => {} } = options;
  if (Buffer.byteLength(text) < SHORTEST)
    throw new ProverError("usage", `${JSON.stringify(text)} is too short to look for: at least ${SHORTEST} characters`);
  const { nodes, agents } = await readCluster(api);
  const { from, to } = await chosen(api, options);
  if (to && from.node === to.node) return sameNode(from, to, text);

  const port = markerPort();
  const limit = POD_PATIENCE + seconds + OVERHEAD;
  const sleep = (length: number) => timer(1000 * length);
  const pods = new ProbePods(api, {
    ...{ namespace: `wirecloak-probe-${randomBytes(4).toString("hex")}`, image: intent.proof.image, markerPort: port },
    elsewhere: nodes.find(({ name }) => name !== from.node)?.addresses[0],
    ...{ hostTalks: false, deadline: limit, patience: POD_PATIENCE, progress, sleep, signal },
  });
  const probes = (to ? [from, to] : [from]).map(({ node }, index): Probe => {
    return { node: nodeCalled(node, nodes), index, podIp: null, egress: null, silent: null };
  });
  try {
    await pods.sweep();
    progress(`starting probe pods on ${probes.map(({ node }) => node.name).join(" and ")}`);
    await pods.start(probes);
    const scope = scopeOf({ from, to, nodes, markerPort: port });
    const [sender] = probes;
    const settings = { api, pods, scope, text, limit, sleep };
    const device = sender && isReady(sender) ? await deviceOf(from, sender) : null;
    const before = sender && isReady(sender) && device ? new PodPlace(settings, sender, device) : null;
    const wire = probes.map((probe) =>
      isReady(probe) ? new WirePlace(settings, probe, { overlay: intent.overlay, port, signal }) : null,
    );
    const places = [before, ...wire].filter((place) => place !== null);
    try {
      await Promise.all(places.map((place) => place.started()));
      await Promise.all(wire.map((place) => place?.sendControls()));
      const ran = await meanwhile();
      await Promise.all(wire.map((place) => place?.sendControls()));
      await sleep(GRACE);
      await Promise.all(places.map((place) => place.end()));
      return {
        ...{ text, from, to, command: ran },
        before: before?.seen() ?? silentPlace(from.node, "?", sender?.silent ?? "its pod's device is not known"),
        wire: wire.map(
          (place, index) => place?.seen() ?? silentWire(probes[index]?.node.name ?? "", probes[index]?.silent),
        ),
      };
    } finally {
      for (const place of places) place.close();
    }
  } finally {
    await pods.remove();
  }

  async function meanwhile(): Promise<Sniffed["command"]> {
    if (command === undefined) {
      progress(`listening for ${seconds} s`);
      await timer(1000 * seconds, undefined, { signal });
      return null;
    }
    progress(`running in ${from.pod}: ${command}`);
    const script = to ? `TO=${to.ip}\nexport TO\n${command}` : command;
    const failed = await answered(api.exec({ ...from }, ["sh", "-c", script], { timeout: 1000 * seconds, signal }));
    return { text: command, failed };
  }

  async function deviceOf({ ip, node }: Workload, probe: Probe): Promise<string | null> {
    let route = "";
    const stdout = (part: string): void => {
      route += part;
    };
    await answered(
      api.exec(pods.where(probe, "host"), podRouteCommand(ip), { stdout, timeout: COMMAND_TIMEOUT, signal }),
    );
    const known = deviceInRoute(route);
    const agent = agents.find((each) => each.node === node)?.pod;
    if (known !== null || agent === undefined) return known;
    return deviceInEndpoints(await api.run(agent, ENDPOINTS_COMMAND, COMMAND_TIMEOUT).catch(() => ""), ip);
  }
}

/** The pods that stand for what was named. Throws a usage ProverError where there are none. */
async function chosen(
  api: ProbeApi,
  { from, to, namespace }: SniffOptions,
): Promise<{ from: Workload; to: Workload | null }> {
  const pods = await api.pods(namespace);
  const candidates = (name: string): Workload[] => {
    const found = podsOf(parseWorkload(name), pods).filter(({ hostNetwork }) => !hostNetwork);
    if (found.length > 0) return found;
    const known = pods.map(({ metadata }) => metadata?.name).join(", ");
    throw new ProverError(
      "usage",
      `${JSON.stringify(name)} names no pod of namespace ${namespace} that is Ready and has an address of its own\nallowed: ${known || "there are no pods; --namespace names another"}`,
    );
  };
  const senders = candidates(from);
  if (to !== undefined) {
    const pair = choosePair(senders, candidates(to));
    if (pair) return pair;
    throw new ProverError("usage", `${JSON.stringify(from)} and ${JSON.stringify(to)} are the same pod`);
  }
  return { from: senders[0] as Workload, to: null };
}

function nodeCalled(name: string, nodes: readonly NodeSeen[]): NodeSeen {
  const node = nodes.find((each) => each.name === name);
  if (!node) throw new ProverError("unanswered", `node ${name} is gone`);
  return node;
}

/** Nothing is started where there is nothing to see. */
function sameNode(from: Workload, to: Workload, text: string): Sniffed {
  const place: PlaceSniffed = silentPlace(from.node, "?", "both run on this node");
  return { text, from, to, command: null, before: place, wire: [] };
}

/** Null where a command ended well, else how it did not. */
async function answered(command: Promise<void>): Promise<string | null> {
  try {
    await command;
    return null;
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
}
