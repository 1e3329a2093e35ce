import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Capture } from "./capture.ts";
import { type CaptureFilters, encryptedSnapLength } from "./filters.ts";
import type { ControlSeen, VantageSeen } from "./observation.ts";
import type { Packet } from "./packet.ts";
import { pcapFile } from "./pcap.ts";
import { Sightings, type WireContext } from "./sightings.ts";
import type { Tap } from "./tap.ts";

/** Bounds of a capture, for the memory and the time of both sides. A wire that is encrypted holds few readable packets. */
const READABLE_PACKETS = 50_000;
const ENCRYPTED_PACKETS = 20_000;

/** Seconds for tcpdump to begin: outside of the nodes an image may have to be pulled first. */
export const BEGIN_PATIENCE = { node: 10, outside: 90 };

/** Seconds for tcpdump to end. */
const END_PATIENCE = 10;

export type Place = Pick<VantageSeen, "name" | "where" | "node" | "device">;

export interface Watch {
  filters: CaptureFilters;
  context: WireContext;
  /** Seconds after which its captures end by themselves. */
  seconds: number;
  /** Folder for what was captured. */
  keep?: string | undefined;
  sleep: (seconds: number) => Promise<void>;
}

/** Two captures at one place: everything readable that matters, and the heads of what is encrypted. */
export class Vantage {
  private readonly sightings: Sightings;
  private readonly readable: Capture;
  private readonly encrypted: Capture;
  private readonly place: Place;
  private readonly tap: Tap;
  private readonly watch: Watch;
  private silent: string | null = null;

  /** Starts at once. */
  constructor(place: Place, tap: Tap, watch: Watch) {
    this.place = place;
    this.tap = tap;
    this.watch = watch;
    this.sightings = new Sightings(watch.context);
    this.readable = this.capture("readable", 0, READABLE_PACKETS);
    // Where so much is encrypted that this is not enough, a pair may stay unseen; a leak never does.
    this.encrypted = this.capture("encrypted", encryptedSnapLength, ENCRYPTED_PACKETS);
  }

  /** Waits until both listen. Null, or why they do not. */
  async started(): Promise<string | null> {
    const patience = this.watch.sleep(BEGIN_PATIENCE[this.place.where]);
    this.silent = (await this.readable.started(patience)) ?? (await this.encrypted.started(patience));
    if (this.silent !== null) this.close();
    return this.silent;
  }

  /** Ends both; `sent` are the controls that should have passed here. */
  async end(sent: readonly Omit<ControlSeen, "seen">[]): Promise<VantageSeen> {
    if (this.silent !== null) return silentVantage(this.place, this.silent);
    const early = this.readable.early;
    const patience = this.watch.sleep(END_PATIENCE);
    // Where it cannot be told to end, it ends by its own limit, too late for this run.
    await this.tap.end().catch(() => undefined);
    const { complete, dropped } = await this.readable.finished(early, patience);
    await this.encrypted.finished(true, patience);
    this.close();
    const { controls, plaintext, ciphertext } = this.sightings.result();
    return {
      ...this.place,
      silent: null,
      complete,
      dropped: dropped ?? 0,
      controls: sent.map(({ from, form, sent: count }) => ({
        from,
        form,
        sent: count,
        seen: controls.find((control) => control.from === from && control.form === form)?.seen ?? 0,
      })),
      plaintext,
      ciphertext,
    };
  }

  /** Waits for nothing any longer. */
  close(): void {
    this.tap.close();
  }

  private capture(what: keyof CaptureFilters, snapLength: number, count: number): Capture {
    const { filters, seconds, keep } = this.watch;
    const { device, where, name } = this.place;
    const kept = keep === undefined ? undefined : new KeptPackets(join(keep, `${fileName(name)}-${what}.pcap`));
    const options = { device, filter: filters[what], outgoing: where === "node", snapLength, count, seconds };
    return new Capture(this.tap, options, (packet) => {
      this.sightings.add(packet);
      kept?.add(packet);
    });
  }
}

/** A vantage at which nothing was captured. */
export function silentVantage(place: Place, silent: string): VantageSeen {
  return { ...place, silent, complete: false, dropped: 0, controls: [], plaintext: [], ciphertext: [] };
}

function fileName(name: string): string {
  return name.replaceAll(/[^\w.-]+/g, "-");
}

/** A pcap file that grows packet by packet. */
class KeptPackets {
  private readonly file: string;
  private readonly head: number;

  constructor(file: string) {
    this.file = file;
    const empty = pcapFile([]);
    this.head = empty.length;
    writeFileSync(file, empty);
  }

  add(packet: Packet): void {
    appendFileSync(this.file, pcapFile([packet]).subarray(this.head));
  }
}
