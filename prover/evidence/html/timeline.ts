import type { Change } from "../../watch/change.ts";
import { html, type Markup } from "./markup.ts";
import { shortened } from "./words.ts";

const WIDTH = 980;
/** Room for the pairs' names. */
const SIDE = 250;
const HEAD = 34;
const ROW = 16;

/** Pairs that are drawn: those that were without answer longest. */
const ROWS = 60;

/** The change as a picture: a row for each pair, with a bar for each time without an answer, and the phases across all of them. */
export function timeline({ startedAt, endedAt, phases, pairs }: Change): Markup {
  const begin = Date.parse(startedAt);
  const length = Math.max(1, Date.parse(endedAt) - begin);
  const x = (at: number): number => SIDE + ((WIDTH - SIDE - 12) * Math.min(Math.max(0, at - begin), length)) / length;
  const shown = pairs.each.toSorted((a, b) => b.longestGapMs - a.longestGapMs).slice(0, ROWS);
  const height = HEAD + ROW * shown.length + 26;
  return html`<svg class="timeline" role="img" aria-labelledby="timeline-title timeline-desc" viewBox="0 0 ${WIDTH} ${height}">
<title id="timeline-title">When pods could not reach each other</title>
<desc id="timeline-desc">A row for each watched pair of nodes, a bar for each time of more than 100 ms without an answer. Numbers are the phases of the table below.</desc>
${shown.map((pair, index) => {
  const y = HEAD + ROW * index;
  return html`<g class="pair-row"><title>${pair.from} to ${pair.to}: ${Math.round(pair.longestGapMs)} ms without an answer at the longest, connection ${pair.connection}</title>
<text x="${SIDE - 10}" y="${y + 11}" text-anchor="end">${shortened(pair.from, 16)} → ${shortened(pair.to, 16)}</text>
<rect class="answered" x="${SIDE}" y="${y + 3}" width="${WIDTH - SIDE - 12}" height="${ROW - 6}"/>${pair.gaps.map(
    (gap) => {
      const from = x(Date.parse(gap.at));
      return html`<rect class="gap" x="${round(from)}" y="${y + 1}" width="${round(Math.max(1.5, x(Date.parse(gap.at) + gap.ms) - from))}" height="${ROW - 2}"/>`;
    },
  )}${pair.leaked > 0 && html`<rect class="leak" x="${SIDE - 7}" y="${y + 2}" width="5" height="${ROW - 4}"/>`}</g>
`;
})}${phases.map(({ at }, index) => {
  const place = round(x(Date.parse(at)));
  return html`<g class="phase"><line x1="${place}" x2="${place}" y1="${HEAD - 8}" y2="${height - 24}"/><text x="${place}" y="${index % 2 === 0 ? 12 : 24}" text-anchor="middle">${index + 1}</text></g>`;
})}
<text class="axis" x="${SIDE}" y="${height - 6}">0 s</text><text class="axis" x="${WIDTH - 12}" y="${height - 6}" text-anchor="end">${(length / 1000).toFixed(1)} s</text>
</svg>
`;
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}
