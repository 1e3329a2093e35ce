import type { Evidence, PairEvidence } from "../schema.ts";
import { html, type Markup } from "./markup.ts";
import { byName, PAIR_STANDING, pairSentence, shortened } from "./words.ts";

const NAMES = 170;
const HEAD = 34;

/** Senders down, receivers across: for clusters whose arcs would hide each other. */
export function pairMatrix({ nodes, pairs }: Pick<Evidence, "nodes" | "pairs">, description: string): Markup {
  const cell = nodes.length > 50 ? 10 : 16;
  const size = cell * nodes.length;
  const sorted = [...nodes].sort((a, b) => byName(a.name, b.name));
  const places = new Map(sorted.map(({ name }, index) => [name, index]));
  return html`<div class="scroll" role="region" aria-label="Matrix of node pairs" tabindex="0">
<svg class="matrix" role="img" aria-labelledby="matrix-title matrix-desc" width="${NAMES + size + 4}" height="${HEAD + size + 4}" viewBox="0 0 ${NAMES + size + 4} ${HEAD + size + 4}">
<title id="matrix-title">Matrix of senders (down) and receivers (across)</title>
<desc id="matrix-desc">${description} What is not encrypted is listed in the table below.</desc>
<text class="axis" x="${NAMES - 6}" y="12" text-anchor="end">from ↓ · to →</text>
<rect class="frame" x="${NAMES}" y="${HEAD}" width="${size}" height="${size}"/>
${sorted.map(
  (
    { name },
    index,
  ) => html`<text x="${NAMES - 6}" y="${HEAD + cell * (index + 0.5) + 3}" text-anchor="end">${shortened(name, 22)} ${index + 1}</text>${
    (cell > 10 || (index + 1) % 5 === 0) &&
    html`<text class="number" x="${NAMES + cell * (index + 0.5)}" y="${HEAD - 6}" text-anchor="middle">${index + 1}</text>`
  }<path class="self" d="M${NAMES + cell * index} ${HEAD + cell * index} l${cell} ${cell}"/>
`,
)}
${pairs.map((pair) => square(pair, places.get(pair.to), places.get(pair.from), cell))}
</svg></div>
`;
}

/** Encrypted: a filled square; not observed: an empty one; readable: a larger one with a cross. */
function square(pair: PairEvidence, column: number | undefined, row: number | undefined, cell: number): Markup | null {
  if (column === undefined || row === undefined) return null;
  const standing = PAIR_STANDING[pair.result];
  const inset = standing === "good" ? 0.22 * cell : 0.1 * cell;
  const [x, y, size] = [NAMES + cell * column + inset, HEAD + cell * row + inset, cell - 2 * inset].map(
    (value) => Math.round(value * 10) / 10,
  ) as [number, number, number];
  const cross = standing === "bad" && html`<path d="M${x} ${y} l${size} ${size} m0 ${-size} l${-size} ${size}"/>`;
  return html`<g class="${standing}"><title>${pairSentence(pair)}</title><rect x="${x}" y="${y}" width="${size}" height="${size}"/>${cross}</g>
`;
}
