// node test/browser/screenshots.ts [FOLDER] [EVIDENCE.html]
// Writes docs/evidence/*.png: what an evidence page looks like; with the page of a run that changed a cluster, its section about the change. Run by hand after a change of the
// page, and look at them.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { evidenceOf, type Proof } from "../../prover/evidence/document.ts";
import { writeEvidence } from "../../prover/evidence/files.ts";
import { projectRoot } from "../../tools/paths.ts";
import { failed, notProven, proven } from "../unit/proverEvidence/proofs.ts";
import { launch } from "./chromium.ts";

const PAGES: [string, Proof][] = [
  ["proven", proven("wireguard", { simulated: true })],
  ["failed", failed()],
  ["not-proven", notProven()],
];

const folder = process.argv[2] ?? join(projectRoot, "docs/evidence");
mkdirSync(folder, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), "wirecloak-screenshots-"));
const browser = await launch();
try {
  for (const [name, proof] of PAGES) {
    const { html } = writeEvidence(join(scratch, name), evidenceOf(proof));
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.newPage({ colorScheme, viewport: { width: 1040, height: 1640 } });
      await page.goto(pathToFileURL(html).href);
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
      await page.close();
    }
  }
  const [, , , changed] = process.argv;
  for (const colorScheme of changed === undefined ? [] : (["light", "dark"] as const)) {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1040, height: 1640 } });
    await page.goto(pathToFileURL(changed ?? "").href);
    await page
      .locator("section", { hasText: "The phases of the change" })
      .screenshot({ path: join(folder, `change-${colorScheme}.png`) });
    await page.close();
  }
} finally {
  await browser.close();
  rmSync(scratch, { recursive: true, force: true });
}
