import type { V1Namespace, V1Pod, V1PodStatus } from "@kubernetes/client-node";
import { CommandError, type ContainerName, type ExecOptions, type ProbeApi } from "../../prover/clusterApi.ts";

const POD_IP = /^(host|talker)-(\d+)$/;

/** A cluster of probe pods that do what they are told at once, with every answer open to change. */
export class FakeProbes implements ProbeApi {
  requests = 0;
  /** What happened, in order: `listening host-0`, `controls host-0`, `markers talker-0`, `ended host-0`. */
  readonly events: string[] = [];
  readonly made: V1Namespace[] = [];
  readonly podsMade = new Map<string, V1Pod>();
  readonly removed: string[] = [];
  /** The most commands that captured at once. */
  captures = 0;
  /** Namespaces that are there already. */
  left: V1Namespace[] = [];
  status: (pod: string, node: string) => V1PodStatus = (pod) => running(pod);
  /** Runs before a command; may throw what it should fail with. */
  before: (where: ContainerName, word: string) => void = () => {};
  /** What a capture prints when it begins. */
  begins: (where: ContainerName, filter: string) => string = () =>
    "tcpdump: listening on eth0, link-type EN10MB (Ethernet)\n";
  /** What it prints at its end. */
  ends = "12 packets captured\n12 packets received by filter\n0 packets dropped by kernel\n";
  /** Whether a marker comes back. */
  returns: (from: string, address: string, protocol: string) => boolean = () => true;
  device = (pod: string): string => {
    const address = nodeIp(Number(POD_IP.exec(pod)?.[2]));
    return `${JSON.stringify([{ dst: "172.18.0.9", dev: "eth0" }])}\n${JSON.stringify([
      { ifname: "eth0", link_type: "ether", address: "02:00:00:00:00:01", addr_info: [{ local: address }] },
    ])}\n`;
  };
  private readonly open = new Map<string, { pod: string; end: () => void }>();

  namespaces = async (): Promise<V1Namespace[]> => this.left;
  createNamespace = async (manifest: V1Namespace): Promise<void> => {
    this.made.push(manifest);
  };
  deleteNamespace = async (name: string): Promise<void> => {
    this.removed.push(name);
  };
  createPod = async (_namespace: string, pod: V1Pod): Promise<void> => {
    this.podsMade.set(pod.metadata?.name ?? "", pod);
  };
  pods = async (): Promise<V1Pod[]> =>
    [...this.podsMade].map(([name, pod]) => ({ ...pod, status: this.status(name, pod.spec?.nodeName ?? "") }));

  exec = async (where: ContainerName, command: string[], options: ExecOptions): Promise<void> => {
    // Every command of ours is `sh -c SCRIPT WORD ...`.
    const [, , , word = "", ...args] = command;
    this.before(where, word);
    if (command[0] === "cilium-dbg") return options.stdout?.(this.drops(where.pod));
    if (word === "strict") this.strict(where.pod, Number(args.at(-1)), options);
    if (word === "device") return options.stdout?.(this.device(where.pod));
    if (word === "tap") return this.capture(where, args, options);
    if (word === "end") for (const pid of args) this.open.get(pid)?.end();
    if (word === "controls") this.events.push(`controls ${where.pod}`);
    if (word === "markers") this.markers(where.pod, args.slice(2), options);
  };

  /** What each node's datapath has dropped: all that its talker sent to nobody. */
  private readonly dropped = new Map<string, number>();

  private drops(agent: string): string {
    const packets = this.dropped.get(agent.replace("cilium", "talker")) ?? 0;
    return packets === 0 ? "" : JSON.stringify([{ reason: "Traffic is unencrypted", direction: "egress", packets }]);
  }

  private strict(pod: string, times: number, { stdout }: ExecOptions): void {
    this.events.push(`strict ${pod}`);
    stdout?.("sent\n".repeat(times));
    this.dropped.set(pod, (this.dropped.get(pod) ?? 0) + times);
  }

  private capture(where: ContainerName, args: string[], { stderr, signal }: ExecOptions): Promise<void> {
    const pid = String(1000 + this.requests++);
    const begins = this.begins(where, args.at(-1) ?? "");
    stderr?.(`pid ${pid}\n`);
    stderr?.(begins);
    if (!begins.includes("listening")) return Promise.reject(new CommandError(`failed: ${begins.trim()}`));
    this.events.push(`listening ${where.pod}`);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        if (!this.open.delete(pid)) return;
        this.events.push(`ended ${where.pod}`);
        stderr?.(this.ends);
        resolve();
      };
      this.open.set(pid, { pod: where.pod, end });
      this.captures = Math.max(this.captures, this.open.size);
      signal?.addEventListener("abort", () => {
        this.open.delete(pid);
        reject(new CommandError("was not waited for any longer"));
      });
    });
  }

  /** Ends the captures of a pod before their time. */
  endCaptures(pod: string): void {
    for (const capture of [...this.open.values()]) if (capture.pod === pod) capture.end();
  }

  private markers(pod: string, args: string[], { stdout }: ExecOptions): void {
    this.events.push(`markers ${pod}`);
    for (let at = 0; at < args.length; at += 3) {
      const [protocol = "", address = "", marker = ""] = args.slice(at, at + 3);
      const back = this.returns(pod, address, protocol) ? `returned ${marker}\n` : "";
      // Cut in the middle, as streams are.
      stdout?.(`sent ${marker.slice(0, 5)}`);
      stdout?.(`${marker.slice(5)}\n${back}`);
    }
  }
}

export function running(pod: string): V1PodStatus {
  const [, role, index] = POD_IP.exec(pod) ?? [];
  return {
    phase: "Running",
    podIP: role === "host" ? nodeIp(Number(index)) : `10.${244 + (Number(index) >> 8)}.${Number(index) & 255}.7`,
    containerStatuses: [{ ...container, state: { running: { startedAt: new Date() } } }],
  };
}

/** A pod that waits, for a reason in Kubernetes' words. */
export function waiting(reason: string, message: string): V1PodStatus {
  return { phase: "Pending", containerStatuses: [{ ...container, state: { waiting: { reason, message } } }] };
}

const container = { name: "probe", image: "", imageID: "", ready: true, restartCount: 0 };

function nodeIp(index: number): string {
  return `172.18.${(index + 2) >> 8}.${(index + 2) & 255}`;
}
