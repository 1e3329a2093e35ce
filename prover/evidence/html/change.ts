import type { Change, WireState } from "../../watch/change.ts";
import type { Evidence } from "../schema.ts";
import { html, type Markup } from "./markup.ts";
import { facts, table } from "./table.ts";
import { timeline } from "./timeline.ts";
import { named, number, standingLabel } from "./words.ts";

/** What the change that this proof ended cost and showed; nothing where none was watched. */
export function changeSection({ change, simulated }: Evidence): Markup {
  if (!change) return html``;
  const { from, to, complete, why, connections, gapMs, guard, guardDrops, pairs, intervalMs } = change;
  return html`<section aria-labelledby="change">
<h2 id="change">The change</h2>
<p>${from ? stateWords(from) : "An unknown state"} → ${stateWords(to)}, watched from before anything was touched until after the proof: pods on ${pairs.each.length} of ${pairs.total} ordered node pairs sent each other a message every ${intervalMs.udp} ms.${pairs.sample !== null && html` The sample: ${pairs.sample}.`}${simulated && html` <strong>In rehearsal the agents are stand-ins: their gaps are not Cilium’s.</strong>`}</p>
${!complete && html`<p class="unsure">${standingLabel("unsure", "The watch is incomplete:")} ${why}</p>`}
${facts([
  [
    guard ? "Readable packets past the guard" : "Readable packets between the nodes",
    html`${standingLabel(leakStanding(change), number(guard ? change.leaked : change.plaintextWhileEncrypting))}`,
  ],
  ["Readable packets that came as far as the guard", guard ? number(change.attempted) : "there was no guard"],
  ["Dropped by the guard, by its own count", guardDrops === null ? "not told" : number(guardDrops)],
  [
    "Longest time without an answer, of each pair: p50, p99, maximum",
    gapMs === null ? "not measured" : [gapMs.p50, gapMs.p99, gapMs.max].map(duration).join(" · "),
  ],
  ["Connections kept, and broken", `${number(connections.kept)}, ${number(connections.broken)}`],
])}
${pairs.each.length > 0 && timeline(change)}
${table(
  "The phases of the change",
  [
    { head: "Phase" },
    { head: "After", figures: true },
    { head: "Readable before the guard", figures: true },
    { head: "Readable past it", figures: true },
    { head: "Plaintext" },
  ],
  change.phases.map(({ name, at, attempted, pastGuard, forbidden }, index) => [
    `${index + 1}. ${name}`,
    `${((Date.parse(at) - Date.parse(change.startedAt)) / 1000).toFixed(1)} s`,
    number(attempted),
    standingLabel(forbidden && pastGuard > 0 ? "bad" : "note", number(pastGuard)),
    forbidden ? "forbidden" : "not forbidden in all of it",
  ]),
)}
${table(
  "Where the change was watched, and the controls there",
  [{ head: "Place" }, { head: "Controls", figures: true }, { head: "Dropped by the kernel", figures: true }],
  change.vantages.map(({ name, silent, controlsSeen, controlsSent, dropped }) => [
    named(name),
    silent ?? `${number(controlsSeen)} of ${number(controlsSent)} seen`,
    number(dropped),
  ]),
)}
${change.notSeen.length > 0 && html`<h3>What this watch cannot tell</h3><ul>${change.notSeen.map((each) => html`<li>${each}</li>`)}</ul>`}</section>
`;
}

function leakStanding({ guard, leaked, plaintextWhileEncrypting, complete }: Change): "good" | "unsure" | "bad" {
  if ((guard ? leaked : plaintextWhileEncrypting) > 0) return "bad";
  return complete ? "good" : "unsure";
}

function stateWords({ encryption, keyId, nodeEncryption, strict }: WireState): string {
  const mode = { wireguard: "WireGuard", ipsec: "IPsec", none: "No encryption" }[encryption];
  const more = [keyId === null ? "" : `key ${keyId}`, nodeEncryption ? "node encryption" : "", strict ? "strict" : ""];
  const said = more.filter((part) => part !== "");
  return said.length === 0 ? mode : `${mode} (${said.join(", ")})`;
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
