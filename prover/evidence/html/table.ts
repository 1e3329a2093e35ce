import { type Content, html, type Markup } from "./markup.ts";

export interface Column {
  head: string;
  /** Figures stand right, under each other. */
  figures?: true;
}

/** A table that scrolls in itself where the window is narrow. The first cell of a row is the row's head. */
export function table(caption: string, columns: readonly Column[], rows: readonly (readonly Content[])[]): Markup {
  const kind = (index: number): Markup => (columns[index]?.figures ? html` class="figures"` : html``);
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ head }, index) => html`<th scope="col"${kind(index)}>${head}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (row) =>
    html`<tr>${row.map((cell, index) => (index === 0 ? html`<th scope="row">${cell}</th>` : html`<td${kind(index)}>${cell}</td>`))}</tr>
`,
)}</tbody>
</table></div>
`;
}

/** Facts with their names, as a list of terms. */
export function facts(entries: readonly (readonly [string, Content])[]): Markup {
  return html`<dl>${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
`;
}
