/** Finds any of many markers in a packet, fast where they begin alike. */
export class MarkerSearch {
  readonly #markers: ReadonlySet<string>;
  readonly #prefix: string;
  readonly #lengths: number[];

  constructor(markers: Iterable<string>) {
    this.#markers = new Set([...markers].filter((marker) => marker !== ""));
    this.#prefix = commonPrefix([...this.#markers]);
    this.#lengths = [...new Set([...this.#markers].map(({ length }) => length))];
  }

  /** The first marker in the bytes; null where there is none. */
  find(bytes: Buffer): string | null {
    if (this.#markers.size === 0) return null;
    const text = bytes.toString("latin1");
    for (let at = text.indexOf(this.#prefix); at >= 0 && at < text.length; at = text.indexOf(this.#prefix, at + 1)) {
      for (const length of this.#lengths) {
        const candidate = text.slice(at, at + length);
        if (this.#markers.has(candidate)) return candidate;
      }
    }
    return null;
  }
}

function commonPrefix(texts: string[]): string {
  const [first = "", ...others] = texts;
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length -= 1;
  return first.slice(0, length);
}
