import type { Evidence } from "../schema.ts";
import { html, type Markup } from "./markup.ts";
import { counted, type Standing, standingLabel } from "./words.ts";

type Finding = Evidence["findings"][number];

const EFFECTS: Record<Finding["effect"], { standing: Standing; words: string }> = {
  contradicts: { standing: "bad", words: "contradicts the intent" },
  unobserved: { standing: "unsure", words: "could not be observed" },
  note: { standing: "note", words: "worth knowing" },
};
const ORDER: readonly Finding["effect"][] = ["contradicts", "unobserved", "note"];

/** How many nodes a reason names, how many reasons are seen at once, the worst ones, and how many are on the page. */
const NAMED = 8;
const FIRST = 4;
const SHOWN = 50;

/** Why the verdict is no better, one entry for each thing found, with what was seen and what to do. */
export function reasonsSection({ findings, findingsLeftOut, verdict }: Evidence): Markup {
  const groups = [...Map.groupBy(findings, ({ effect, check, message }) => `${effect}\n${check}\n${message}`).values()];
  groups.sort(([a], [b]) => rank(a) - rank(b));
  const more = groups.length - SHOWN;
  return html`<section aria-labelledby="reasons">
<h2 id="reasons">${verdict === "proven" ? "What speaks against it" : "Why, and what to do"}</h2>
${groups.length === 0 && html`<p>Nothing: no check found anything that differs from the intent or could not be observed.</p>`}
${groups.length > 0 && html`<ol class="reasons">${groups.slice(0, FIRST).map(reason)}</ol>`}
${
  groups.length > FIRST &&
  html`<details><summary>${counted(Math.min(groups.length, SHOWN) - FIRST, "further reason")}</summary>
<ol class="reasons" start="${FIRST + 1}">${groups.slice(FIRST, SHOWN).map(reason)}</ol></details>`
}
${more > 0 && html`<p>${counted(more, "further reason")} in evidence.json.</p>`}
${findingsLeftOut > 0 && html`<p>${counted(findingsLeftOut, "further finding")} not listed; the observation in evidence.json yields them again.</p>`}
</section>
`;
}

function rank(finding: Finding | undefined): number {
  return finding ? ORDER.indexOf(finding.effect) : ORDER.length;
}

function reason(group: readonly Finding[]): Markup {
  const [first] = group;
  if (!first) return html``;
  const { standing, words } = EFFECTS[first.effect];
  const nodes = [...new Set(group.flatMap(({ node }) => node ?? []))];
  const named = nodes.slice(0, NAMED).join(", ") + (nodes.length > NAMED ? ` and ${nodes.length - NAMED} more` : "");
  const seen = [...new Set(group.flatMap(({ evidence }) => evidence ?? []))];
  return html`<li class="${standing}">
<p>${standingLabel(standing, words)} <strong>${nodes.length > 0 && `${named}: `}${first.message}</strong></p>
${seen.length > 0 && html`<p class="seen">Seen: <code>${seen[0] ?? ""}</code>${seen.length > 1 && ` and ${seen.length - 1} more of the kind`}</p>`}
${first.fix !== null && html`<p class="fix">What to do: ${first.fix}.</p>`}
</li>
`;
}
