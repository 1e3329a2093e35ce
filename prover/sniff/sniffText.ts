import { count, type Decision } from "./decide.ts";
import type { PacketExample, Sniffed } from "./sniffed.ts";
import type { Workload } from "./workload.ts";

/** The view of a sniff for a terminal, before and after, every line ending in a line feed. */
export function sniffText(seen: Sniffed, { verdict, statement, advice }: Decision, color: boolean): string {
  const { text, from, to, command, before, wire } = seen;
  const sum = (of: (place: Sniffed["wire"][number]) => number) => wire.reduce((all, place) => all + of(place), 0);
  const example = (packet: PacketExample | null | undefined) => (packet ? exampleLines(packet, color) : []);
  const places = wire.map(({ node, device }) => `${device} of ${node}`).join(", ");
  return [
    `looked for ${JSON.stringify(text)} from ${placeOf(from)} to ${to ? placeOf(to) : "other nodes"}`,
    ...(command ? [`ran there: ${command.text}${command.failed === null ? "" : ` (it ${command.failed})`}`] : []),
    `before: inside the node (${before.device} of ${before.node})`,
    `  ${count(before.packets)} with the text`,
    ...example(before.example),
    `after: on the wire (${places})`,
    `  ${count(sum(({ packets }) => packets))} with the text`,
    ...example(wire.find((place) => place.example)?.example),
    `  ${count(sum(({ encrypted }) => encrypted.packets))} encrypted`,
    ...example(wire.find(({ encrypted }) => encrypted.example)?.encrypted.example),
    `${verdict}: ${statement}`,
    ...(advice ? [advice] : []),
    "",
  ].join("\n");
}

function placeOf({ namespace, pod, ip, node }: Workload): string {
  return `${namespace}/${pod} (${ip} on ${node})`;
}

function exampleLines({ headers, load }: PacketExample, color: boolean): string[] {
  const [on, off] = color ? ["\u001b[7m", "\u001b[27m"] : ["«", "»"];
  const text = load.text === "" ? "" : `${on}${load.text}${off}`;
  return [`    ${headers}`, `      ${load.before}${text}${load.after}`];
}
