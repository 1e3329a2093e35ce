import type { Evidence, NodeEvidence, PairEvidence } from "../schema.ts";
import { html, type Markup } from "./markup.ts";
import { byName, NODE_STANDING, NODE_WORDS, PAIR_STANDING, pairSentence, shortened, signShapes } from "./words.ts";

const WIDTH = 860;
const MARGIN = 60;
/** Room for names beside the circle. */
const SIDE = 190;

interface Point {
  x: number;
  y: number;
}

/** The nodes on a circle, with an arc for every tested ordered pair; what is not encrypted lies on top. */
export function nodeGraph({ nodes, pairs }: Pick<Evidence, "nodes" | "pairs">, description: string): Markup {
  const size = nodes.length > 12 ? 15 : 22;
  const radius = (WIDTH - 2 * SIDE) / 2;
  const ring = Math.min(radius, 120 + 12 * nodes.length);
  const centre = { x: WIDTH / 2, y: MARGIN + ring };
  const places = new Map(
    [...nodes]
      .sort((a, b) => byName(a.name, b.name))
      .map(({ name }, index) => [name, onCircle(centre, ring, index / nodes.length + (nodes.length === 2 ? 0.75 : 0))]),
  );
  const top = nodes.length === 2 ? round(MARGIN + ring - 90 - MARGIN / 2) : 0;
  const order: readonly PairEvidence["result"][] = ["encrypted", "not observed", "readable"];
  const arcs = [...pairs].sort((a, b) => order.indexOf(a.result) - order.indexOf(b.result));
  return html`<svg class="graph${nodes.length > 12 && " dense"}" role="img" aria-labelledby="graph-title graph-desc" viewBox="0 ${top} ${WIDTH} ${round(2 * (MARGIN + ring - top))}">
<title id="graph-title">Nodes and the traffic between them</title>
<desc id="graph-desc">${description} The table of pairs below holds the same.</desc>
<defs>${["good", "unsure", "bad"].map((standing) => html`<marker id="arrow-${standing}" class="${standing}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="${standing === "bad" ? 15 : 9}" markerHeight="${standing === "bad" ? 15 : 9}" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.5 L10 5 L0 9.5 Z"/></marker>`)}</defs>
${arcs.map((pair) => arc(pair, places.get(pair.from), places.get(pair.to), size))}
${nodes.map((node) => nodeMark(node, places.get(node.name), centre, size))}
</svg>
`;
}

/** Two nodes lie side by side; more start at the top and go round as a clock does. */
function onCircle(centre: Point, radius: number, turn: number): Point {
  const angle = 2 * Math.PI * turn - Math.PI / 2;
  return { x: centre.x + radius * Math.cos(angle), y: centre.y + radius * Math.sin(angle) };
}

/** Bent to its own right, so that the two directions of a pair lie beside each other. */
function arc(pair: PairEvidence, from: Point | undefined, to: Point | undefined, size: number): Markup | null {
  if (!from || !to) return null;
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const across = { x: -(to.y - from.y) / length, y: (to.x - from.x) / length };
  const bend = Math.min(46, 0.16 * length);
  const top = { x: (from.x + to.x) / 2 + 2 * bend * across.x, y: (from.y + to.y) / 2 + 2 * bend * across.y };
  const start = towards(from, top, size + 3);
  const end = towards(to, top, size + 6);
  // The point of a quadratic curve at its half.
  const middle = { x: (start.x + 2 * top.x + end.x) / 4, y: (start.y + 2 * top.y + end.y) / 4 };
  const standing = PAIR_STANDING[pair.result];
  const line = `M${at(start)} Q${at(top)} ${at(end)}`;
  return html`<g class="pair ${standing}"><title>${pairSentence(pair)}</title><path class="reach" d="${line}"/><path class="line" d="${line}" marker-end="url(#arrow-${standing})"/>${
    standing !== "good" && html`<g transform="translate(${at(middle)})"><circle r="8"/>${signShapes(standing)}</g>`
  }</g>
`;
}

function nodeMark(node: NodeEvidence, place: Point | undefined, centre: Point, size: number): Markup | null {
  if (!place) return null;
  const side = Math.round((place.x - centre.x) / 10);
  const anchor = side === 0 ? "middle" : side > 0 ? "start" : "end";
  const name = {
    x: place.x + Math.sign(side) * (size + 9),
    y: side === 0 ? place.y + (place.y < centre.y ? -size - 22 : size + 18) : place.y - 1,
  };
  const standing = NODE_STANDING[node.verdict];
  const role = node.controlPlane ? "control plane" : "worker";
  const shape = node.controlPlane
    ? html`<rect x="${-size}" y="${-size}" width="${2 * size}" height="${2 * size}" rx="5"/>`
    : html`<circle r="${size}"/>`;
  return html`<g class="node ${standing}"><title>${node.name} (${role}): ${NODE_WORDS[node.verdict]}</title>
<g transform="translate(${at(place)})">${shape}<g transform="scale(${round(size / 11)})">${signShapes(standing)}</g></g>
<text x="${round(name.x)}" y="${round(name.y)}" text-anchor="${anchor}">${shortened(node.name, 22)}<tspan class="role" x="${round(name.x)}" dy="15">${role}</tspan></text></g>
`;
}

function towards(from: Point, to: Point, distance: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return {
    x: from.x + (distance * (to.x - from.x)) / length,
    y: from.y + (distance * (to.y - from.y)) / length,
  };
}

function at({ x, y }: Point): string {
  return `${round(x)} ${round(y)}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
