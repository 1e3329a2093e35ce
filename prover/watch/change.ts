import { z } from "zod";

const count = z.int().min(0);
const time = z.string().describe("ISO 8601");
const milliseconds = z.number().min(0);

/** What an update changes of what is on the wire. */
const state = z.strictObject({
  encryption: z.enum(["wireguard", "ipsec", "none"]),
  nodeEncryption: z.boolean(),
  strict: z.boolean(),
  keyId: z.int().nullable().describe("IPsec only"),
  cilium: z.string().nullable().describe("Cilium's version; null where it is not known"),
});

const spread = z.strictObject({ p50: milliseconds, p99: milliseconds, max: milliseconds });

const pair = z.strictObject({
  from: z.string(),
  to: z.string(),
  sent: count.describe("UDP messages"),
  answered: count,
  answerMs: spread.nullable().describe("time between successive answers; null where none came"),
  longestGapMs: milliseconds.describe("longest time without an answer, begin and end of the watch included"),
  gaps: z
    .array(z.strictObject({ at: time.describe("of the last answer before it"), ms: milliseconds }))
    .describe("times without an answer of more than 100 ms, the longest ones"),
  connection: z
    .enum(["kept", "broken", "none"])
    .describe(
      "of one TCP connection that never reconnects. kept: no error, no end, and an answer after the change, 5 s later at the most, whatever TCP has sent again; none: it never came about",
    ),
  leaked: count,
  attempted: count,
});

const vantage = z.strictObject({
  name: z.string().describe("a port of the nodes' bridge, or a node's own device"),
  where: z.enum(["port", "node"]).describe("port: past the guard; node: what the node sends, before any guard"),
  node: z.string().nullable(),
  silent: z.string().nullable().describe("why nothing was captured here"),
  controlsSent: count.describe("control markers sent in clear on purpose, at the begin and at the end"),
  controlsSeen: count,
  dropped: count.describe("packets that the kernel dropped before the capture saw them"),
});

const phase = z.strictObject({
  name: z.string(),
  at: time,
  attempted: count.describe("readable packets before the guard, from this phase to the next"),
  pastGuard: count.describe("readable packets past the guard"),
  forbidden: z.boolean().describe("intent and guard forbid plaintext in all of this phase"),
});

/** What one change of a cluster cost and showed, from before anything was touched until after the proof. */
export const changeSchema = z
  .strictObject({
    id: z.string(),
    from: state.nullable().describe("as it was found; null where that cannot be read"),
    to: state,
    guard: z.boolean().describe("a guard was meant to stand between the nodes"),
    startedAt: time,
    endedAt: time,
    complete: z.boolean().describe("watched from begin to end, with every control seen"),
    why: z.string().nullable().describe("why it is not complete"),
    leaked: count.describe("readable packets past the guard while intent and guard forbade them"),
    attempted: count.describe("readable packets before the guard in the same time"),
    plaintextWhileEncrypting: count.describe(
      "readable packets past the guard, or past where one would be, while any node was meant to encrypt: from encrypted to encrypted in all of the change, " +
        "from none since the first agent encrypts, to none until the last one has stopped",
    ),
    guardDrops: count.nullable().describe("by the guard's own counters; null: there is none, or it does not tell"),
    connections: z.strictObject({ kept: count, broken: count }),
    gapMs: spread.nullable().describe("of the longest times without an answer of each pair; null: no streams"),
    answerMs: spread.nullable().describe("time between successive answers, of all pairs together"),
    intervalMs: z
      .strictObject({ udp: milliseconds, tcp: milliseconds })
      .describe("time between two messages of a pair"),
    pairs: z.strictObject({
      total: count,
      sample: z.string().nullable().describe("how the watched pairs were chosen; null: all were watched"),
      each: z.array(pair),
    }),
    phases: z.array(phase).describe("in the order of time"),
    vantages: z.array(vantage),
    notSeen: z.array(z.string()).describe("what this watch cannot tell"),
  })
  .describe("The watch over a change: what crossed between the nodes, and how long pods could not reach each other");

export type Change = z.infer<typeof changeSchema>;
export type WireState = Change["from"] & object;
export type PairChange = Change["pairs"]["each"][number];
export type ChangeVantage = Change["vantages"][number];
export type ChangePhase = Change["phases"][number];
export type Spread = z.infer<typeof spread>;
