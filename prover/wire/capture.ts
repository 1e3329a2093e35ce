import type { Packet } from "./packet.ts";
import type { Tap } from "./tap.ts";
import { isListening, packetsDropped, TcpdumpReader } from "./tcpdump.ts";

export interface CaptureOptions {
  device: string;
  filter: string;
  /** Only what the device sends: a node's decrypted packets come in on the same device. */
  outgoing: boolean;
  /** Bytes of each packet; 0: all of them. */
  snapLength: number;
  /** Packets after which it ends by itself. */
  count: number;
  /** KiB of packets that the kernel keeps for it; absent: tcpdump's default, 2 MiB. */
  buffer?: number;
  /** Seconds after which it ends by itself, whatever becomes of the prover. */
  seconds: number;
}

/** The command line of a capture. */
export function captureCommand({
  device,
  filter,
  outgoing,
  snapLength,
  count,
  buffer,
  seconds,
}: CaptureOptions): string[] {
  return [
    ...["timeout", String(seconds), "tcpdump", "-i", device],
    ...(outgoing ? ["-p", "-Q", "out"] : []),
    ...(buffer === undefined ? [] : ["-B", String(buffer)]),
    ...["-l", "-nn", "-v", "-xx", "-tt", "-s", String(snapLength), "-c", String(count), filter],
  ];
}

/** What a capture says of itself at its end. */
export interface CaptureEnd {
  /** It listened until it was told to end, and said what it missed. */
  complete: boolean;
  /** Packets that the kernel dropped; null where it did not say. */
  dropped: number | null;
}

/** Characters of standard error that are kept: tcpdump writes a few lines. */
const SAID = 4_000;

/** Characters of it that are repeated as the reason for an end. */
const SHOWN = 300;

/** One tcpdump at work; its packets are handed on as they come and not kept. */
export class Capture {
  private said = "";
  private listening = false;
  private ended = false;
  private readonly run: Promise<void>;
  private readonly heard: Promise<void>;

  constructor(tap: Tap, options: CaptureOptions, packet: (packet: Packet) => void) {
    const reader = new TcpdumpReader();
    const opened = Promise.withResolvers<void>();
    this.heard = opened.promise;
    const stdout = (text: string): void => {
      for (const each of reader.push(text)) packet(each);
    };
    const stderr = (text: string): void => {
      this.said = (this.said + text).slice(-SAID);
      if (this.listening || !isListening(this.said)) return;
      this.listening = true;
      opened.resolve();
    };
    this.run = tap
      .run(captureCommand(options), { stdout, stderr })
      .catch((error: Error) => {
        // A time limit that was reached and an end by a signal are ends like others; what counts is what tcpdump said.
        if (!this.listening) this.said ||= error.message;
      })
      .then(() => {
        for (const each of reader.end()) packet(each);
        this.ended = true;
        opened.resolve();
      });
  }

  /** Waits until packets are seen. Null, or why none are. */
  async started(patience: Promise<unknown>): Promise<string | null> {
    await Promise.race([this.heard, patience]);
    if (this.listening && !this.ended) return null;
    if (!this.ended) return "tcpdump did not begin to listen";
    return (
      this.said
        .trim()
        .replaceAll(/\s*\n\s*/g, " ")
        .slice(-SHOWN) || "tcpdump ended without a reason"
    );
  }

  /** It ended before anybody told it to. */
  get early(): boolean {
    return this.ended;
  }

  /** Waits for the end, once the tap was told to end. `early` is that of the moment before. */
  async finished(early: boolean, patience: Promise<unknown>): Promise<CaptureEnd> {
    await Promise.race([this.run, patience]);
    const dropped = packetsDropped(this.said);
    return { complete: this.listening && !early && this.ended && dropped !== null, dropped };
  }
}
