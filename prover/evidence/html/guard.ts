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
  const { standing, forms, drops, told } = guard;
  const passes = html`${standingLabel(STANDING[standing], standing)}${forms.length > 0 && html` It lets pass ${forms.join(" and ")}.`}`;
  if (told) {
    return html`<section aria-labelledby="guard">
<h2 id="guard">The guard between the nodes</h2>
<p>${passes} That is as ${told.by} told at ${told.at}, asked for the rules of the nodes' security group and for the groups of each node's network interfaces. It stands outside of the nodes, whatever they do, and counts nothing.</p>
</section>`;
  }
  return html`<section aria-labelledby="guard">
<h2 id="guard">The guard between the nodes</h2>
<p>${passes} It stands outside of the nodes and drops what could be read, whatever they do. What it dropped during the test traffic and should have been encrypted makes the verdict failed.</p>
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
export function guardLimitsSection({ guard, guardLimits }: Evidence): Markup | null {
  if (!guardLimits) return null;
  const asked = guard?.told
    ? `Whether they are in force is said above, as ${guard.told.by} told at ${guard.told.at}.`
    : "Nobody told whether they are in force.";
  return html`<section aria-labelledby="guard-limits">
<h2 id="guard-limits">What the guard cannot tell apart</h2>
<p>Between these nodes security groups are the guard. They see protocol, ports and groups, no contents. ${asked} What they let through all the same, and what they close besides:</p>
<ul>${guardLimits.map((limit) => html`<li>${limit}</li>`)}</ul>
</section>
`;
}
