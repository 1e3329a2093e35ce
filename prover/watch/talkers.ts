import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { V1Pod } from "@kubernetes/client-node";
import { z } from "zod";
import { CommandError, type ProbeApi, RefusedError } from "../clusterApi.ts";
import type { NodeSeen } from "../observation.ts";
import { ProverError } from "../proverError.ts";
import { createPod } from "../wire/createPod.ts";
import { podName, probeNamespace, talkerPod } from "../wire/podManifest.ts";
import { podState } from "../wire/probe.ts";

/** Runs in each talker. */
const PROGRAM = readFileSync(join(import.meta.dirname, "streams.py"), "utf8");

/** Identity of the program's control socket in its pod. */
const SOCKET = "wirecloak-watch";

/** Milliseconds for a command in a talker, beside what it waits for itself. */
const ANSWER = 10_000;

/** Seconds between two tries to reach a talker. */
const AGAIN = 0.5;

/** One node's talker. */
export interface Talker {
  node: NodeSeen;
  index: number;
  podIp: string | null;
  /** Why it cannot talk; null while nothing is known against it. */
  silent: string | null;
}

/** What one talker counted of its streams to another. */
const stream = z.object({
  to: z.string(),
  sent: z.number(),
  answered: z.number(),
  /** Milliseconds between successive answers, by how often they were seen. */
  spread: z.record(z.string(), z.number()),
  /** Begin (milliseconds since 1970) and length of times without an answer. */
  gaps: z.array(z.tuple([z.number(), z.number()])),
  tcp: z.enum(["none", "connecting", "open", "broken"]),
  why: z.string().nullable(),
  /** Age of the connection's last answer. */
  tcpAnswerMs: z.number().nullable(),
});
export type StreamCount = z.infer<typeof stream>;

const reports = z.object({ peers: z.array(stream) });
const began = z.object({ silent: z.array(z.string()) });

export interface TalkersOptions {
  namespace: string;
  image: string;
  port: number;
  /** Seconds after which Kubernetes ends the pods by itself. */
  deadline: number;
  sleep: (seconds: number) => Promise<void>;
}

/** The pods that hold the streams of one watch, from their making to their removal. Streams run in them by themselves. */
export class Talkers {
  private readonly api: ProbeApi;
  private readonly options: TalkersOptions;
  readonly all: readonly Talker[];

  constructor(api: ProbeApi, nodes: readonly NodeSeen[], options: TalkersOptions) {
    this.api = api;
    this.options = options;
    this.all = nodes.map((node, index) => ({ node, index, podIp: null, silent: null }));
  }

  get ready(): (Talker & { podIp: string })[] {
    return this.all.filter((talker): talker is Talker & { podIp: string } => talker.silent === null && !!talker.podIp);
  }

  /** Makes the pods and waits until they run, `patience` seconds at the most. */
  async start(patience: number): Promise<void> {
    const { namespace, image, port, deadline, sleep } = this.options;
    const until = performance.now() + 1000 * patience;
    await this.api.createNamespace(probeNamespace(namespace, new Date(Date.now() + 1000 * deadline)));
    const spec = { image, markerPort: port, deadline };
    const command = ["python3", "-c", PROGRAM, String(port), SOCKET];
    await Promise.all(
      this.all.map((talker) => this.create(talkerPod(talker.index, talker.node.name, spec, command), talker, until)),
    );
    for (;;) {
      const pods = new Map((await this.api.pods(namespace)).map((pod) => [pod.metadata?.name, pod]));
      const coming = this.all.filter((talker) => this.settle(talker, pods.get(podName("talker", talker.index))));
      if (coming.length === 0) return;
      if (performance.now() > until) for (const talker of coming) talker.silent = "its pod did not start in time";
      await sleep(0.2);
    }
  }

  /** Begins all streams, then to count: once every pair has answered, or `patience` seconds have gone. */
  async begin(marker: string, interval: { udp: number; tcp: number }, patience: number): Promise<void> {
    const talkers = this.ready;
    const peersOf = (talker: Talker) =>
      Object.fromEntries(talkers.filter((peer) => peer !== talker).map((peer) => [peer.node.name, peer.podIp]));
    await this.each(async (talker) => {
      const order = { do: "start", marker, peers: peersOf(talker), udpMs: interval.udp, tcpMs: interval.tcp };
      await this.ask(talker, order, 15, z.object({}));
    });
    await this.each(async (talker) => {
      await this.ask(talker, { do: "began", wait: patience }, 15, began);
    });
  }

  /** What each counted; one whose talker cannot be asked within `patience` seconds is left out. `settle`: seconds for connections to answer anew. */
  async reports(settle: number, patience: number): Promise<Map<string, StreamCount[]>> {
    const told = new Map<string, StreamCount[]>();
    await this.each(async (talker) => {
      const { peers } = await this.ask(talker, { do: "report", wait: settle }, patience, reports);
      told.set(talker.node.name, peers);
    });
    return told;
  }

  /** Does not wait until they are gone. */
  remove(): Promise<void> {
    return this.api.deleteNamespace(this.options.namespace);
  }

  private async each(work: (talker: Talker) => Promise<void>): Promise<void> {
    await Promise.all(
      this.ready.map((talker) =>
        work(talker).catch((error: unknown) => {
          if (!(error instanceof Error)) throw error;
          talker.silent = error.message;
        }),
      ),
    );
  }

  private async create(pod: V1Pod, talker: Talker, until: number): Promise<void> {
    try {
      await createPod(this.api, this.options.namespace, pod, { until, sleep: this.options.sleep });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      talker.silent = error.message;
    }
  }

  /** Takes what a pod's state says; answers whether it is still waited for. */
  private settle(talker: Talker, pod: V1Pod | undefined): boolean {
    if (talker.silent !== null) return false;
    const state = podState(pod);
    if (state.is === "failed") talker.silent = state.why;
    if (state.is === "running") talker.podIp = state.ip;
    return state.is === "coming";
  }

  /** Asks a talker's program, again and again while agents and API servers restart. */
  private async ask<T>(
    talker: Talker,
    order: { do: string; wait?: number; [more: string]: unknown },
    patience: number,
    shape: z.ZodType<T>,
  ): Promise<T> {
    const { namespace, sleep } = this.options;
    const where = { namespace, pod: podName("talker", talker.index), container: "talker" };
    const wait = (order.wait ?? 0) + 5;
    const line = 'printf "%s\\n" "$1" | socat -t "$2" - "ABSTRACT-CONNECT:$3"';
    const command = ["sh", "-c", line, "ask", JSON.stringify(order), String(wait), SOCKET];
    const until = Date.now() + 1000 * patience;
    for (;;) {
      try {
        let output = "";
        const stdout = (text: string): void => {
          output += text;
        };
        await this.api.exec(where, command, { stdout, timeout: ANSWER + 1000 * wait });
        return shape.parse(JSON.parse(output));
      } catch (error) {
        // An answer that was cut is none.
        const passing = error instanceof CommandError || error instanceof ProverError || error instanceof SyntaxError;
        if (!passing || Date.now() > until) throw error;
        await sleep(AGAIN);
      }
    }
  }
}
