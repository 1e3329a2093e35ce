import { DROPS_COMMAND, parseDrops } from "../agentAnswer.ts";
import { CommandError, type ContainerName, type ProbeApi } from "../clusterApi.ts";
import type { Intent } from "../intent.ts";
import type { Answer } from "../observation.ts";
import { lastFreeAddress } from "./addresses.ts";
import { markerText } from "./markers.ts";
import type { StrictNodeSeen, StrictSeen } from "./observation.ts";

/** Datagrams that a node sends. */
const DATAGRAMS = 3;

/** Milliseconds for the sending, and for the question after the drop counter. */
const SENDING = 15_000;
const ASKING = 10_000;

/** Nobody answers; what counts is that they were sent. */
const SCRIPT = `port=$1 address=$2 marker=$3 times=$4
while [ "$times" -gt 0 ]; do
  printf %s "$marker" | timeout 3 socat -u - "UDP4:$address:$port" && echo sent
  times=$((times - 1))
done`;

/** The range within which Cilium's strict mode lets nothing leave in clear; null where the intent names none. */
export function strictRange({ config }: Pick<Intent, "config">): string | null {
  return config["encryption-strict-egress-cidr"] ?? config["encryption-strict-mode-cidr"] ?? null;
}

/**
 * The test of strict mode: a node's pod sends to an address in the range that no node holds. Cilium takes it for one outside of the
 * cluster, and without strict mode the packets would leave in clear.
 */
export class StrictTest {
  readonly range: string | null;
  readonly address: string | null;
  private readonly markers: ReadonlyMap<string, string>;
  private readonly seenOf = new Map<string, StrictNodeSeen>();

  constructor(
    intent: Pick<Intent, "config">,
    nodes: readonly { name: string; podCidrs: string[]; addresses: string[] }[],
  ) {
    this.range = strictRange(intent);
    const held = nodes.flatMap(({ podCidrs, addresses }) => [...podCidrs, ...addresses]);
    this.address = this.range === null ? null : lastFreeAddress(this.range, held);
    this.markers = new Map(nodes.map(({ name }) => [name, markerText()]));
  }

  /** What captures look for. */
  get texts(): string[] {
    return [...this.markers.values()];
  }

  /** Lets a node's talker send; `agent` is asked for its drop counter before and after, if the node has one. */
  async send(
    api: Pick<ProbeApi, "exec">,
    { node, talker, agent, port }: { node: string; talker: ContainerName; agent: ContainerName | null; port: number },
    signal: AbortSignal,
  ): Promise<void> {
    if (this.address === null) return;
    const before = await drops(api, agent, signal);
    const command = [
      "sh",
      "-c",
      SCRIPT,
      "strict",
      String(port),
      this.address,
      this.markers.get(node) ?? "",
      String(DATAGRAMS),
    ];
    const { output, silent } = await said(api, talker, command, SENDING, signal);
    const sent = output.split("\n").filter((line) => line === "sent").length;
    const why = silent ?? (sent === 0 ? "nothing was sent" : null);
    this.seenOf.set(node, { node, sent, silent: why, drops: { before, after: await drops(api, agent, signal) } });
  }

  result(): StrictSeen {
    const nodes = [...this.seenOf.values()].sort((a, b) => (a.node < b.node ? -1 : 1));
    return { range: this.range, address: this.address, nodes };
  }
}

async function drops(
  api: Pick<ProbeApi, "exec">,
  agent: ContainerName | null,
  signal: AbortSignal,
): Promise<Answer<number>> {
  if (agent === null) return { silent: "has no agent" };
  const { output, silent } = await said(api, agent, DROPS_COMMAND, ASKING, signal);
  return silent === null ? parseDrops(output) : { silent };
}

async function said(
  api: Pick<ProbeApi, "exec">,
  where: ContainerName,
  command: string[],
  timeout: number,
  signal: AbortSignal,
): Promise<{ output: string; silent: string | null }> {
  let output = "";
  const stdout = (text: string): void => {
    output += text;
  };
  try {
    await api.exec(where, command, { stdout, timeout, signal });
    return { output, silent: null };
  } catch (error) {
    if (error instanceof CommandError) return { output, silent: error.message };
    throw error;
  }
}
