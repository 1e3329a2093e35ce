import type { Evidence, PairEvidence } from "../schema.ts";
import { nodeGraph } from "./graph.ts";
import { html, type Markup } from "./markup.ts";
import { pairMatrix } from "./matrix.ts";
import { table } from "./table.ts";
import { byName, counted, named, number, PAIR_STANDING, signShapes, standingLabel } from "./words.ts";

/** Up to how many nodes arcs can be told apart, and squares be seen. */
const GRAPH = 24;
const MATRIX = 100;
/** How many pairs a table lists before only those that are not encrypted are worth the paper. */
const LISTED = 600;
const LISTED_TROUBLE = 200;

const ORDER: readonly PairEvidence["result"][] = ["readable", "not observed", "encrypted"];

/** Every tested ordered pair of nodes, as a picture and as a table. */
export function pairsSection(evidence: Evidence): Markup {
  const { tested, nodes } = evidence;
  if (tested === null)
    return html`<section aria-labelledby="pairs"><h2 id="pairs">Pairs of nodes</h2><p>The wire was not looked at in this run, so nothing can be said of any pair.</p></section>
`;
  const description = `${number(tested.pairsTested)} of ${number(tested.pairsTotal)} ordered pairs tested: ${resultsWords(tested)}.`;
  return html`<section aria-labelledby="pairs">
<h2 id="pairs">Pairs of nodes</h2>
<p>${description} ${tested.sample === null ? "" : `The tested pairs are a sample: ${tested.sample}.`}
A pair is encrypted where markers of every kind sent came back, encrypted packets were seen at every vantage point that it passes, a control marker in clear was seen there too, and no packet was readable.</p>
${picture(evidence, nodes.length, description)}
${pairTable(evidence)}
</section>
`;
}

function picture(evidence: Evidence, nodes: number, description: string): Markup | null {
  if (nodes > MATRIX || evidence.pairs.length === 0) return tallies(evidence);
  return html`<figure>
${nodes > GRAPH ? pairMatrix(evidence, description) : nodeGraph(evidence, description)}
<figcaption>${legend(nodes > GRAPH)}</figcaption>
</figure>
`;
}

function resultsWords({ results }: NonNullable<Evidence["tested"]>): string {
  return `${number(results.encrypted)} encrypted, ${number(results.notObserved)} not observed, ${number(results.readable)} readable`;
}

/** With too many nodes for any picture, the counts themselves. */
function tallies({ tested }: Evidence): Markup | null {
  if (tested === null) return null;
  const { encrypted, notObserved, readable } = tested.results;
  return html`<ul class="tallies">
${[
  ["good", encrypted, "encrypted"] as const,
  ["unsure", notObserved, "not observed"] as const,
  ["bad", readable, "readable"] as const,
].map(
  ([standing, pairs, words]) =>
    // None of a kind is neither good nor bad news, so it gets no colour.
    html`<li class="${pairs > 0 && standing}"><strong>${number(pairs)}</strong> ${pairs > 0 ? standingLabel(standing, words) : words}</li>
`,
)}
</ul>
`;
}

function legend(squares: boolean): Markup {
  const entries = [
    ["good", "encrypted, markers came back", squares ? "small full square" : "thin line"],
    ["unsure", "not observed", squares ? "empty square" : "dashed line, ?"],
    ["bad", "readable packet seen", squares ? "crossed square" : "thick line, ×"],
  ] as const;
  return html`<ul class="legend">${entries.map(([standing, words, form]) => html`<li class="${standing}">${sample(standing, squares)}<span>${words} <span class="soft">(${form})</span></span></li>`)}${
    !squares &&
    html`<li><svg aria-hidden="true" viewBox="0 0 40 16" class="node"><rect x="4" y="2" width="12" height="12" rx="3"/><circle cx="30" cy="8" r="6"/></svg><span>control plane, worker</span></li>`
  }</ul>`;
}

function sample(standing: "good" | "unsure" | "bad", square: boolean): Markup {
  if (square) {
    const edge = standing === "good" ? 9 : 13;
    return html`<svg aria-hidden="true" viewBox="-20 -8 40 16" class="matrix"><g class="${standing}"><rect x="${-edge / 2}" y="${-edge / 2}" width="${edge}" height="${edge}"/>${standing === "bad" && html`<path d="M-6.5 -6.5 l13 13 m0 -13 l-13 13"/>`}</g></svg>`;
  }
  return html`<svg aria-hidden="true" viewBox="-20 -8 40 16" class="graph"><g class="pair ${standing}"><path class="line" d="M-19 0 H19"/>${standing !== "good" && html`<circle r="7"/>${signShapes(standing)}`}</g></svg>`;
}

/** The same in words; where there are very many pairs, those that are not encrypted. */
function pairTable({ pairs }: Evidence): Markup {
  const all = pairs.length <= LISTED;
  const trouble = pairs.filter((pair) => pair.result !== "encrypted");
  const shown = [...(all ? pairs : trouble.slice(0, LISTED_TROUBLE))].sort(
    (a, b) => ORDER.indexOf(a.result) - ORDER.indexOf(b.result) || byName(a.from, b.from) || byName(a.to, b.to),
  );
  const left = all ? 0 : Math.max(0, trouble.length - LISTED_TROUBLE);
  if (shown.length === 0) return html`<p>No pair that is not encrypted. All pairs are listed in evidence.json.</p>`;
  const rows = shown.map((pair) => [
    named(pair.from),
    named(pair.to),
    standingLabel(PAIR_STANDING[pair.result], pair.result),
    `${number(pair.returned)} of ${number(pair.sent)}`,
    number(pair.encryptedPackets),
    number(pair.readablePackets),
    pair.missing.join("; ") || "–",
  ]);
  const what = all ? "All tested pairs" : "Pairs that are not encrypted";
  // What is wrong must not wait for a click.
  return html`<details${trouble.length > 0 && html` open`}>
<summary>${what} as a table (${number(shown.length)})</summary>
${table(
  what,
  [
    { head: "From" },
    { head: "To" },
    { head: "Result" },
    { head: "Markers back", figures: true },
    { head: "Encrypted packets", figures: true },
    { head: "Readable packets", figures: true },
    { head: "Missing" },
  ],
  rows,
)}
${left > 0 && html`<p>${counted(left, "further pair")} in evidence.json.</p>`}
</details>
`;
}
