import type { Evidence, NodeEvidence, PairEvidence, PairResult } from "../schema.ts";
import { type Content, html, type Markup } from "./markup.ts";

/** The ways in which anything can stand; class, sign and colour go with it. */
export type Standing = "good" | "unsure" | "bad" | "note";

export const VERDICT_STANDING: Record<Evidence["verdict"], Standing> = {
  proven: "good",
  "not proven": "unsure",
  failed: "bad",
};
export const PAIR_STANDING: Record<PairResult, Standing> = {
  encrypted: "good",
  "not observed": "unsure",
  readable: "bad",
};
export const NODE_STANDING: Record<NodeEvidence["verdict"], Standing> = {
  agrees: "good",
  unobserved: "unsure",
  contradicts: "bad",
};
export const NODE_WORDS: Record<NodeEvidence["verdict"], string> = {
  agrees: "as intended",
  unobserved: "not observed",
  contradicts: "not as intended",
};

/** The sign of a standing as SVG shapes around 0,0, `size` wide: a form of its own for each, so that colour is never needed. */
export function signShapes(standing: Standing): Markup {
  if (standing === "good") return html`<path class="sign" d="M-5 0.5 L-1.6 4 L5 -4"/>`;
  if (standing === "bad") return html`<path class="sign" d="M-4 -4 L4 4 M4 -4 L-4 4"/>`;
  if (standing === "note") return html`<path class="sign" d="M0 -5 L0 -4.6 M0 -1.5 L0 5"/>`;
  return html`<path class="sign" d="M-3 -2.4 C-3 -6.4 3 -6.4 3 -2.6 C3 -0.2 0 -0.4 0 2 M0 4.6 L0 5"/>`;
}

/** Words up to this length stay on one line. */
const SHORT = 26;

/** A sign with its words, for tables. The words tell it; the picture only helps the eye. */
export function standingLabel(standing: Standing, words: string): Markup {
  return html`<span class="label ${standing}${words.length <= SHORT && " name"}"><svg aria-hidden="true" viewBox="-8 -8 16 16">${signShapes(standing)}</svg>${words}</span>`;
}

export function number(value: number): string {
  return new Intl.NumberFormat("en-GB").format(value);
}

/** `1 packet`, `2 packets`. */
export function counted(value: number, what: string): string {
  return `${number(value)} ${what}${value === 1 ? "" : "s"}`;
}

/** A time to the second, in UTC. */
export function moment(iso: string): Markup {
  const date = new Date(iso);
  const text = Number.isNaN(date.getTime()) ? iso : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return html`<time datetime="${iso}">${text}</time>`;
}

/** A pair's result with its counts, in one line. */
export function pairSentence({ from, to, result, sent, returned, encryptedPackets, readablePackets }: PairEvidence) {
  return `${from} → ${to}: ${result}; ${returned} of ${counted(sent, "marker")} came back; ${number(encryptedPackets)} encrypted, ${number(readablePackets)} readable packets`;
}

/** A name in a table: not broken at its hyphens, unless it is very long. */
export function named(name: string): Content {
  return name.length <= SHORT ? html`<span class="name">${name}</span>` : name;
}

const natural = new Intl.Collator("en", { numeric: true });

/** Names as people count them: worker2 before worker10. */
export function byName(a: string, b: string): number {
  return natural.compare(a, b);
}

/** A name that fits where there is little room. */
export function shortened(name: string, length: number): string {
  // Names of one cluster often differ at their end only.
  return name.length <= length
    ? name
    : `${name.slice(0, Math.ceil(length / 2) - 1)}…${name.slice(-Math.floor(length / 2))}`;
}

export function modeWords({ mode, nodeEncryption, strict }: Evidence["encryption"]): string {
  if (mode === "none") return "none";
  const name = mode === "ipsec" ? "IPsec" : "WireGuard";
  return [name, nodeEncryption && "node encryption", strict && "strict mode"].filter(Boolean).join(", ");
}

export function keyWords({ key, mode }: Evidence["encryption"]): string {
  if (mode === "none") return "none";
  if (key === null) return "one pair per node, made by its agent";
  const age = key.ageDays === null ? "age not known" : `${counted(key.ageDays, "day")} old`;
  return [`id ${key.id}`, key.bits !== null && `AES-${key.bits}`, age].filter(Boolean).join(", ");
}
