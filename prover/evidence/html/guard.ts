import type { Evidence } from "../schema.ts";
import { html, type Markup } from "./markup.ts";
import { table } from "./table.ts";
import { number, type Standing, standingLabel } from "./words.ts";

const STANDING: Record<NonNullable<Evidence["guard"]>["standing"], Standing> = {
  "in force": "good",
  changed: "bad",
  off: "bad",
  unknown: "unsure",
};

/** What keeps readable packets from crossing whatever the nodes do, and what it had to drop. */
export function guardSection({ guard }: Evidence): Markup | null {
  if (guard === null) return null;
  const { standing, forms, drops } = guard;
  return html`<section aria-labelledby="guard">
<h2 id="guard">The guard between the nodes</h2>
<p>${standingLabel(STANDING[standing], standing)}${forms.length > 0 && html` It lets pass ${forms.join(" and ")}.`} It stands outside of the nodes and drops what could be read, whatever they do. What it dropped during the test traffic and should have been encrypted makes the verdict failed.</p>
${
  drops.length > 0 &&
  table(
    "Packets that the guard dropped",
    [
      { head: "What" },
      { head: "Should have been encrypted" },
      { head: "Before the test traffic", figures: true },
      { head: "During it", figures: true },
    ],
    drops.map(({ what, plaintext, before, after }) => [
      what,
      plaintext ? "yes" : "no, or nobody can tell",
      number(before),
      standingLabel(plaintext && after > before ? "bad" : "good", number(after - before)),
    ]),
  )
}
</section>`;
}

/** Of a guard that the cloud carries; nothing where there is none. */
export function guardLimitsSection({ guardLimits }: Evidence): Markup | null {
  if (!guardLimits) return null;
  return html`<section aria-labelledby="guard-limits">
<h2 id="guard-limits">What the guard cannot tell apart</h2>
<p>Between these nodes security groups are the guard. They see protocol, ports and groups, no contents. The prover does not ask whether they are in force:</p>
<ul>${guardLimits.map((limit) => html`<li>${limit}</li>`)}</ul>
</section>
`;
}
