import type { V1Pod } from "@kubernetes/client-node";
import { CommandError, type ContainerName, type ProbeApi, RefusedError } from "../clusterApi.ts";
import { eachBounded } from "./bounded.ts";
import { createPod } from "./createPod.ts";
import { deviceCommand, parseEgress } from "./device.ts";
import {
  expired,
  hostPod,
  PROBE_LABELS,
  type ProbeSpec,
  podName,
  probeNamespace,
  type Role,
  talkerPod,
} from "./podManifest.ts";
import { type PodState, type Probe, podState } from "./probe.ts";

/** Pods made, and probes asked, at once. */
const AT_ONCE = 32;

/** Seconds after which people are told what is waited for. */
const TELLING = 2;

/** Tries of the first command in a pod, a second apart: a kubelet may say Running a moment early. */
const TRIES = 3;

/** Milliseconds for a short command in a pod. */
const COMMAND_TIMEOUT = 10_000;

/** Seconds for the API to take the removal of the namespace. */
const REMOVAL_PATIENCE = 15;

export interface ProbePodsOptions extends ProbeSpec {
  namespace: string;
  /** Address of a node, for a probe without company: the way there is the way out. */
  elsewhere?: string | undefined;
  /** Seconds until the pods must run. */
  patience: number;
  progress: (line: string) => void;
  sleep: (seconds: number) => Promise<void>;
  signal: AbortSignal;
}

/** The pods of one run, from their making to their removal. What goes wrong with one node stands in its probe. */
export class ProbePods {
  private readonly api: ProbeApi;
  private readonly options: ProbePodsOptions;

  constructor(api: ProbeApi, options: ProbePodsOptions) {
    this.api = api;
    this.options = options;
  }

  /** Removes what earlier runs could not; one that may not look leaves it. */
  async sweep(): Promise<void> {
    try {
      const left = expired(await this.api.namespaces(PROBE_LABELS), new Date());
      if (left.length > 0) this.options.progress(`removing ${left.join(", ")}, left by an earlier run`);
      await eachBounded(left, AT_ONCE, (name) => this.api.deleteNamespace(name));
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
    }
  }

  /** Makes both pods of every probe that is not silent, and waits until they answer. */
  async start(probes: readonly Probe[]): Promise<void> {
    const { namespace, deadline, patience, progress, signal } = this.options;
    const wanted = probes.filter((probe) => probe.silent === null);
    try {
      await this.api.createNamespace(probeNamespace(namespace, new Date(Date.now() + 1000 * deadline)));
    } catch (error) {
      silence(wanted, error);
      return;
    }
    const until = performance.now() + 1000 * patience;
    const [first, ...others] = wanted;
    // Alone, as it may have to wait for what all need.
    if (first) await this.create(first, until, progress);
    await eachBounded(others, AT_ONCE, async (probe) => {
      signal.throwIfAborted();
      await this.create(probe, until);
    });
    await this.run(
      wanted.filter((probe) => probe.silent === null),
      until,
    );
    const running = wanted.filter((probe) => probe.silent === null);
    await eachBounded(running, AT_ONCE, async (probe) => {
      signal.throwIfAborted();
      await this.ask(probe, running);
    });
  }

  /** Removes everything, whatever has happened; does not wait until it is gone. */
  async remove(): Promise<void> {
    const { namespace, progress, sleep } = this.options;
    const removal = this.api.deleteNamespace(namespace).then(
      () => true,
      () => false,
    );
    if (!(await Promise.race([removal, sleep(REMOVAL_PATIENCE).then(() => false)])))
      progress(
        `namespace ${namespace} could not be removed; the next run removes it, or: kubectl delete ns ${namespace}`,
      );
  }

  where(probe: Probe, role: Role): ContainerName {
    return { namespace: this.options.namespace, pod: podName(role, probe.index), container: role };
  }

  private async create(probe: Probe, until: number, progress: (line: string) => void = () => {}): Promise<void> {
    const { namespace, sleep, signal } = this.options;
    const { index, node } = probe;
    let slept = 0;
    const pause = async (seconds: number): Promise<void> => {
      signal.throwIfAborted();
      if (slept <= TELLING && slept + seconds > TELLING)
        progress(`waiting for the service account of namespace ${namespace}`);
      slept += seconds;
      await sleep(seconds);
    };
    try {
      for (const pod of [hostPod(index, node.name, this.options), talkerPod(index, node.name, this.options)])
        await createPod(this.api, namespace, pod, { until, sleep: pause });
    } catch (error) {
      silence([probe], error);
    }
  }

  /** Waits until the pods run, and takes their addresses. */
  private async run(probes: readonly Probe[], until: number): Promise<void> {
    const { patience, progress, sleep, signal } = this.options;
    let told = performance.now();
    for (;;) {
      const asked = performance.now();
      const late = asked > until;
      const pods = await this.listed(probes);
      const awaited = probes.flatMap((probe) => {
        const why =
          settle(probe, podState(pods.get(podName("host", probe.index))), "host") ??
          settle(probe, podState(pods.get(podName("talker", probe.index))), "talker");
        if (why === null || probe.silent !== null) return [];
        if (late) probe.silent = `${why}, ${patience} s after the first was to be made`;
        return late ? [] : [`${probe.node.name} (${why})`];
      });
      if (awaited.length === 0) return;
      if (performance.now() - told > 2000) {
        told = performance.now();
        const running = probes.length - awaited.length;
        progress(`${running} of ${probes.length} probes run; waiting for ${awaited[0]}${more(awaited.length - 1)}`);
      }
      signal.throwIfAborted();
      // Listing a thousand nodes' pods is not repeated at once.
      await sleep(Math.max(0.3, (performance.now() - asked) / 1000));
    }
  }

  private async listed(probes: readonly Probe[]): Promise<Map<string, V1Pod>> {
    try {
      const pods = await this.api.pods(this.options.namespace);
      return new Map(pods.map((pod) => [pod.metadata?.name ?? "", pod]));
    } catch (error) {
      silence(probes, error);
      return new Map();
    }
  }

  /** A probe is used only when its pods answer: the talker with its tools, the host with the device towards the others. */
  private async ask(probe: Probe, running: readonly Probe[]): Promise<void> {
    const peer = running.find((other) => other !== probe)?.node.addresses[0] ?? this.options.elsewhere ?? OUTSIDE;
    try {
      await this.answer(probe, "talker", toolsCommand(["socat", "timeout"]));
      await this.answer(probe, "host", toolsCommand(["socat", "timeout", "tcpdump", "ip"]));
      const egress = parseEgress(await this.answer(probe, "host", deviceCommand(peer)), probe.node.addresses);
      if ("silent" in egress) probe.silent = egress.silent;
      else probe.egress = egress;
    } catch (error) {
      silence([probe], error);
    }
  }

  private async answer(probe: Probe, role: Role, command: string[]): Promise<string> {
    const { sleep, signal } = this.options;
    for (let tries = TRIES; ; tries--) {
      let output = "";
      try {
        const stdout = (text: string): void => {
          output += text;
        };
        await this.api.exec(this.where(probe, role), command, { stdout, timeout: COMMAND_TIMEOUT, signal });
        return output;
      } catch (error) {
        if (!(error instanceof CommandError) || tries <= 1 || /its image has no/.test(error.message)) throw error;
        signal.throwIfAborted();
        await sleep(1);
      }
    }
  }
}

/** Where nobody is (TEST-NET-1): the way there is the way out. */
const OUTSIDE = "192.0.2.1";

/** Fails with the name of the first program that an image lacks. */
function toolsCommand(tools: readonly string[]): string[] {
  const has = 'command -v "$tool" >/dev/null || { echo "its image has no $tool" >&2; exit 1; }';
  return ["sh", "-c", `for tool in ${tools.join(" ")}; do ${has}; done`, "tools"];
}

/** Takes what a pod's state says into its probe; answers why it is still waited for, null where it is not. */
function settle(probe: Probe, state: PodState, role: Role): string | null {
  if (state.is === "coming") return state.why;
  if (state.is === "failed") probe.silent ??= state.why;
  if (state.is === "running" && role === "talker") {
    probe.podIp = state.ip;
    if (state.ip === null) probe.silent ??= "its probe pod has no address";
  }
  return null;
}

/** Notes why these cannot be probed; an error that says nothing of them is thrown again. */
function silence(probes: readonly Probe[], error: unknown): void {
  if (!(error instanceof RefusedError) && !(error instanceof CommandError)) throw error;
  for (const probe of probes)
    probe.silent ??= error instanceof CommandError ? `its probe ${error.message}` : error.message;
}

function more(count: number): string {
  return count > 0 ? ` and ${count} more` : "";
}
