import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { evidenceOf, type Proof } from "../../prover/evidence/document.ts";
import { writeEvidence } from "../../prover/evidence/files.ts";
import { describeUnless } from "../skip.ts";
import { failed, notProven, proven } from "../unit/proverEvidence/proofs.ts";
import { chromiumPath, launch } from "./chromium.ts";

const PROOFS: [string, string, Proof][] = [
  ["proven", "Proven", proven()],
  ["proven in rehearsal", "Proven in rehearsal", proven("ipsec", { simulated: true })],
  ["failed", "Failed", failed()],
  ["not proven", "Not proven", notProven()],
  ["failed, 30 nodes", "Failed", failed({ nodes: 30 })],
];

jest.setTimeout(60_000);

describeUnless(chromiumPath ? undefined : "no Chromium on PATH", "evidence.html in a browser", () => {
  let browser: Browser;
  let folder = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "wirecloak-browser-"));
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The page of a proof, with all that it complained of or asked the network for. */
  async function open(proof: Proof, options: Parameters<Browser["newPage"]>[0] = {}) {
    const { html } = writeEvidence(folder, evidenceOf(proof));
    const page = await browser.newPage(options);
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => requests.push(request.url()));
    const url = pathToFileURL(html).href;
    await page.goto(url);
    return { page, complaints, requests: requests.filter((request) => request !== url) };
  }

  describe.each(PROOFS)("%s", (_, words, proof) => {
    test.each(["light", "dark"] as const)(
      "%s: the verdict is what one sees first, readable, with no complaint and no request",
      async (colorScheme) => {
        const { page, complaints, requests } = await open(proof, {
          colorScheme,
          viewport: { width: 1280, height: 800 },
        });
        const heading = page.locator("h1");
        expect(await heading.textContent()).toBe(words);
        const box = await heading.boundingBox();
        expect(box && box.y + box.height < 400 && box.height > 40).toBe(true);
        expect([complaints, requests]).toEqual([[], []]);
        expect(await lowContrast(page)).toEqual([]);
        await page.close();
      },
    );

    test.each([1280, 390])("nothing sticks out of a window %i wide", async (width) => {
      const { page } = await open(proof, { viewport: { width, height: 800 } });
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      await page.close();
    });

    test("it is the same without JavaScript", async () => {
      const { page } = await open(proof, { javaScriptEnabled: false });
      expect(await page.locator("h1").textContent()).toBe(words);
      expect(await page.locator("script").count()).toBe(0);
      await page.close();
    });

    test("it prints, with what a click would open", async () => {
      const { page } = await open(proof);
      const pdf = await page.pdf({ format: "A4" });
      expect(pdf.subarray(0, 5).toString("latin1")).toBe("%PDF-");
      const folded = page.locator("details:not([open]) td");
      if ((await folded.count()) > 0) {
        expect(await folded.first().isVisible()).toBe(false);
        await page.emulateMedia({ media: "print" });
        expect(await folded.first().isVisible()).toBe(true);
      }
      await page.close();
    });

    test("a screen reader finds its way", async () => {
      const { page } = await open(proof);
      expect(await page.evaluate(inaccessible)).toEqual([]);
      await page.close();
    });
  });

  test("a page that is not accessible, or of low contrast, would be noticed", async () => {
    const page = await browser.newPage();
    await page.setContent(
      `<body style="background:#fff"><h3>x</h3><table><tr><th>a</th></tr></table><svg role="img"></svg><p style="color:#999">pale</p></body>`,
    );
    expect(await page.evaluate(inaccessible)).toEqual([
      "no language",
      "no title",
      "0 of header",
      "0 of main",
      "0 of footer",
      "0 first-level headings",
      "H3 after 0: x",
      "a head of a table without scope: a",
      "a table without caption",
      "a picture without title",
      "a picture without description",
    ]);
    expect(await lowContrast(page)).toEqual(["2.8 pale"]);
    await page.close();
  });

  test("what a hostile cluster says runs no script and loads no picture", async () => {
    const proof = failed();
    proof.report.cluster = `<img src="https://evil.example/x" onerror="document.title='owned'"><script>document.title='owned'</script>`;
    const { page, complaints, requests } = await open(proof);
    expect(await page.title()).not.toBe("owned");
    expect([complaints, requests, await page.locator("img, script").count()]).toEqual([[], [], 0]);
    await page.close();
  });
});

/** Runs in the page, as text: this project's compiler knows no browser. What hand-written rules find. */
const inaccessible = `(() => {
  const found = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  if (!document.documentElement.lang) found.push("no language");
  if (!document.title) found.push("no title");
  for (const landmark of ["header", "main", "footer"])
    if (all(landmark).length !== 1) found.push(all(landmark).length + " of " + landmark);
  if (all("h1").length !== 1) found.push(all("h1").length + " first-level headings");
  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) found.push(heading.tagName + " after " + level + ": " + heading.textContent);
    level = next;
  }
  for (const head of all("th")) if (!head.scope) found.push("a head of a table without scope: " + head.textContent);
  for (const table of all("table")) if (!table.caption) found.push("a table without caption");
  for (const picture of all("svg")) {
    if (picture.getAttribute("aria-hidden") === "true") continue;
    if (!picture.querySelector(":scope > title")) found.push("a picture without title");
    if (!picture.querySelector(":scope > desc")) found.push("a picture without description");
  }
  const ids = all("[id]").map((element) => element.id);
  for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) found.push("twice the id " + id);
  for (const named of all("[aria-labelledby]"))
    for (const id of named.getAttribute("aria-labelledby").split(" "))
      if (!document.getElementById(id)) found.push("named by what is not there: " + id);
  for (const section of all("section, [role=region]"))
    if (!section.getAttribute("aria-label") && !section.getAttribute("aria-labelledby")) found.push("a section without name");
  return found;
})()`;

/** Texts whose contrast with what is painted behind them is below WCAG's AA (4.5, or 3 for large ones). */
async function lowContrast(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const rgb = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
    const light = (color) => {
      const [r, g, b] = rgb(color).slice(0, 3).map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        // The stripes of the rehearsal's band: its darker one.
        if (at.classList.contains("rehearsal")) return "rgb(236, 199, 90)";
        const color = getComputedStyle(at).backgroundColor;
        if ((rgb(color)[3] ?? 1) > 0) return color;
      }
      return "rgb(255, 255, 255)";
    };
    const found = new Set();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const text = texts.currentNode.textContent.trim();
      const element = texts.currentNode.parentElement;
      if (!text || element.closest("title, desc, style") || element.ownerSVGElement) continue;
      const style = getComputedStyle(element);
      const [one, other] = [light(style.color), light(behind(element))].sort((a, b) => b - a);
      const contrast = (one + 0.05) / (other + 0.05);
      const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
      if (contrast < (large ? 3 : 4.5)) found.add(contrast.toFixed(1) + " " + text.slice(0, 40));
    }
    return [...found];
  })()`);
}
