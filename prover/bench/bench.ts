import { randomBytes } from "node:crypto";
import { setTimeout as timer } from "node:timers/promises";
import { type ClusterApi, CommandError, type ProbeApi } from "../clusterApi.ts";
import type { Intent } from "../intent.ts";
import type { NodeSeen } from "../observation.ts";
import { ProverError } from "../proverError.ts";
import { readCluster } from "../readBack.ts";
import { endingCleanly } from "../wire/interrupted.ts";
import { markerPort } from "../wire/markers.ts";
import { isReady, type Probe, type ReadyProbe } from "../wire/probe.ts";
import { ProbePods } from "../wire/probePods.ts";
import { PodTap } from "../wire/tap.ts";
import type { BenchRun } from "./benchRuns.ts";
import { clientCommand, isServing, MTU_COMMAND, readMtu, serverCommand, throughput } from "./iperf.ts";

export interface BenchOptions {
  runs: number;
  /** Of each run. */
  seconds: number;
  progress?: (line: string) => void;
}

/** Seconds until the probe pods must run. */
const POD_PATIENCE = 90;

/** Seconds that one run may take beside its time. */
const OVERHEAD = 15;

/** Milliseconds for the server to begin, and for short commands. */
const COMMAND_TIMEOUT = 10_000;

/** Measures TCP between two pods on different nodes by iperf3. Throws a ProverError where it cannot. */
export function bench(api: ClusterApi & ProbeApi, intent: Intent, options: BenchOptions): Promise<BenchRun> {
  return endingCleanly(undefined, (signal) => benchUntil(signal, api, intent, options));
}

async function benchUntil(
  signal: AbortSignal,
  api: ClusterApi & ProbeApi,
  intent: Intent,
  { runs, seconds, progress = () => {} }: BenchOptions,
): Promise<BenchRun> {
  const { nodes } = await readCluster(api);
  const probes = chosenNodes(nodes).map((node, index): Probe => {
    return { node, index, podIp: null, egress: null, silent: null };
  });
  const limit = POD_PATIENCE + OVERHEAD + runs * (seconds + OVERHEAD);
  const port = markerPort();
  const sleep = (length: number) => timer(1000 * length);
  const pods = new ProbePods(api, {
    ...{ namespace: `wirecloak-probe-${randomBytes(4).toString("hex")}`, image: intent.proof.image, markerPort: port },
    ...{ hostTalks: false, deadline: limit, patience: POD_PATIENCE, progress, sleep, signal },
  });
  try {
    await pods.sweep();
    progress(`starting probe pods on ${probes.map(({ node }) => node.name).join(" and ")}`);
    await pods.start(probes);
    const [client, server] = probes.map(ready);
    if (!client || !server) throw new ProverError("unanswered", "there is no other node: nothing crosses the wire");
    const tap = new PodTap(api, pods.where(server, "talker"), 1000 * limit);
    try {
      // The echo servers have the marker port.
      await serving(tap, port + 1, limit);
      const mtu = readMtu(await answer(client, MTU_COMMAND, COMMAND_TIMEOUT));
      const gbits: number[] = [];
      for (let run = 1; run <= runs; run++) {
        signal.throwIfAborted();
        gbits.push(await measured(client, server.podIp, port + 1));
        progress(`run ${run} of ${runs}: ${gbits.at(-1)?.toFixed(3)} Gbit/s`);
      }
      return {
        ...{ mode: intent.encryption, simulated: intent.simulated, cilium: intent.cilium.version },
        ...{ routing: intent.routing, from: client.node.name, to: server.node.name, mtu, seconds, gbits },
        takenAt: new Date().toISOString(),
      };
    } finally {
      await tap.end().catch(() => undefined);
      tap.close();
    }
  } finally {
    await pods.remove();
  }

  async function measured(client: ReadyProbe, address: string, at: number): Promise<number> {
    const counted = throughput(await answer(client, clientCommand(address, at, seconds), 1000 * (seconds + OVERHEAD)));
    if (typeof counted === "number") return counted;
    throw new ProverError("unanswered", `iperf3 from ${client.node.name}: ${counted.failed}`);
  }

  /** What a command in the talking pod prints; where it fails, that is told in what it printed. */
  async function answer(probe: ReadyProbe, command: string[], timeout: number): Promise<string> {
    let output = "";
    const keep = (text: string): void => {
      output += text;
    };
    try {
      await api.exec(pods.where(probe, "talker"), command, { stdout: keep, timeout, signal });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (output === "") throw new ProverError("unanswered", `the probe on ${probe.node.name} ${error.message}`);
    }
    return output;
  }
}

/** Waits until the server listens. Throws a ProverError where it does not. */
async function serving(tap: PodTap, port: number, limit: number): Promise<void> {
  let said = "";
  const listening = Promise.withResolvers<void>();
  const heard = (text: string): void => {
    said += text;
    if (isServing(said)) listening.resolve();
  };
  const ended = tap.run(serverCommand(port, limit), { stdout: heard, stderr: heard }).catch((error: Error) => {
    said ||= error.message;
  });
  await Promise.race([listening.promise, ended, timer(COMMAND_TIMEOUT)]);
  if (!isServing(said))
    throw new ProverError("unanswered", `iperf3 does not serve: ${said.trim() || "it said nothing"}`);
}

/** Workers first: control planes may opt out of encryption between nodes. */
function chosenNodes(nodes: readonly NodeSeen[]): NodeSeen[] {
  const fit = nodes.filter(({ ready }) => ready);
  return [...fit.filter(({ controlPlane }) => !controlPlane), ...fit.filter(({ controlPlane }) => controlPlane)].slice(
    0,
    2,
  );
}

function ready(probe: Probe): ReadyProbe {
  if (isReady(probe)) return probe;
  throw new ProverError("unanswered", `${probe.node.name} cannot be used: ${probe.silent}`);
}
