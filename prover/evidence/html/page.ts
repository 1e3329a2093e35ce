import { createHash } from "node:crypto";
import type { Evidence } from "../schema.ts";
import { changeSection } from "./change.ts";
import { guardLimitsSection, guardSection } from "./guard.ts";
import { html, Markup } from "./markup.ts";
import { pairsSection } from "./pairs.ts";
import { reasonsSection } from "./reasons.ts";
import {
  controlsSection,
  digestSection,
  nodesSection,
  notEncryptedSection,
  runSection,
  vantagesSection,
} from "./sections.ts";
import { STYLE } from "./style.ts";
import { throughputSection } from "./throughput.ts";
import { verdictBanner } from "./verdict.ts";

/** The evidence as one page that needs nothing else: no script, no network. `digest` is that of evidence.json. */
export function pageOf(evidence: Evidence, digest: string): string {
  const rehearsal = evidence.simulated ? " (rehearsal)" : "";
  // Our own style is named by its digest and everything else forbidden: what a hostile name may smuggle in has no effect.
  const style = createHash("sha256").update(STYLE).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'`;
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Wirecloak ${evidence.versions.prover}">
<title>${evidence.cluster.name}: ${evidence.verdict}${rehearsal} – Wirecloak evidence</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
${verdictBanner(evidence)}
<main>
${reasonsSection(evidence)}
${pairsSection(evidence)}
${vantagesSection(evidence)}
${guardSection(evidence)}
${guardLimitsSection(evidence)}
${nodesSection(evidence)}
${changeSection(evidence)}
${throughputSection(evidence)}
${notEncryptedSection(evidence)}
${controlsSection(evidence)}
${runSection(evidence)}
${digestSection(digest)}
</main>
<footer><p>Made by the Wirecloak prover ${evidence.versions.prover}. Evidence schema ${evidence.schema}. Holds no key.</p></footer>
</body>
</html>
`.text;
}
