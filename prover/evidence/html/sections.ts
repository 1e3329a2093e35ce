import type { Evidence, NodeEvidence } from "../schema.ts";
import { type Content, html, type Markup } from "./markup.ts";
import { type Column, facts, table } from "./table.ts";
import {
  byName,
  counted,
  moment,
  NODE_STANDING,
  NODE_WORDS,
  named,
  number,
  type Standing,
  standingLabel,
} from "./words.ts";

/** How many vantage points and nodes are listed; those with trouble come first, and evidence.json has them all. */
const LISTED = 100;

export function vantagesSection({ vantages, tested }: Evidence): Markup | null {
  if (tested === null) return null;
  const trouble = (vantage: Evidence["vantages"][number]): boolean => captureStanding(vantage).standing !== "good";
  const sorted = [...vantages].sort(
    (a, b) => Number(trouble(b)) - Number(trouble(a)) || byName(b.where, a.where) || byName(a.name, b.name),
  );
  const shown = sorted.slice(0, LISTED);
  const readable = shown.flatMap((vantage) => vantage.readable.map((group) => ({ place: vantage.name, ...group })));
  const left = shown.reduce((total, vantage) => total + vantage.readableLeftOut, 0);
  return html`<section aria-labelledby="vantages">
<h2 id="vantages">Where packets were captured</h2>
<p>At each place a control marker was sent in clear on purpose. It passes the same filter and the same parser as a leak would: a place that did not see it could not have seen a leak either, and then proves nothing.</p>
${table(
  "Vantage points and their controls",
  [
    { head: "Place" },
    { head: "Where" },
    { head: "Capture" },
    { head: "Control markers", figures: true },
    { head: "Encrypted packets", figures: true },
    { head: "Readable packets", figures: true },
  ],
  shown.map((vantage) => {
    const { standing, words } = captureStanding(vantage);
    return [
      named(vantage.name),
      vantage.where === "node" ? "on the sending node" : "between the nodes",
      standingLabel(standing, words),
      `${number(vantage.controlsSeen)} of ${number(vantage.controlsSent)} seen`,
      number(vantage.encryptedPackets),
      // No packet seen by a blind eye is no good sign.
      standingLabel(vantage.readablePackets > 0 ? "bad" : standing, number(vantage.readablePackets)),
    ];
  }),
)}
${more(vantages.length, "place")}
${
  readable.length > 0 &&
  html`<h3>Readable packets</h3>
${table(
  "Readable packets by kind",
  [
    { head: "Seen at" },
    { head: "From" },
    { head: "To" },
    { head: "Form" },
    { head: "Marker of this run" },
    { head: "Packets", figures: true },
    { head: "One of them, without payload" },
  ],
  readable.map((group) => [
    named(group.place),
    named(group.from),
    named(group.to),
    group.form,
    group.marker ? "yes" : "no",
    number(group.packets),
    html`<code>${group.example}</code>`,
  ]),
)}`
}
${left > 0 && html`<p>${counted(left, "further kind")} of readable packets in evidence.json.</p>`}
</section>
`;
}

function captureStanding(vantage: Evidence["vantages"][number]): { standing: Standing; words: string } {
  if (vantage.silent !== null) return { standing: "unsure", words: `none: ${vantage.silent}` };
  if (!vantage.complete) return { standing: "unsure", words: "did not run the whole time" };
  if (vantage.dropped > 0) return { standing: "unsure", words: `lost ${counted(vantage.dropped, "packet")}` };
  if (vantage.controlsSeen === 0) return { standing: "unsure", words: "blind: saw no control" };
  return vantage.readablePackets > 0
    ? { standing: "bad", words: "complete, saw readable packets" }
    : { standing: "good", words: "complete" };
}

export function nodesSection({ nodes, encryption }: Evidence): Markup {
  const sorted = [...nodes].sort(
    (a, b) => Number(a.verdict === "agrees") - Number(b.verdict === "agrees") || byName(a.name, b.name),
  );
  const shown = sorted.slice(0, LISTED);
  const columns = nodeColumns(encryption.mode, shown);
  return html`<section aria-labelledby="nodes">
<h2 id="nodes">Nodes</h2>
${table(
  "What each node says and does",
  columns,
  shown.map((node) => columns.map((column) => column.cell(node))),
)}
${more(nodes.length, "node")}
</section>
`;
}

interface NodeColumn extends Column {
  cell(node: NodeEvidence): Content;
}

/** Only what the mode knows, and only counters that some node has. */
function nodeColumns(mode: Evidence["encryption"]["mode"], nodes: readonly NodeEvidence[]): NodeColumn[] {
  const maybe = (value: number | null): string => (value === null ? "–" : number(value));
  const counters = [...new Set(nodes.flatMap((node) => node.counters.map(({ name }) => name)))];
  const columns: (NodeColumn | false)[] = [
    { head: "Node", cell: ({ name }) => named(name) },
    { head: "Role", cell: ({ controlPlane }) => (controlPlane ? "control plane" : "worker") },
    { head: "State", cell: ({ verdict }) => standingLabel(NODE_STANDING[verdict], NODE_WORDS[verdict]) },
    { head: "Mode told", cell: ({ encryption }) => encryption ?? "no answer" },
    mode === "wireguard" && { head: "Node encryption", cell: (node) => node.nodeEncryption ?? "–" },
    mode === "wireguard" && { head: "Peers", figures: true, cell: ({ peers }) => maybe(peers) },
    mode === "wireguard" &&
      nodes.some((node) => node.peersWithoutHandshake !== null) && {
        head: "Oldest handshake",
        figures: true,
        cell: ({ oldestHandshakeSeconds: age, peersWithoutHandshake: without }) =>
          [age !== null && `${number(age)} s`, without && `${number(without)} never`].filter(Boolean).join(", ") || "–",
      },
    mode === "ipsec" && { head: "Key id", figures: true, cell: ({ keyId }) => maybe(keyId) },
    mode === "ipsec" && { head: "Keys in use", figures: true, cell: ({ keysInUse }) => maybe(keysInUse) },
    ...counters.map(
      (name): NodeColumn => ({
        head: name,
        figures: true,
        cell: (node) => {
          const counter = node.counters.find((each) => each.name === name);
          return counter ? `${maybe(counter.before)} → ${maybe(counter.after)}` : "–";
        },
      }),
    ),
  ];
  return columns.filter((column) => column !== false);
}

export function notEncryptedSection({ notEncrypted }: Evidence): Markup {
  return html`<section aria-labelledby="not-encrypted">
<h2 id="not-encrypted">What is not encrypted</h2>
<p>By design, also where the verdict is “proven”:</p>
<ul>${notEncrypted.map((traffic) => html`<li>${traffic}</li>`)}</ul>
</section>
`;
}

export function controlsSection({ controls, verdict, simulated }: Evidence): Markup {
  const supported = controls.some((control) => control.supported);
  return html`<section aria-labelledby="controls">
<h2 id="controls">Controls that a proven run supports</h2>
<p>Evidence of one run on one cluster. Whether an organisation meets a control is for its auditor to say.${!supported && html` <strong>This run supports none of them: ${simulated ? "it is a rehearsal" : `its verdict is “${verdict}”`}.</strong>`}</p>
${table(
  "Map to controls",
  [{ head: "Framework" }, { head: "Control" }, { head: "This run" }, { head: "What it says" }],
  controls.map(({ framework, control, title, supported, wording }) => [
    framework,
    html`<strong>${control}</strong><br><span class="soft">${title}</span>`,
    standingLabel(supported ? "good" : "unsure", supported ? "supports" : "no support"),
    wording,
  ]),
)}
</section>
`;
}

export function runSection({
  versions,
  startedAt,
  endedAt,
  seconds,
  requests,
  tested,
  cluster,
  abridged,
}: Evidence): Markup {
  const agents = Object.entries(versions.agents).map(([version, count]) => `${version} on ${counted(count, "node")}`);
  return html`<section aria-labelledby="run">
<h2 id="run">Versions and time</h2>
${facts([
  ["Wirecloak prover", versions.prover],
  ["Cilium, as intended", versions.cilium],
  ["Cilium agents say", agents.join("; ") || "nothing"],
  ["Kubernetes", versions.kubernetes ?? "not known"],
  ...Object.entries(versions.tools).map(([tool, version]): [string, string] => [tool, version]),
  ...(tested === null ? [] : [["Probe image", tested.image] as [string, string]]),
  ["Routing", cluster.routing],
  ["Started", moment(startedAt)],
  ["Ended", moment(endedAt)],
  ["Took", `${seconds.toFixed(1)} s, ${counted(requests, "API request")}`],
])}
${
  abridged.length > 0 &&
  html`<h3>Abridged in evidence.json</h3>
<ul>${abridged.slice(0, LISTED).map((what) => html`<li>${what}</li>`)}</ul>`
}
</section>
`;
}

export function digestSection(digest: string): Markup {
  return html`<section aria-labelledby="digest">
<h2 id="digest">Digest</h2>
<p>This page shows the file <code>evidence.json</code> of the same run, which also holds the intent and everything that was observed. <code>sha256sum evidence.json</code> must print:</p>
<p><code class="digest">${digest}</code></p>
</section>
`;
}

function more(total: number, what: string): Markup | false {
  return total > LISTED && html`<p>${counted(total - LISTED, `further ${what}`)} in evidence.json.</p>`;
}
