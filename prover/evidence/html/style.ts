/** The page's style. Colour is never the only sign, so that it also reads on paper in black and white. */
export const STYLE = `
:root {
  --page: #eef1f4; --paper: #fff; --ink: #171c22; --soft: #515c69; --line: #d3dae1; --faint: #f4f6f8;
  --good: #17663a; --unsure: #865000; --bad: #a8161f; --note: #35557a;
  --good-fill: #16633a; --unsure-fill: #7d4b00; --bad-fill: #9c141c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1217; --paper: #171c23; --ink: #e8ecf1; --soft: #a9b4c1; --line: #343e4a; --faint: #1e252e;
    --good: #63d293; --unsure: #f2b95c; --bad: #ff8b86; --note: #9cc1ec;
    --good-fill: #14512f; --unsure-fill: #674003; --bad-fill: #84151b;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 28px 20px 40px; max-width: 1080px; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
p { margin: 0 0 .7em; max-width: 75ch; }
h1, h2, h3 { line-height: 1.2; margin: 0; }
h2 { font-size: 1.3rem; margin-bottom: .6em; }
h3 { font-size: 1.02rem; margin: 1.4em 0 .5em; }
code { font: .88em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.soft { color: var(--soft); }
.good { --tone: var(--good); } .unsure { --tone: var(--unsure); } .bad { --tone: var(--bad); } .note { --tone: var(--note); }

.banner { border-radius: 12px 12px 0 0; color: #fff; overflow: hidden; }
.banner.good { background: var(--good-fill); } .banner.unsure { background: var(--unsure-fill); } .banner.bad { background: var(--bad-fill); }
.banner .verdict { display: flex; gap: 28px; align-items: center; padding: 30px 36px 28px; }
.banner p { margin: 0; }
.seal { width: 118px; flex: none; }
.seal .ring { fill: none; stroke: #fff; stroke-width: 1.4; }
.seal .sign { stroke: #fff; stroke-width: 2.1; }
.what { font-size: .95rem; }
h1 { font-size: clamp(2.4rem, 7vw, 3.7rem); font-weight: 750; letter-spacing: -.02em; margin: .04em 0 .12em; }
.tag { display: inline-block; vertical-align: .28em; padding: .22em .6em; border: 2px dashed #fff; border-radius: 7px;
  font-size: .38em; font-weight: 650; letter-spacing: 0; white-space: nowrap; }
.statement { font-size: 1.16rem; font-weight: 600; }
.banner .meaning { margin-top: .35em; }
.banner .rehearsal { max-width: none; padding: 8px 36px; color: #14181d; font-size: .95rem;
  background: repeating-linear-gradient(-45deg, #f6d77b 0 16px, #ecc75a 16px 32px); }

section { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 24px 28px; margin-top: 18px; }
section > :last-child, details > :last-child { margin-bottom: 0; }
.keyfacts { margin-top: 0; border-top: 0; border-radius: 0 0 12px 12px; padding-block: 18px; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 210px), 1fr)); gap: 14px 26px; margin: 0; }
dt { color: var(--soft); font-size: .82rem; }
dd { margin: 0; font-weight: 600; font-size: .97rem; }
.name, time { white-space: nowrap; }

.reasons { list-style: none; margin: 0; padding: 0; }
.reasons li { border-left: 5px solid var(--tone); background: var(--faint); border-radius: 0 8px 8px 0; padding: 12px 18px; margin-bottom: 10px; }
.reasons li:last-child { margin-bottom: 0; }
details .reasons { margin-top: 8px; }
.reasons p { margin: 0; max-width: none; }
.reasons p + p { margin-top: .3em; }
.reasons strong { display: block; margin-top: .15em; }
.seen { color: var(--soft); }

.label { display: inline-flex; align-items: center; gap: .4em; color: var(--tone); font-weight: 600; }
.label svg { width: 1.15em; height: 1.15em; flex: none; }
.sign { fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.label .sign { stroke-width: 2.4; }

figure { margin: 18px 0; }
.timeline { display: block; width: 100%; height: auto; margin: 1.2em 0; }
.timeline text { fill: var(--ink); font-size: 11.5px; } .timeline .axis { fill: var(--soft); }
.timeline .answered { fill: var(--line); } .timeline .gap { fill: var(--unsure); } .timeline .leak { fill: var(--bad); }
.timeline .phase line { stroke: var(--note); stroke-dasharray: 3 3; } .timeline .phase text { fill: var(--note); font-weight: 650; }
.graph { display: block; width: 100%; height: auto; max-width: 860px; margin: 0 auto; }
.graph text { fill: var(--ink); font-size: 15px; font-weight: 600; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.graph .role { fill: var(--soft); font-size: 12.5px; font-weight: 400; }
.pair { color: var(--tone); }
.pair path { fill: none; }
.pair .line { stroke: var(--tone); stroke-width: 1.9; }
.dense .pair.good .line { stroke-width: .9; opacity: .55; marker-end: none; }
.pair.unsure .line { stroke-width: 2.2; stroke-dasharray: 8 5; }
.pair.bad .line { stroke-width: 5; }
.pair .reach { stroke: transparent; stroke-width: 14; }
.pair circle { fill: var(--paper); stroke: var(--tone); stroke-width: 1.6; }
.pair circle ~ .sign, .pair circle + .sign { stroke-width: 2; transform: scale(.85); }
.pair:hover .line, .dense .pair.good:hover .line { stroke-width: 6; opacity: 1; }
.graph:has(.pair:hover) .pair:not(:hover) { opacity: .18; }
marker path { fill: var(--tone); }
.node circle, .node rect { fill: var(--paper); stroke: var(--tone, var(--soft)); stroke-width: 2.4; }
.node.bad circle, .node.bad rect { stroke-width: 4; }
.node.unsure circle, .node.unsure rect { stroke-dasharray: 5 4; }
.node { color: var(--tone); }
.legend { display: flex; flex-wrap: wrap; justify-content: center; gap: 8px 26px; list-style: none; margin: 14px 0 0; padding: 0; font-size: .9rem; }
.legend li { display: flex; align-items: center; gap: 8px; }
.legend svg { width: 40px; height: 16px; flex: none; margin: 0; }
.matrix { display: block; }
.matrix text { fill: var(--ink); font-size: 9.5px; }
.matrix .number { fill: var(--soft); font-size: 8.5px; }
.matrix .axis { font-size: 11px; font-weight: 600; }
.matrix .frame { fill: none; stroke: var(--line); }
.matrix .self { stroke: var(--line); }
.matrix .good rect { fill: var(--good); }
.matrix .unsure rect { fill: var(--paper); stroke: var(--unsure); stroke-width: 1.4; }
.matrix .bad rect { fill: var(--bad); }
.matrix .bad path { stroke: var(--paper); stroke-width: 1.6; }
.tallies { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 14px; list-style: none; margin: 18px 0; padding: 0; }
.tallies li { border: 2px solid var(--tone, var(--line)); border-radius: 10px; padding: 14px 20px; }
.tallies strong { display: block; font-size: 2.1rem; line-height: 1.1; }

.scroll { overflow-x: auto; margin: .4em 0 .8em; }
.scroll:focus-visible, summary:focus-visible { outline: 3px solid var(--note); outline-offset: 3px; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
caption { text-align: left; color: var(--soft); font-size: .85rem; padding-bottom: .4em; }
th, td { text-align: left; vertical-align: top; padding: 8px 14px 8px 0; border-bottom: 1px solid var(--line); }
thead th::first-letter { text-transform: uppercase; }
thead th { color: var(--soft); font-size: .82rem; font-weight: 600; vertical-align: bottom; border-bottom: 2px solid var(--line); }
tbody th { font-weight: 600; min-width: 8.5em; }
td { min-width: 3em; }
tr > :last-child { padding-right: 0; }
.figures { text-align: right; white-space: nowrap; }
details { margin-top: 14px; }
summary { cursor: pointer; font-weight: 600; padding: 4px 0; }
.digest { display: inline-block; padding: 8px 14px; background: var(--faint); border: 1px solid var(--line); border-radius: 8px; }
footer { color: var(--soft); font-size: .85rem; margin-top: 20px; text-align: center; }
footer p { max-width: none; }

@media (max-width: 600px) {
  body { padding: 12px 10px 28px; }
  .banner .verdict { padding: 22px 20px; gap: 16px; flex-wrap: wrap; }
  .banner .rehearsal { padding-inline: 20px; }
  .seal { width: 72px; }
  section { padding: 18px 16px; }
  .keyfacts dl { grid-template-columns: 1fr 1fr; gap: 12px 14px; }
  .keyfacts time { white-space: normal; }
  .graph text { font-size: 21px; } .graph .role { font-size: 18px; }
  table { min-width: 620px; }
}
@media print {
  @page { margin: 14mm; }
  :root { --page: #fff; --paper: #fff; --faint: #fff; --ink: #000; --soft: #333; --line: #999;
    --good: #0f4a29; --unsure: #5c3700; --bad: #7d0c12; --note: #1d3a5a; }
  body { padding: 0; max-width: none; font-size: 10.5pt; }
  .banner { color: #000; border: 2.5pt solid #000; background: none !important; }
  .banner.unsure { border-style: dashed; } .banner.bad { border: 7pt double #000; }
  .seal { width: 80px; } .seal .ring, .seal .sign { stroke: #000; }
  .tag { border-color: #000; }
  .banner .rehearsal { background: none; border-bottom: 1.5pt dashed #000; }
  section { border: 0; border-radius: 0; border-top: 1px solid #999; padding: 12px 0; margin-top: 8px; }
  .scroll { overflow: visible; }
  table { font-size: 9pt; }
  h2, h3, caption, summary { break-after: avoid; }
  tr, li, figure, dl, .banner { break-inside: avoid; }
  thead { display: table-header-group; }
  details::details-content { content-visibility: visible; display: block; block-size: auto; }
}
`;
