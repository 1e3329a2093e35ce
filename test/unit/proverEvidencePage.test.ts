import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evidenceOf, type Proof } from "../../prover/evidence/document.ts";
import { proverVersion, writeEvidence } from "../../prover/evidence/files.ts";
import { escapeText, html } from "../../prover/evidence/html/markup.ts";
import { pageOf } from "../../prover/evidence/html/page.ts";
import type { Change } from "../../prover/watch/change.ts";
import { failed, judged, notProven, proven } from "./proverEvidence/proofs.ts";

const DIGEST = "ab".repeat(32);
const page = (proof: Proof): string => pageOf(evidenceOf(proof), DIGEST);
const heading = (proof: Proof): string => /<h1>(.*?)<\/h1>/.exec(page(proof))?.[1] ?? "";

test("the heading is the verdict, and a rehearsal is called one", () => {
  expect(heading(proven())).toBe("Proven");
  expect(heading(failed())).toBe("Failed");
  expect(heading(notProven())).toBe("Not proven");
  expect(heading(proven("wireguard", { simulated: true }))).toBe('Proven <span class="tag">in rehearsal</span>');
  expect(page(proven())).not.toMatch(/in rehearsal|Rehearsal\./);
});

test("the parts come in the order in which an auditor asks for them", () => {
  const ids = [...page(failed()).matchAll(/<h2 id="([^"]*)"/g)].map(([, id]) => id);
  expect(ids).toEqual(["reasons", "pairs", "vantages", "nodes", "not-encrypted", "controls", "run", "digest"]);
});

test("of a guard that the cloud carries the page tells what it cannot tell apart; without one it has no such part", () => {
  const proof = proven();
  const told = judged({ ...proof, intent: { ...proof.intent, guardLimits: ["Readable <UDP> passes."] } });
  expect(evidenceOf(told).guardLimits).toEqual(["Readable <UDP> passes."]);
  expect(page(told)).toMatch(/id="guard-limits"[\s\S]*Readable &lt;UDP&gt; passes\./);
  expect(page(proof)).not.toContain("guard-limits");
  expect(evidenceOf(proof)).not.toHaveProperty("guardLimits");
});

test("throughput is shown where somebody measured it, and said to be a rehearsal's where it is", () => {
  const measured = {
    seconds: 3,
    cilium: "1.20.2",
    routing: "tunnel",
    from: "a",
    to: "b",
    takenAt: "2026-11-21T09:00:00.000Z",
  };
  const run = { ...measured, mode: "ipsec", simulated: true, mtu: 1355, gbits: [0.5, 0.7] };
  const proof = { ...proven("wireguard", { simulated: true }), benches: [run] };
  expect(evidenceOf(proof).throughput).toMatchObject([{ mode: "ipsec", mean: 0.6, runs: 2, mtu: 1355 }]);
  expect(page(proof)).toMatch(/id="throughput"[\s\S]*user space[\s\S]*<th scope="row">ipsec<\/th>/);
  expect(page(proven())).not.toContain('id="throughput"');
});

test("a change is shown with its gaps, its leaks and what is not known; a page without one has none", () => {
  const change = {
    ...{ id: "1", guard: true, complete: false, why: "the update ended <early>", leaked: 3, attempted: 7 },
    from: { encryption: "wireguard", nodeEncryption: false, strict: false, keyId: null, cilium: "1.20.2" },
    to: { encryption: "ipsec", nodeEncryption: false, strict: true, keyId: 4, cilium: "1.20.2" },
    ...{ startedAt: "2026-11-21T09:00:00.000Z", endedAt: "2026-11-21T09:01:00.000Z", plaintextWhileEncrypting: 3 },
    ...{
      guardDrops: 4,
      connections: { kept: 1, broken: 1 },
      gapMs: { p50: 500, p99: 2500, max: 2500 },
      answerMs: null,
    },
    ...{ intervalMs: { udp: 10, tcp: 100 }, notSeen: ["What pods on the same node say."] },
    pairs: {
      ...{ total: 2, sample: null },
      each: (["a", "b"] as const).map((from) => ({
        ...{ from, to: from === "a" ? "b" : "a", sent: 10, answered: 9, answerMs: null, longestGapMs: 2500 },
        ...{ gaps: [{ at: "2026-11-21T09:00:10.000Z", ms: 2500 }], connection: "kept", leaked: 3, attempted: 0 },
      })),
    },
    phases: [{ name: "watch began", at: "2026-11-21T09:00:00.000Z", attempted: 7, pastGuard: 3, forbidden: true }],
    vantages: [],
  } as Change;
  const text = pageOf({ ...evidenceOf(proven()), change }, DIGEST);
  expect(text).toMatch(/id="change"[\s\S]*WireGuard → IPsec \(key 4, strict\)/);
  expect(text).toContain("the update ended &lt;early&gt;");
  expect(text).toContain("500 ms · 2.5 s · 2.5 s");
  expect(text.match(/class="gap"/g)).toHaveLength(2);
  expect(text.match(/class="leak"/g)).toHaveLength(2);
  expect(text).toContain("What pods on the same node say.");
  expect(page(proven())).not.toContain('id="change"');
});

test("reasons say what was found, where it was seen and what to do", () => {
  const text = page(failed());
  for (const { message, evidence, fix } of evidenceOf(failed()).findings.slice(0, 1)) {
    expect(text).toContain(escapeText(`dev-worker1: ${message}`));
    expect(text).toContain(`Seen: <code>${escapeText(String(evidence))}</code>`);
    expect(text).toContain(escapeText(`What to do: ${fix}.`));
  }
});

test("counters, handshakes and key ids stand with their nodes", () => {
  expect(page(proven("wireguard"))).toContain("3,000 → 15,000");
  expect(page(proven("wireguard"))).toContain('<td class="figures">66 s</td>');
  expect(page(proven("ipsec"))).toContain("highest sequence number");
});

test("the digest of the JSON is on the page", () => {
  expect(page(proven())).toContain(DIGEST);
});

test("a run without a test on the wire shows no picture and claims no pair", () => {
  const proof = proven();
  const text = page({ ...proof, observation: { ...proof.observation, wire: null } });
  expect(text).toContain("The wire was not looked at in this run");
  expect(text).not.toContain('<svg class="graph');
});

test.each([
  [2, '<svg class="graph"'],
  [24, '<svg class="graph dense"'],
  [25, '<svg class="matrix"'],
  [101, '<ul class="tallies">'],
])("%i nodes are shown as %s", (nodes, picture) => {
  const text = page(failed({ nodes }));
  const pictures = ['<svg class="graph"', '<svg class="graph dense"', '<svg class="matrix"', '<ul class="tallies">'];
  expect(pictures.filter((each) => text.includes(each))).toEqual([picture]);
});

test("the picture has every tested pair with its counts, and the table too", () => {
  const text = page(failed());
  expect(text.match(/<g class="pair (good|unsure|bad)"><title>/g)).toHaveLength(12);
  expect(text).toContain(
    '<g class="pair bad"><title>dev-worker1 → dev-worker3: readable; 6 of 6 markers came back; 16 encrypted, 6 readable packets</title>',
  );
  expect(text.match(/<details open>/g)).toHaveLength(1);
  expect(page(proven())).toContain("<details>");
});

describe("a hostile cluster", () => {
  const HOSTILE = `x"><script>alert(1)</script><img src=http://evil.example/a onerror='alert(2)'>&\u202egnp`;

  /** Every text of a document that can come from the cluster, made hostile. */
  function hostile(value: unknown, key = ""): unknown {
    if (typeof value === "string") return FIXED.has(key) ? value : value + HOSTILE;
    if (Array.isArray(value)) return value.map((member) => hostile(member, key));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, hostile(member, name)]));
  }
  const FIXED = new Set(["verdict", "result", "effect", "where", "mode", "form"]);

  test.each([proven(), failed(), notProven(), failed({ nodes: 30 }), notProven({ nodes: 101 })])(
    "gets no markup onto the page",
    (proof) => {
      const text = pageOf(hostile(evidenceOf(proof)) as ReturnType<typeof evidenceOf>, DIGEST);
      expect(text).toContain("&lt;script&gt;alert(1)");
      expect(text).not.toMatch(/<script|<img|<iframe|<a |onerror='/i);
      expect(text).not.toContain("\u202e");
      // As many elements as with harmless names, and no attribute more.
      const tags = (page: string): string[] =>
        [...page.matchAll(/<([a-z][a-z0-9]*)((?: [a-z-]+="[^"<>]*"| open)*)>/gi)].map(([, name]) => name ?? "");
      expect(text.match(/<[a-z]/gi)).toHaveLength(tags(text).length + (text.match(/\/>/g)?.length ?? 0));
    },
  );

  test("an unescaped template would be seen by this test", () => {
    expect(html`<p title="${HOSTILE}">${HOSTILE}</p>`.text).toBe(
      `<p title="${escapeText(HOSTILE)}">${escapeText(HOSTILE)}</p>`,
    );
    expect(escapeText(HOSTILE)).not.toMatch(/[<>"']|\u202e/);
  });
});

test("the page needs nothing else and forbids everything else", () => {
  const text = page(failed());
  const style = /<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? "";
  const digest = createHash("sha256").update(style).digest("base64");
  expect(text).toContain(`default-src &#39;none&#39;; style-src &#39;sha256-${digest}&#39;`);
  expect(text).not.toMatch(/<script|<link|<img|@import|url\((?!#)|https?:|style="/);
});

describe("files", () => {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "wirecloak-evidence-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("are both there, for their owner only, and the digest is that of the JSON", () => {
    const { json, html, digest } = writeEvidence(join(folder, "new/run"), evidenceOf(proven()));
    expect(createHash("sha256").update(readFileSync(json)).digest("hex")).toBe(digest);
    expect(readFileSync(html, "utf8")).toContain(digest);
    expect([json, html].map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
    expect(readdirSync(join(folder, "new/run"))).toEqual(["evidence.html", "evidence.json"]);
  });

  test("take the place of older ones whole", () => {
    writeFileSync(join(folder, "evidence.json"), "old", { mode: 0o644 });
    const { json } = writeEvidence(folder, evidenceOf(failed()));
    expect(JSON.parse(readFileSync(json, "utf8")).verdict).toBe("failed");
    expect(statSync(json).mode & 0o777).toBe(0o600);
  });

  test("that cannot be written leave nothing behind, and are the user's error", () => {
    mkdirSync(join(folder, "evidence.html.d"));
    mkdirSync(join(folder, "evidence.json"));
    expect(() => writeEvidence(folder, evidenceOf(proven()))).toThrow(
      /^the evidence cannot be written to .*EISDIR|ENOTEMPTY|EEXIST/,
    );
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});

test("evidence names the version of the program that made it", () => {
  expect(proverVersion()).toMatch(/^\d+\.\d+\.\d+$/);
});
