import type { Evidence } from "../schema.ts";
import { type Content, html, type Markup } from "./markup.ts";
import { facts } from "./table.ts";
import { counted, keyWords, modeWords, moment, number, signShapes, VERDICT_STANDING } from "./words.ts";

const WORDS: Record<Evidence["verdict"], string> = { proven: "Proven", "not proven": "Not proven", failed: "Failed" };

const MEANINGS: Record<Evidence["verdict"], string> = {
  proven: "Every check agrees, and the wire was seen by a detector that was itself shown to work.",
  "not proven":
    "Nothing contradicts the intent, but something could not be observed. This is no statement that traffic is encrypted.",
  failed:
    "Evidence contradicts the intent. Do not rely on the encryption of this cluster until it is mended and proven again.",
};

/** The first thing that anybody reads. */
export function verdictBanner(evidence: Evidence): Markup {
  const { verdict, simulated, statement, cluster } = evidence;
  const standing = VERDICT_STANDING[verdict];
  return html`<header class="banner ${standing}">
${simulated && html`<p class="rehearsal"><strong>Rehearsal.</strong> Nodes and agents are stand-ins: this is no evidence about a real cluster.</p>`}
<div class="verdict">
<svg class="seal" aria-hidden="true" viewBox="-12 -12 24 24"><circle class="ring" r="10.6"/>${signShapes(standing)}</svg>
<div>
<p class="what">Encryption between the nodes of cluster ${cluster.name}</p>
<h1>${WORDS[verdict]}${simulated && html` <span class="tag">in rehearsal</span>`}</h1>
<p class="statement">${withoutVerdict(statement)}.</p>
<p class="meaning">${MEANINGS[verdict]}</p>
</div>
</div>
</header>
<section class="keyfacts" aria-label="Key facts">
${facts(keyFacts(evidence))}</section>
`;
}

/** The statement opens with the verdict, which stands above it in large letters. */
function withoutVerdict(statement: string): string {
  const rest = statement.replace(/^(proven|not proven|failed)( \(in rehearsal\))?: /, "");
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

function keyFacts({ encryption, cluster, tested, startedAt, seconds }: Evidence): [string, Content][] {
  return [
    ["Mode", modeWords(encryption)],
    ["Key", keyWords(encryption)],
    ["Cluster", `${counted(cluster.nodes, "node")}, ${cluster.provider}`],
    ["When", moment(startedAt)],
    ...(tested === null ? [["Test on the wire", "there was none"] as [string, Content]] : wireFacts(tested)),
    ["Took", `${seconds.toFixed(1)} s`],
  ];
}

function wireFacts({ results, pairsTested, controlsSeen, controlsSent, strict }: NonNullable<Evidence["tested"]>) {
  return [
    ["Pairs encrypted", `${number(results.encrypted)} of ${number(pairsTested)} tested`],
    ["Pairs readable", number(results.readable)],
    ["Control markers seen", `${number(controlsSeen)} of ${number(controlsSent)}`],
    ...(strict ? [["Strict mode", strict] as [string, Content]] : []),
  ] satisfies [string, Content][];
}
