import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ProverError } from "../proverError.ts";
import { digestOf, evidenceText } from "./digest.ts";
import { pageOf } from "./html/page.ts";
import type { Evidence } from "./schema.ts";

/** Names, addresses and traffic of a cluster are nobody's business but their owner's, though no key is among them. */
const MODE = 0o600;

export interface EvidenceFiles {
  json: string;
  html: string;
  /** SHA-256 of the JSON file. */
  digest: string;
}

/** Writes evidence.json and evidence.html into a folder, each whole or not at all; both are put in place last. */
export function writeEvidence(folder: string, document: Evidence): EvidenceFiles {
  const text = evidenceText(document);
  const digest = digestOf(text);
  const files = { json: join(folder, "evidence.json"), html: join(folder, "evidence.html") };
  const written: { from: string; to: string }[] = [];
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const page = pageOf(document, digest);
    for (const [to, content] of [
      [files.json, text],
      [files.html, page],
    ] as const) {
      // Beside the file: a rename is whole only within one file system.
      const from = `${to}.${process.pid}.part`;
      written.push({ from, to });
      writeFileSync(from, content, { mode: MODE, flush: true });
    }
    for (const { from, to } of written) renameSync(from, to);
  } catch (error) {
    for (const { from } of written) rmSync(from, { force: true });
    throw new ProverError("usage", `the evidence cannot be written to ${folder}: ${(error as Error).message}`);
  }
  return { ...files, digest };
}

/** Version of this program, as evidence names it. */
export function proverVersion(): string {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
  return String(version);
}
