import { z } from "zod";
import { changeSchema } from "../watch/change.ts";

/** Version of the evidence document's shape: it grows with every change that a reader of the document could notice. */
export const SCHEMA_VERSION = 1;

const count = z.int().min(0);
const time = z.string().describe("ISO 8601");
const pairResult = z
  .enum(["encrypted", "not observed", "readable"])
  .describe(
    "encrypted: markers of every kind sent came back, ciphertext was seen where a control marker was seen too, and nothing readable was; " +
      "readable: a readable packet of this pair was seen; not observed: a piece of evidence is missing",
  );

const finding = z.strictObject({
  check: z.string(),
  effect: z.enum(["contradicts", "unobserved", "note"]),
  node: z.string().nullable().describe("null: about the whole cluster"),
  message: z.string(),
  evidence: z.string().nullable(),
  fix: z.string().nullable(),
});

const counter = z.strictObject({
  name: z.string(),
  before: z.number().nullable(),
  after: z.number().nullable(),
});

const node = z.strictObject({
  name: z.string(),
  verdict: z.enum(["agrees", "unobserved", "contradicts"]),
  controlPlane: z.boolean(),
  encryption: z.string().nullable().describe("the mode that its agent tells; null where it does not answer"),
  nodeEncryption: z.string().nullable(),
  peers: count.nullable().describe("WireGuard peers"),
  keyId: count.nullable().describe("IPsec: SPI that the node announces"),
  keysInUse: count.nullable().describe("IPsec keys"),
  keys: z
    .enum(["new only", "old and new"])
    .nullable()
    .describe("IPsec: old and new while a rotation is in flight; null: it cannot be told"),
  oldestHandshakeSeconds: z.number().nullable().describe("WireGuard: age of the oldest handshake with any peer"),
  peersWithoutHandshake: count.nullable().describe("WireGuard: with how many peers there never was one"),
  counters: z.array(counter).describe("before and after the test traffic"),
});

const pair = z.strictObject({
  from: z.string(),
  to: z.string(),
  result: pairResult,
  sent: count.describe("markers sent, all protocols and kinds"),
  returned: count.describe("markers that came back"),
  encryptedPackets: count.describe("the most that one vantage point saw"),
  readablePackets: count.describe("the most that one vantage point saw"),
  missing: z.array(z.string()).describe("what keeps the result from being encrypted"),
});

const vantage = z.strictObject({
  name: z.string(),
  where: z.enum(["node", "outside"]).describe("node: on the sender's own device; outside: between the nodes"),
  node: z.string().nullable(),
  device: z.string(),
  silent: z.string().nullable().describe("why nothing was captured here"),
  complete: z.boolean().describe("the capture ran from before the first marker until after the last"),
  dropped: count.describe("packets that the kernel dropped before the capture saw them"),
  controlsSent: count.describe("control markers sent in clear on purpose"),
  controlsSeen: count,
  encryptedPackets: count,
  readablePackets: count,
  readable: z
    .array(
      z.strictObject({
        form: z.string(),
        from: z.string().describe("node, or the address where it is nobody's known"),
        to: z.string(),
        marker: z.boolean().describe("held a marker of this run"),
        packets: count,
        example: z.string(),
      }),
    )
    .describe("readable packets by kind, those with a marker first"),
  readableLeftOut: count.describe("further kinds of readable packets that are not listed"),
});

const control = z.strictObject({
  framework: z.string(),
  control: z.string(),
  title: z.string(),
  supported: z.boolean().describe("this run is evidence for the control; it is never compliance by itself"),
  wording: z.string(),
});

const guard = z
  .strictObject({
    standing: z
      .enum(["in force", "changed", "off", "unknown"])
      .describe("changed: by hand, or another mode's; unknown: it could not be asked"),
    forms: z.array(z.string()).describe("the ciphertext that it lets pass"),
    digest: z.string().nullable().describe("of its rules, without counters"),
    drops: z
      .array(
        z.strictObject({
          name: z.string().describe("of the counter"),
          what: z.string(),
          plaintext: z.boolean().describe("what it counts should have been encrypted"),
          before: count.describe("packets before the test traffic"),
          after: count,
        }),
      )
      .describe("what it has dropped since it was first set; a guard that a cloud carries counts nothing"),
    told: z
      .strictObject({ by: z.string(), at: time })
      .optional()
      .describe("who told of a guard that a cloud carries, and when; absent: nobody did, or it tells of itself"),
  })
  .nullable()
  .describe("what drops readable packets between the nodes, outside of them; null where nothing is meant to");

export const evidenceSchema = z
  .strictObject({
    schema: z.literal(SCHEMA_VERSION),
    verdict: z.enum(["proven", "not proven", "failed"]),
    simulated: z.boolean().describe("nodes and agents are stand-ins: a rehearsal"),
    statement: z.string().describe("the verdict in a sentence"),
    reasons: z.array(z.string()).describe("why the verdict is no better, worst first, with what to do"),
    findings: z.array(finding).describe("what the reasons are made of"),
    findingsLeftOut: count.describe("further findings that are not listed"),
    cluster: z.strictObject({ name: z.string(), provider: z.string(), nodes: count, routing: z.string() }),
    encryption: z.strictObject({
      mode: z.enum(["wireguard", "ipsec", "none"]),
      nodeEncryption: z.boolean(),
      strict: z.boolean(),
      key: z
        .strictObject({
          id: count,
          bits: z.int().nullable(),
          ageDays: z
            .number()
            .nullable()
            .describe("null: not known; the prover may not read the Secret that would tell"),
        })
        .nullable()
        .describe("IPsec only; never the key itself"),
    }),
    tested: z
      .strictObject({
        pairsTotal: count,
        pairsTested: count,
        sample: z.string().nullable().describe("how the tested pairs were chosen; null: all were tested"),
        image: z.string(),
        markersSent: count,
        markersReturned: count,
        controlsSent: count,
        controlsSeen: count,
        strict: z
          .string()
          .nullable()
          .optional()
          .describe("what the test of strict mode saw; null where there was none"),
        results: z.strictObject({ encrypted: count, notObserved: count, readable: count }),
        startedAt: time,
        endedAt: time,
      })
      .nullable()
      .describe("the test on the wire; null where there was none"),
    nodes: z.array(node),
    pairs: z.array(pair).describe("tested ordered node pairs"),
    vantages: z.array(vantage),
    guard,
    guardLimits: z
      .array(z.string())
      .optional()
      .describe(
        "of a guard that the cloud carries: what it cannot tell apart, and what it closes besides; absent: there is none",
      ),
    throughput: z
      .array(
        z.strictObject({
          mode: z.string(),
          mean: z.number().describe("Gbit/s of one TCP stream between pods of two nodes"),
          deviation: z.number().nullable().describe("of the sample; null for a single run"),
          runs: count,
          mtu: z.int().nullable().describe("of the pods' device"),
          takenAt: time,
        }),
      )
      .describe("the newest bench of each mode; no part of the proof"),
    change: changeSchema
      .optional()
      .describe("of the update that this proof ended; absent: nothing was changed, or nothing watched"),
    notEncrypted: z.array(z.string()).describe("traffic that is plain by design"),
    controls: z.array(control),
    versions: z.strictObject({
      prover: z.string(),
      cilium: z.string().describe("as intended"),
      agents: z.record(z.string(), count).describe("how many agents say that they are of which version"),
      kubernetes: z.string().nullable(),
      tools: z.record(z.string(), z.string()),
    }),
    startedAt: time,
    endedAt: time,
    seconds: z.number(),
    requests: count.describe("to the Kubernetes API"),
    intent: z.record(z.string(), z.unknown()).describe("what the cluster was meant to be, see prover/intent.ts"),
    observation: z
      .record(z.string(), z.unknown())
      .describe("everything that was seen, see prover/observation.ts, so that somebody else can judge it again"),
    abridged: z.array(z.string()).describe("what was left out of the observation, and why; empty: nothing"),
  })
  .describe("What a Wirecloak proof tested, saw and concluded");

/** The evidence of one proof. */
export type Evidence = z.infer<typeof evidenceSchema>;
export type PairEvidence = z.infer<typeof pair>;
export type PairResult = PairEvidence["result"];
export type VantageEvidence = z.infer<typeof vantage>;
export type NodeEvidence = z.infer<typeof node>;
export type ControlEvidence = z.infer<typeof control>;

/** The published JSON Schema, as docs/evidence.schema.json holds it. */
export function jsonSchema(): string {
  // The identifier carries the version: a reader may rely on it.
  const document = { $id: `urn:wirecloak:evidence:${SCHEMA_VERSION}`, title: "Wirecloak evidence" };
  return `${JSON.stringify({ ...document, ...z.toJSONSchema(evidenceSchema, { target: "draft-2020-12" }) }, null, 2)}\n`;
}
