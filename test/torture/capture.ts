import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { controlFrame } from "../../prover/wire/controlFrame.ts";
import { projectRoot } from "../../tools/paths.ts";

const BRIDGE = join(projectRoot, "rehearsal/bridge.sh");

/** Where control frames say that they go to (RFC 5737); their sender says to be this pod. */
const NOWHERE = "192.0.2.1";
const CONTROL_POD = "10.244.255.250";

/** Readable packets of pods, bare or in an overlay, and a 64th of the ESP packets for their SPIs. All is relative to the IP header, since the capture is of all ports at once. */
const FILTER = [
  "(udp and (dst port 8472 or dst port 4789 or dst port 6081))",
  `(src net 10.244.0.0/16 and (dst net 10.244.0.0/16 or dst host ${NOWHERE}))`,
  "(ip proto 50 and ip[27] & 0x3f = 0)",
].join(" or ");

/** Seconds: a capture whose program was killed ends by itself. */
const LONGEST = "1800";

/** Handed on at once, and in KiB what the kernel keeps meanwhile: much may come at a time where plaintext is allowed. */
const BUFFER = ["--immediate-mode", "-B", "16384"];

/** What left the nodes' bridge by its ports, past any guard. */
export interface Captured {
  /** Readable packets, each as a line of tcpdump's with the time in seconds since 1970 at its begin. */
  plain: string[];
  /** Each SPI of ESP by when it was first and last seen, in seconds since 1970. */
  spis: Map<number, { first: number; last: number }>;
  /** Why this capture could have missed a leak; undefined where it could not. */
  blind: string | undefined;
}

/** A capture of our own at all ports of a rehearsal's bridge, which outlives every update: the watch of one that is killed ends with it. */
export class Capture {
  private readonly env: NodeJS.ProcessEnv;
  private readonly cluster: string;
  private readonly log: string;
  private readonly process: ChildProcess;
  private controls = 0;
  private ports: string[] = [];

  private constructor(env: NodeJS.ProcessEnv, cluster: string, log: string) {
    this.env = env;
    this.cluster = cluster;
    this.log = log;
    const to = openSync(log, "w");
    const tcpdump = [
      "timeout",
      LONGEST,
      "tcpdump",
      "-i",
      "any",
      "-Q",
      "out",
      "-nn",
      "-tt",
      "-l",
      "-s",
      "128",
      ...BUFFER,
      FILTER,
    ];
    this.process = spawn("sh", this.outside(tcpdump), { env, stdio: ["ignore", to, to] });
    closeSync(to);
  }

  /** Begins, and returns once a control frame at every port was seen. */
  static async start(env: NodeJS.ProcessEnv, cluster: string, log: string): Promise<Capture> {
    const capture = new Capture(env, cluster, log);
    const limit = Date.now() + 20_000;
    while (!readFileSync(log, "utf8").includes("listening on")) {
      if (Date.now() > limit) throw new Error(`the capture does not begin: ${readFileSync(log, "utf8")}`);
      await sleep(100);
    }
    capture.sendControls();
    return capture;
  }

  /** Sends the last control frames and ends. */
  async stop(): Promise<Captured> {
    const running = this.process.exitCode === null;
    if (running) this.sendControls();
    await sleep(500);
    const ended = new Promise((resolve) => this.process.on("close", resolve));
    this.process.kill("SIGTERM");
    if (running) await ended;
    return readCapture(readFileSync(this.log, "utf8"), this.ports, this.controls);
  }

  /** A leak of each form, out of every port by its end at the bridge: no guard is in between. */
  private sendControls(): void {
    this.controls += 1;
    const frame = (form: "bare" | "vxlan", nodeIp: string) =>
      controlFrame({
        ...{ form, nodeIp, mac: "0a:58:00:00:00:01", innerSrc: CONTROL_POD, innerDst: CONTROL_POD },
        ...{ markerPort: 7001, overlayPort: 8472, marker: "torture control" },
      }).toString("base64");
    const frames = [frame("bare", CONTROL_POD), frame("vxlan", "172.30.255.250")];
    const script = `for port in $(ip -o link show type veth | cut -d: -f2 | cut -d@ -f1); do
      echo $port
      for frame in ${frames.join(" ")}; do echo $frame | base64 -d | socat -u - INTERFACE:$port; done
    done`;
    const { stdout, status, stderr } = spawnSync("sh", this.outside(["sh", "-c", script]), {
      env: this.env,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`no control could be sent: ${stderr}`);
    this.ports = stdout.trim().split(/\s+/);
  }

  private outside(command: string[]): string[] {
    return [BRIDGE, join(this.env.WIRECLOAK_STATE_DIR ?? "", "clusters", this.cluster), ...command];
  }
}

/**
 * What tcpdump saw, from its text.
 * @param ports those that controls were sent at, `times` times, two forms each
 */
export function readCapture(text: string, ports: readonly string[], times: number): Captured {
  const plain: string[] = [];
  const spis: Captured["spis"] = new Map();
  const controls = new Map<string, number>();
  // What is inside an overlay is on a line of its own.
  const packets = text.split(/\n(?=\d+\.\d+ )/).filter((packet) => /^\d+\.\d+ /.test(packet));
  for (const packet of packets) {
    const [time = "", port = ""] = packet.split(/\s+/, 2);
    const spi = /^\S+ \S+\s+Out IP \S+ > \S+: ESP\(spi=(0x[0-9a-f]+)/.exec(packet)?.[1];
    if (spi !== undefined) spis.set(Number(spi), { first: Number(time), ...spis.get(Number(spi)), last: Number(time) });
    else if (packet.includes(`IP ${CONTROL_POD}.`)) controls.set(port, (controls.get(port) ?? 0) + 1);
    // The prover and the watch send controls there as well.
    else if (packet.includes(` > ${NOWHERE}.`)) continue;
    else plain.push(packet.replaceAll("\n", " / "));
  }
  return { plain, spis, blind: whyBlind(text, ports, times, controls) };
}

function whyBlind(
  text: string,
  ports: readonly string[],
  times: number,
  controls: ReadonlyMap<string, number>,
): string | undefined {
  const unseen = ports.filter((port) => controls.get(port) !== 2 * times);
  if (ports.length === 0) return "no port is known";
  if (unseen.length > 0) return `not every control was seen at ${unseen.join(", ")}`;
  const lost = /(\d+) packets? dropped by kernel/.exec(text)?.[1];
  if (lost === undefined) return "the capture ended before it was ended";
  return lost === "0" ? undefined : `the kernel dropped ${lost} packets before the capture saw them`;
}
