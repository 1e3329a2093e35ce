import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Form } from "../../components/encryption/guard/forms.ts";
import { guardRemoval, guardRuleset } from "../../components/encryption/guard/ruleset.ts";
import { parseGuardTable } from "../../components/encryption/guard/table.ts";
import { controlFrame } from "../../prover/wire/controlFrame.ts";
import { CORPUS } from "../firewall/corpus.ts";
import type { Case, Fate } from "../firewall/meanings.ts";
import { guarded, type Judged, onBridge } from "../firewall/renderings.ts";
import { describeUnless } from "../skip.ts";

const missing = ["nft", "socat", "ip", "unshare", "nsenter"].filter(
  (tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0,
);
const cannot = process.getuid?.() !== 0 ? "needs root" : missing.length > 0 ? `needs ${missing.join(", ")}` : undefined;

/** Every frame is of one size, so that socat cuts a file into frames. What is behind a packet is padding. */
const SIZE = 256;
/** Counts what leaves by the destination's port, past the guard. */
const SEEN = `table bridge seen
delete table bridge seen
table bridge seen {
	counter passed { packets 0 bytes 0 }
	chain out {
		type filter hook postrouting priority srcnat; policy accept;
		oifname { "portb", "portd" } counter name passed
	}
}
`;

/** The guards that packets are tried on: every mode, and changes that let pass what both have. */
const FORMS: [string, Form[]][] = [
  ["wireguard", ["wireguard"]],
  ["wireguard with node encryption", ["wireguard-nodes"]],
  ["ipsec", ["ipsec"]],
  ["ipsec up to 1.17 in a tunnel", ["ipsec-in-overlay"]],
  ["wireguard and ipsec, in a switch", ["wireguard", "ipsec"]],
  ["node encryption switched on", ["wireguard", "wireguard-nodes"]],
];
const frames = CORPUS.map(({ frame }) => frame);

describeUnless(cannot, "the guard on a bridge", () => {
  let namespace: ChildProcess;
  let inside: string[];
  const folder = mkdtempSync(join(tmpdir(), "wirecloak-guard-"));

  beforeAll(async () => {
    const devices = [
      "sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1",
      // The second one is another cluster's.
      ...["lan0 a b", "lan1 c d"].flatMap((bridge) => {
        const [name = "", ...ends] = bridge.split(" ");
        return [
          `ip link add ${name} type bridge mcast_snooping 0`,
          ...ends.flatMap((end) => [
            `ip link add eth${end} type veth peer name port${end}`,
            `ip link set port${end} master ${name} up`,
            `ip link set eth${end} up`,
          ]),
          `ip link set ${name} up`,
        ];
      }),
      "echo ready",
      "exec sleep 900",
    ];
    namespace = spawn("unshare", ["-n", "sh", "-ec", devices.join("; ")]);
    if (namespace.stdout) await once(namespace.stdout, "data");
    inside = [`--net=/proc/${namespace.pid}/ns/net`];
  });

  afterAll(() => {
    namespace.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  function run(command: string[], input: string | Buffer = ""): string {
    const { status, stdout, stderr } = spawnSync("nsenter", [...inside, ...command], { input });
    if (status !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
    return stdout.toString();
  }

  const nft = (document: string) => run(["nft", "-f", "-"], document);

  const send = (...frames: Buffer[]) => sendBy("etha", ...frames);

  function sendBy(device: string, ...frames: Buffer[]): void {
    const file = join(folder, "frames");
    const padded = frames.map((frame) => Buffer.concat([frame, Buffer.alloc(SIZE - frame.length)]));
    writeFileSync(file, Buffer.concat(padded));
    run(["socat", "-u", "-b", String(SIZE), `OPEN:${file}`, `INTERFACE:${device}`]);
  }

  /** How many packets met each fate since the tables were set. */
  function fates(): Partial<Record<Fate, number>> {
    const text = run(["nft", "list", "ruleset"]);
    const [, passed] = /counter passed \{\n\s+packets (\d+)/.exec(text) ?? [];
    const dropped = Object.entries(parseGuardTable(text)?.dropped ?? {}).map(([name, count]) => [name, count.packets]);
    const all = Object.fromEntries([["pass", Number(passed)], ...dropped]) as Record<Fate, number>;
    return Object.fromEntries(Object.entries(all).filter(([, packets]) => packets > 0));
  }

  describe.each(FORMS)("%s", (_, forms) => {
    const rules = guardRuleset(guarded(forms));

    test("drops and counts what is readable, and passes what must", () => {
      const judged = CORPUS.map(onBridge(forms));
      // All of one fate at once: where every packet of a group met it, each of them did.
      for (const fate of new Set(judged.map(({ right }) => right))) {
        const alike = judged.filter(({ right }) => right === fate).map(({ packet }) => packet);
        expect(met(rules, alike)).toEqual(alike.map(({ what }) => [what, fate]));
      }
    }, 120_000);

    test("does what the interpreter of the corpus says, also without any single rule", () => {
      const lines = rules.split("\n");
      const mutants = lines.flatMap((line, at) =>
        /^\t\t(?!type )/.test(line) ? [lines.toSpliced(at, 1).join("\n")] : [],
      );
      const differ = mutants.filter((document) => {
        nft(SEEN + document);
        send(...frames);
        return JSON.stringify(sorted(fates())) !== JSON.stringify(sorted(tally(CORPUS.map(onBridge(forms, document)))));
      });
      expect(differ).toEqual([]);
      expect(mutants.length).toBeGreaterThan(20);
    }, 120_000);
  });

  /** What became of each packet; one by one only where they did not all meet the same fate. */
  function met(rules: string, packets: readonly Case[]): [string, string][] {
    nft(SEEN + rules);
    send(...packets.map(({ frame }) => frame));
    const [[fate, number] = ["lost", 0], ...others] = sorted(fates());
    if (others.length === 0 && number === packets.length) return packets.map(({ what }) => [what, fate]);
    return packets.map(({ what, frame }) => {
      nft(SEEN + rules);
      send(frame);
      return [
        what,
        sorted(fates())
          .map(([name]) => name)
          .join(", "),
      ];
    });
  }

  test("does not meet the prover's control frame, which is addressed to its sender", () => {
    nft(SEEN + guardRuleset(guarded(["wireguard"])));
    const how = { mac: "02:00:00:00:00:02", nodeIp: "172.30.0.3", markerPort: 7777, marker: "m" };
    const pods = { innerSrc: "10.244.1.5", innerDst: "10.244.2.6" };
    send(controlFrame({ ...how, ...pods, form: "bare", overlayPort: 0 }));
    send(controlFrame({ ...how, ...pods, form: "vxlan", overlayPort: 8472 }));
    // Nor would it with addresses that the guard drops.
    const sender = Buffer.from("020000000002", "hex");
    send(...frames.map((frame) => Buffer.concat([sender, sender, frame.subarray(12)])));
    expect(fates()).toEqual({});
  });

  describe("tells by itself whether it was changed", () => {
    const table = () => parseGuardTable(run(["nft", "list", "table", "bridge", "wirecloak-test"]));
    const shared = { ...guarded(["wireguard"]), members: ["02:00:00:00:00:02"] };

    beforeEach(() => {
      nft(guardRuleset(shared));
      nft(SEEN + guardRuleset(shared, table()?.dropped, table()?.digest));
    });

    test("not by what it counts and learns, nor by being set again", () => {
      const before = table();
      send(...frames, between("0033", "0034", frameOf("ESP (IPv4)")));
      const after = table();
      expect(after).toMatchObject({ intact: true, digest: before?.digest });
      expect(after?.dropped).not.toEqual(before?.dropped);
      expect(after?.members).toContain("02:00:00:00:00:33");
      nft(guardRuleset(shared, undefined, before?.digest));
      expect(table()).toEqual(before);
    });

    test.each([
      ["a rule in front", "insert rule bridge wirecloak-test forward accept"],
      ["no rules", "flush chain bridge wirecloak-test between_nodes"],
      ["another address", "add element bridge wirecloak-test opted_out { 172.30.0.9 }"],
      ["another priority", "add chain bridge wirecloak-test early { type filter hook forward priority -300; }"],
    ])("but by %s", (_, change) => {
      const before = table();
      nft(change);
      expect(table()).toMatchObject({ intact: false, digest: expect.not.stringMatching(before?.digest ?? "") });
    });
  });

  describe("beside another cluster with the same pods' addresses", () => {
    const pods = CORPUS.filter(({ what }) => /^pod to pod/.test(what));
    const shared = (...members: string[]) => guardRuleset({ ...guarded(["wireguard"]), members });
    const dropped = () => Object.fromEntries(Object.entries(fates()).filter(([name]) => name !== "pass"));
    const drops = { "other-protocol": 1, "pod-to-pod": pods.length - 1 };

    test("drops nothing of that one's", () => {
      nft(SEEN + shared("02:00:00:00:00:01", "02:00:00:00:00:02"));
      send(frameOf("ARP"));
      sendBy("ethc", ...pods.map(({ frame }) => between("0011", "0012", frame)));
      expect(fates()).toEqual({ pass: 1 + pods.length });
    });

    test.each([
      ["sender", ["02:00:00:00:00:02"]],
      ["receiver", ["02:00:00:00:00:01"]],
    ])("drops its own by the %s alone", (_, members) => {
      nft(SEEN + shared(...members));
      send(...pods.map(({ frame }) => frame));
      expect(fates()).toEqual(drops);
    });

    test.each([
      ["ARP", "ARP"],
      ["anything else that a node sends", "ESP in VXLAN (IPv4)"],
      ["anything else that a node sends, in IPv6", "ESP in VXLAN (IPv6)"],
    ])("knows a node that has just joined by %s", (_, name) => {
      nft(SEEN + shared());
      send(...pods.map(({ frame }) => frame));
      expect(dropped()).toEqual({});
      nft(SEEN + shared());
      send(frameOf(name));
      const before = dropped();
      send(...pods.map(({ frame }) => frame));
      expect(dropped()).toEqual({ ...before, ...drops });
    });
  });

  test("keeps what it has counted when it is set anew, and touches no other table", () => {
    nft(`table bridge others { chain own { }\n}\n${SEEN}${guardRuleset(guarded(["wireguard"]))}`);
    send(...frames);
    const first = parseGuardTable(run(["nft", "list", "ruleset"]));
    nft(guardRuleset(guarded(["ipsec"]), first?.dropped));
    const second = parseGuardTable(run(["nft", "list", "ruleset"]));
    expect(second).toEqual({ ...first, forms: ["ipsec"], digest: expect.any(String) });
    nft(guardRemoval("wirecloak-test") + guardRemoval("wirecloak-test"));
    expect(run(["nft", "list", "tables"]).split("\n")).toEqual(["table bridge others", "table bridge seen", ""]);
  });
});

function frameOf(name: string): Buffer {
  const found = CORPUS.find(({ what }) => what === name);
  if (found === undefined) throw new Error(`no packet ${name}`);
  return found.frame;
}

/** How many packets meet each fate. */
function tally(judged: readonly Judged[]): Partial<Record<Fate, number>> {
  const sum: Record<string, number> = {};
  for (const { found } of judged) sum[found] = (sum[found] ?? 0) + 1;
  return sum;
}

/** The same frame from another network card, to another one. */
function between(from: string, to: string, frame: Buffer): Buffer {
  const mac = (end: string) => Buffer.from(`02000000${end}`, "hex");
  return Buffer.concat([mac(to), mac(from), frame.subarray(12)]);
}

function sorted(fates: Partial<Record<Fate, number>>): [string, number][] {
  return Object.entries(fates).sort(([one], [other]) => one.localeCompare(other));
}
