import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as timer } from "node:timers/promises";
import { CommandError, type ProbeApi } from "../../prover/clusterApi.ts";
import { controlCommand, plannedControls } from "../../prover/wire/controls.ts";
import { captureFilters } from "../../prover/wire/filters.ts";
import { MarkerLog, markerCommands } from "../../prover/wire/markers.ts";
import { hostPod } from "../../prover/wire/podManifest.ts";
import { PodTap, ProcessTap, type Tap } from "../../prover/wire/tap.ts";
import { Vantage, type Watch } from "../../prover/wire/vantage.ts";
import { GRACE } from "../../prover/wire/wave.ts";
import { describeUnless } from "../skip.ts";

const missing = ["tcpdump", "socat", "ip", "unshare", "nsenter", "timeout", "pgrep"].filter(
  (tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0,
);
const cannot = process.getuid?.() !== 0 ? "needs root" : missing.length > 0 ? `needs ${missing.join(", ")}` : undefined;

const PORT = 23_456;
const MAC = "02:00:00:00:00:01";

describeUnless(cannot, "what runs in a probe pod, in a network namespace", () => {
  let namespace: ChildProcess;
  let inside: string[];
  const servers: ChildProcess[] = [];

  beforeAll(async () => {
    const devices = `ip link set lo up; ip link add v0 address ${MAC} type veth peer name v1; ip link set v0 up; ip link set v1 up`;
    namespace = spawn("unshare", ["-n", "sh", "-c", `${devices}; echo ready; exec sleep 120`]);
    if (namespace.stdout) await once(namespace.stdout, "data");
    inside = ["nsenter", `--net=/proc/${namespace.pid}/ns/net`];
  });

  afterAll(() => {
    // A pod's processes end with it; here with their group.
    for (const { pid } of servers) if (pid !== undefined) process.kill(-pid, "SIGKILL");
    namespace.kill();
  });

  function start(command: readonly string[]): ChildProcess {
    const [program = "", ...args] = [...inside, ...command];
    return spawn(program, args, { detached: true });
  }

  function run(command: readonly string[]): string {
    const [program = "", ...args] = [...inside, ...command];
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout;
  }

  test("markers come back from the echo servers over both protocols and families, and from nobody else", async () => {
    const pod = hostPod(0, "n", { image: "", markerPort: PORT, hostTalks: true, deadline: 60 });
    servers.push(start(pod.spec?.containers[0]?.command ?? []));
    await timer(500);
    const targets = ["127.0.0.1", "::1"].flatMap((address) =>
      (["tcp", "udp"] as const).map((protocol) => ({ protocol, address, text: `wirecloak-${protocol}-${address}` })),
    );
    const sentTo = (port: number) => {
      const log = new MarkerLog();
      const read = log.reader();
      for (const { command } of markerCommands(0, port, targets)) read(run(command));
      return targets.map(({ text }) => log.of(text));
    };
    expect(sentTo(PORT)).toEqual(targets.map(() => ({ sent: 1, returned: 1 })));
    expect(sentTo(PORT + 1)).toEqual(targets.map(() => ({ sent: 5, returned: 0 })));
  }, 30_000);

  /** Captures on a device while both controls of a node are sent on v0. */
  async function watched(tap: Tap, device: string, keep?: string) {
    const controls = plannedControls(["worker1"], "vxlan");
    const sent = controls.map(({ from, form }) => ({ from, form, sent: 2 }));
    const node = { name: "worker1", ips: ["172.18.0.2"], podIp: "10.244.1.7", podCidrs: ["10.244.1.0/24"] };
    const watch: Watch = {
      filters: captureFilters({ markerPort: PORT, podCidrs: node.podCidrs }),
      context: {
        nodes: [node],
        markerPort: PORT,
        markers: new Set(),
        controls: new Map(controls.map(({ marker, from, form }) => [marker, { from, form, sent: 2 }])),
      },
      seconds: 20,
      keep,
      // Jest need not wait for a patience that nobody needed.
      sleep: (seconds) => timer(1000 * seconds, undefined, { ref: false }),
    };
    const vantage = new Vantage({ name: "worker1 v0", where: "node", node: "worker1", device }, tap, watch);
    if ((await vantage.started()) === null) {
      const sender = { device: "v0", mac: MAC, nodeIp: "172.18.0.2", podIp: "10.244.1.7", peerPodIp: "10.244.2.7" };
      run(controlCommand(controls, { ...sender, markerPort: PORT }));
      await timer(1000 * GRACE);
    }
    return vantage.end(sent);
  }

  const clean = {
    ...{ silent: null, complete: true, dropped: 0, plaintext: [], ciphertext: [] },
    controls: [
      { from: "worker1", form: "bare", sent: 2, seen: 2 },
      { from: "worker1", form: "vxlan", sent: 2, seen: 2 },
    ],
  };

  test("controls are seen by a capture on this machine, which tells its counts when it is ended", async () => {
    const keep = mkdtempSync(join(tmpdir(), "wirecloak-pcap-"));
    expect(await watched(new ProcessTap(inside), "v0", keep)).toMatchObject(clean);
    expect(readdirSync(keep).sort()).toEqual(["worker1-v0-encrypted.pcap", "worker1-v0-readable.pcap"]);
    rmSync(keep, { recursive: true });
  }, 30_000);

  test("and by one in a pod, which is ended by its process id", async () => {
    const exec: ProbeApi["exec"] = (_where, command, { stdout, stderr }) =>
      new Promise((resolve, reject) => {
        const child = start(command);
        child.stdout?.setEncoding("utf8").on("data", (text: string) => stdout?.(text));
        child.stderr?.setEncoding("utf8").on("data", (text: string) => stderr?.(text));
        child.on("close", (code) => (code === 0 ? resolve() : reject(new CommandError(`failed with ${code}`))));
      });
    const tap = new PodTap({ exec }, { namespace: "n", pod: "host-0", container: "host" }, 20_000);
    expect(await watched(tap, "v0")).toMatchObject(clean);
  }, 30_000);

  test("a device that is not there is said", async () => {
    expect(await watched(new ProcessTap(inside), "v9")).toMatchObject({
      silent: expect.stringMatching(/^tcpdump: v9: .*No such device/i),
      complete: false,
    });
  }, 30_000);

  test("a capture that is given up leaves no process behind", async () => {
    const tap = new ProcessTap(inside);
    const ended = tap.run(["timeout", "20", "tcpdump", "-i", "v0", "port 23457"], {
      stdout: () => {},
      stderr: () => {},
    });
    const running = (): string => spawnSync("pgrep", ["-f", "tcpdump -i v0 port 23457"], { encoding: "utf8" }).stdout;
    for (let tries = 0; running() === "" && tries < 50; tries++) await timer(100);
    expect(running()).not.toBe("");
    tap.close();
    await ended.catch(() => undefined);
    for (let tries = 0; running() !== "" && tries < 50; tries++) await timer(100);
    expect(running()).toBe("");
  }, 30_000);

  test("so is a program that is not there", async () => {
    expect(await watched(new ProcessTap(["wirecloak-no-such-program"]), "v0")).toMatchObject({
      silent: expect.stringContaining("wirecloak-no-such-program cannot be started"),
    });
  });
});
