import type { Packet } from "./packet.ts";

/** The packets as a classic pcap file: Ethernet, microseconds. */
export function pcapFile(packets: Pick<Packet, "time" | "bytes">[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262_144, 16);
  header.writeUInt32LE(1, 20); // LINKTYPE_ETHERNET
  const records = packets.flatMap(({ time, bytes }) => {
    const microseconds = Math.round(time * 1e6);
    const record = Buffer.alloc(16);
    record.writeUInt32LE(Math.floor(microseconds / 1e6), 0);
    record.writeUInt32LE(microseconds % 1e6, 4);
    record.writeUInt32LE(bytes.length, 8);
    record.writeUInt32LE(bytes.length, 12);
    return [record, bytes];
  });
  return Buffer.concat([header, ...records]);
}
