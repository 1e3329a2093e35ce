import type { Evidence } from "../schema.ts";
import { html, type Markup } from "./markup.ts";
import { table } from "./table.ts";
import { moment } from "./words.ts";

/** What encryption was measured to cost; nothing where nobody measured. */
export function throughputSection({ throughput, simulated }: Evidence): Markup {
  if (throughput.length === 0) return html``;
  return html`<section aria-labelledby="throughput">
<h2 id="throughput">Throughput</h2>
<p>One TCP stream between pods of two nodes, by <code>wirecloak bench</code>, the newest run of each mode. It is no part of the proof.${simulated && html` <strong>In rehearsal the encryption runs in user space: this is not Cilium’s speed.</strong>`}</p>
${table(
  "Throughput by mode",
  [
    { head: "Mode" },
    { head: "Gbit/s, mean", figures: true },
    { head: "Deviation", figures: true },
    { head: "Runs", figures: true },
    { head: "MTU", figures: true },
    { head: "When" },
  ],
  throughput.map(({ mode, mean, deviation, runs, mtu, takenAt }) => [
    mode,
    mean.toFixed(2),
    deviation?.toFixed(2) ?? "–",
    String(runs),
    mtu === null ? "–" : String(mtu),
    moment(takenAt),
  ]),
)}</section>
`;
}
