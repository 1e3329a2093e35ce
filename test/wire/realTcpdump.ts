import { spawnSync } from "node:child_process";
import type { Packet } from "../../prover/wire/packet.ts";
import { pcapFile } from "../../prover/wire/pcap.ts";
import { TcpdumpReader } from "../../prover/wire/tcpdump.ts";

export const withoutTcpdump = spawnSync("tcpdump", ["--version"]).error && "needs tcpdump";

/** Time of the first frame given to `tcpdump`; the others follow, one a second. */
export const firstTime = 1_700_000_000;

/** What tcpdump prints of these frames. */
export function tcpdump(frames: Buffer[], ...args: string[]): string {
  const input = pcapFile(frames.map((bytes, index) => ({ time: firstTime + index, bytes })));
  const run = spawnSync("tcpdump", ["-nn", "-tt", "-r", "-", ...args], { input, encoding: "utf8", maxBuffer: 2 ** 26 });
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout;
}

/** The frames as the prover reads them from tcpdump. */
export function read(...frames: Buffer[]): Packet[] {
  const reader = new TcpdumpReader();
  return [...reader.push(tcpdump(frames, "-v", "-xx")), ...reader.end()];
}

/** Which of the frames a filter catches, by their index. */
export function caught(frames: Buffer[], filter: string): number[] {
  return [...tcpdump(frames, filter).matchAll(/^(\d{10})\./gm)].map(([, time]) => Number(time) - firstTime);
}

/** `a.port > b.port PROTOCOL` for each layer, outermost first. */
export function told(packet: Packet | undefined): string {
  const layers = packet?.layers.map(({ src, sport, dst, dport, protocol, fragment, overlay }) => {
    const piece = fragment
      ? ` ${fragment.id}:${fragment.offset}+${fragment.length}${fragment.more ? " more" : ""}`
      : "";
    return `${src}${sport ? `.${sport}` : ""} > ${dst}${dport ? `.${dport}` : ""} ${protocol}${piece}${overlay ? ` ${overlay}` : ""}`;
  });
  return [...(layers ?? []), ...(packet?.esp ? [`${packet.esp.spi}/${packet.esp.sequence}`] : [])].join(" | ");
}
