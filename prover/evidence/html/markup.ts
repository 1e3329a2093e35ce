/** Markup that is safe to show; only `html` makes any. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Content = string | number | Markup | null | false | readonly Content[];

/** A template whose values are escaped, unless they are markup already; lists are joined, null and false are nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  const texts = parts.map((part, index) => part + (index < values.length ? textOf(values[index] ?? null) : ""));
  return new Markup(texts.join(""));
}

function textOf(value: Content): string {
  if (value === null || value === false) return "";
  if (value instanceof Markup) return value.text;
  if (typeof value === "string" || typeof value === "number") return escapeText(String(value));
  return value.map(textOf).join("");
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** What would not be seen, or would turn the reading direction of what follows: a name may lie with it. */
const INVISIBLE = /[\p{Cc}\p{Bidi_Control}\u200b\u2028\u2029\ufeff]/gu;

/** Text as it may stand in an element or a quoted attribute. The only place where anything is escaped. */
export function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(INVISIBLE, (character) => (character === "\n" || character === "\t" ? character : "\ufffd"))
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
