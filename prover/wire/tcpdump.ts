import type { Packet } from "./packet.ts";
import { readLayers } from "./tcpdumpLayers.ts";

/** Reads the text of `tcpdump -l -nn -v -xx -tt` as it comes. tcpdump has read the packets; this reads its words. */
export class TcpdumpReader {
  #partialLine = "";
  #packet: PacketText | null = null;

  /** The packets that this text, cut anywhere, completes. A packet is complete when the next one begins. */
  push(text: string): Packet[] {
    const lines = (this.#partialLine + text).split("\n");
    this.#partialLine = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line));
  }

  /** The last packet. */
  end(): Packet[] {
    const packets = [...this.push("\n"), ...this.#finish()];
    this.#packet = null;
    return packets;
  }

  #line(line: string): Packet[] {
    const head = /^(\d{9,11}\.\d{6}) (.*)$/.exec(line);
    if (head) {
      const before = this.#finish();
      this.#packet = { time: Number(head[1]), words: [head[2] ?? ""], hex: [] };
      return before;
    }
    if (this.#packet) addLine(this.#packet, line);
    return [];
  }

  #finish(): Packet[] {
    if (!this.#packet) return [];
    const { time, words, hex } = this.#packet;
    const [, device, way, head] = onAnyDevice.exec(words[0] ?? "") ?? [];
    const read = { time, bytes: Buffer.from(hex.join(""), "hex") };
    if (device === undefined || head === undefined) return [{ ...read, ...readLayers(words) }];
    return [{ ...read, ...readLayers([head, ...words.slice(1)]), at: { device, outgoing: way === "Out" } }];
  }
}

/** `-i any` tells device and direction first: `eth0  Out IP (tos ...`. */
const onAnyDevice = /^(\S+) +(In|Out|B|M|P) +(.*)$/;

interface PacketText {
  time: number;
  words: string[];
  /** Lines of 16 bytes. */
  hex: string[];
}

/** Headers come first; what follows is payload that tcpdump knows, such as a long HTTP head. */
const maxWordLines = 32;

function addLine(packet: PacketText, line: string): void {
  const [, offset, digits] = /^\t0x([0-9a-f]{4,}): {2}([0-9a-f ]+)$/.exec(line) ?? [];
  if (offset === undefined || digits === undefined) {
    if (packet.words.length < maxWordLines) packet.words.push(line);
    return;
  }
  // A payload may look like a dump; the real one comes last and begins at 0.
  if (Number.parseInt(offset, 16) === 0) packet.hex = [];
  packet.hex.push(digits.replaceAll(" ", ""));
}

/** Packets that the kernel dropped before tcpdump saw them; null where tcpdump did not say, as when it was killed. */
export function packetsDropped(stderr: string): number | null {
  const dropped = /^(\d+) packets? dropped by kernel/m.exec(stderr)?.[1];
  return dropped === undefined ? null : Number(dropped);
}

/** tcpdump has opened the device: from here on it sees every packet. */
export function isListening(stderr: string): boolean {
  return /^(?:tcpdump: )?listening on \S+, link-type /m.test(stderr);
}
