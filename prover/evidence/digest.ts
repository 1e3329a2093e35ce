import { createHash } from "node:crypto";
import type { Evidence } from "./schema.ts";

/** How deep the document is laid out; what lies deeper, such as one stream of packets, is one line. */
const DEPTH = 4;

/** The document as evidence.json holds it: short lines where people read, one line for a thing of which there are many. */
export function evidenceText(document: Evidence): string {
  return `${laidOut(document, 0)}\n`;
}

function laidOut(value: unknown, depth: number): string {
  if (value === null || typeof value !== "object" || depth >= DEPTH) return JSON.stringify(value);
  const indent = "  ".repeat(depth + 1);
  const inner = Array.isArray(value)
    ? // The members of a list are alike.
      value.map((member) => indent + JSON.stringify(member))
    : Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([key, member]) => `${indent}${JSON.stringify(key)}: ${laidOut(member, depth + 1)}`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return inner.length === 0 ? open + close : `${open}\n${inner.join(",\n")}\n${"  ".repeat(depth)}${close}`;
}

/** SHA-256 of the text as it is written, in hexadecimal: what `sha256sum evidence.json` prints. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}
