import { z } from "zod";
import type { AgentStatus, Answer, Counters, EncryptionStatus } from "./observation.ts";

/** The commands that an agent's pod is asked, in its container `cilium-agent`. */
export const STATUS_COMMAND = ["cilium-dbg", "status", "-o", "json"];
export const ENCRYPTION_COMMAND = ["cilium-dbg", "encrypt", "status", "-o", "json"];
/** The only command that tells of WireGuard handshakes and transfer in every version. */
export const DEBUGINFO_COMMAND = ["cilium-dbg", "debuginfo", "--output", "json"];

/** Tells what the datapath dropped, and needs no metrics to be served. */
export const DROPS_COMMAND = ["cilium-dbg", "bpf", "metrics", "list", "-o", "json"];

const mode = z.enum(["Disabled", "IPsec", "Wireguard", "Ztunnel"]);

const statusShape = z
  .looseObject({
    cilium: z.looseObject({ msg: z.string().optional() }).optional(),
    encryption: z.looseObject({
      mode,
      wireguard: z.looseObject({ "node-encryption": z.string().optional() }).nullish(),
    }),
  })
  .transform(
    ({ cilium, encryption }): AgentStatus => ({
      mode: encryption.mode,
      version: cilium?.msg ?? null,
      nodeEncryption: encryption.wireguard?.["node-encryption"] ?? null,
    }),
  );

// Go leaves zeros and empty lists out, so an absent number is 0; an absent list of peers is not an empty one,
// since `encrypt status` of Cilium 1.20 counts the peers without naming them.
const encryptionShape = z
  .looseObject({
    mode,
    msg: z.string().optional(),
    wireguard: z
      .looseObject({
        interfaces: z
          .array(
            z.looseObject({
              "public-key": z.string().default(""),
              "peer-count": z.number().default(0),
              peers: z.array(z.looseObject({ "public-key": z.string().default("") })).nullish(),
            }),
          )
          .nullish(),
      })
      .nullish(),
    ipsec: z
      .looseObject({
        "keys-in-use": z.number().default(0),
        "xfrm-errors": z.record(z.string(), z.number()).nullish(),
      })
      .nullish(),
  })
  .transform((said): EncryptionStatus => {
    const device = said.wireguard?.interfaces?.[0];
    return {
      mode: said.mode,
      message: said.msg || null,
      wireguard: device
        ? {
            publicKey: device["public-key"],
            peerCount: device["peer-count"],
            peers: device.peers?.map((peer) => peer["public-key"]) ?? null,
          }
        : null,
      ipsec: said.ipsec ? { keysInUse: said.ipsec["keys-in-use"], errors: said.ipsec["xfrm-errors"] ?? {} } : null,
    };
  });

/** Go's zero time, which Cilium prints for a handshake that never was. */
const ZERO_TIME = "0001-01-01";

const peerShape = z
  .looseObject({
    "public-key": z.string().default(""),
    endpoint: z.string().optional(),
    "last-handshake-time": z.string().optional(),
    "transfer-rx": z.number().default(0),
    "transfer-tx": z.number().default(0),
  })
  .transform((peer) => {
    const last = peer["last-handshake-time"];
    return {
      publicKey: peer["public-key"],
      endpoint: peer.endpoint || null,
      lastHandshake: !last || last.startsWith(ZERO_TIME) ? null : last,
      rx: peer["transfer-rx"],
      tx: peer["transfer-tx"],
    };
  });

const debuginfoShape = z
  .looseObject({
    wireguard: z
      .looseObject({ interfaces: z.array(z.looseObject({ peers: z.array(peerShape).nullish() })).nullish() })
      .nullish(),
  })
  .transform(({ wireguard }): Counters => {
    const device = wireguard?.interfaces?.[0];
    return { peers: device ? (device.peers ?? []) : null, ipsec: null };
  });

const ipsecCountersShape = z
  .looseObject({
    ipsec: z
      .looseObject({
        "keys-in-use": z.number().default(0),
        "max-seq-number": z
          .string()
          .regex(/^(N\/A|0x[0-9a-f]+(\/0x[0-9a-f]+)?)$/i)
          .default("N/A"),
        "error-count": z.number().default(0),
        "xfrm-errors": z.record(z.string(), z.number()).nullish(),
      })
      .nullish(),
  })
  .transform(
    ({ ipsec }): Counters => ({
      peers: null,
      ipsec: ipsec
        ? {
            maxSequence: sequence(ipsec["max-seq-number"]),
            keysInUse: ipsec["keys-in-use"],
            errorCount: ipsec["error-count"],
            errors: ipsec["xfrm-errors"] ?? {},
          }
        : null,
    }),
  );

/** How Cilium names what strict mode drops (drop reason 195). */
const UNENCRYPTED = "Traffic is unencrypted";

// One entry for each place in the source that dropped; in older versions one for each reason, with both directions in it.
const dropsShape = z.array(
  z.union([
    z.looseObject({ reason: z.string(), direction: z.string(), packets: z.number() }),
    z
      .looseObject({ description: z.string(), values: z.record(z.string(), z.looseObject({ packets: z.number() })) })
      .transform(({ description, values }) => ({
        reason: description,
        direction: "egress",
        packets: Object.entries(values).find(([direction]) => isEgress(direction))?.[1].packets ?? 0,
      })),
  ]),
);

const isEgress = (direction: string): boolean => direction.toLowerCase() === "egress";

/** How many packets strict mode dropped on their way out, in what `cilium-dbg bpf metrics list -o json` printed. */
export function parseDrops(output: string): Answer<number> {
  // Without any entry Cilium prints no document.
  if (output.trim() === "") return { said: 0 };
  const parsed = parse(output, dropsShape, /^\[/m);
  if ("silent" in parsed) return parsed;
  const drops = parsed.said.filter(({ reason, direction }) => reason === UNENCRYPTED && isEgress(direction));
  return { said: drops.reduce((sum, { packets }) => sum + packets, 0) };
}

/** `0x1e3/0xffffffff` is the number and its limit. */
function sequence(text: string): number | null {
  return text === "N/A" ? null : Number(text.split("/")[0]);
}

/** Reads what `cilium-dbg status -o json` printed. */
export function parseStatus(output: string): Answer<AgentStatus> {
  return parse(output, statusShape);
}

/** Reads what `cilium-dbg encrypt status -o json` printed. */
export function parseEncryption(output: string): Answer<EncryptionStatus> {
  return parse(output, encryptionShape);
}

/** Reads the counters of the WireGuard peers in what `cilium-dbg debuginfo --output json` printed. */
export function parseDebuginfo(output: string): Answer<Counters> {
  const part = encryptionPart(output);
  if (part !== null) return parse(part, debuginfoShape);
  const whole = parse(output, z.looseObject({ encryption: debuginfoShape }));
  return "said" in whole ? { said: whole.said.encryption } : whole;
}

/** Reads the counters in what `cilium-dbg encrypt status -o json` printed. */
export function parseIpsecCounters(output: string): Answer<Counters> {
  return parse(output, ipsecCountersShape);
}

/**
 * The member `encryption` of a debuginfo as Cilium indents it, since all of it is megabytes at each of a thousand nodes; null where it is not
 * found that way. A line that starts so cannot be inside a string: JSON has no line feeds there.
 */
function encryptionPart(output: string): string | null {
  const opening = '\n  "encryption": {\n';
  const start = output.indexOf(opening);
  const end = start < 0 ? -1 : output.indexOf("\n  }", start);
  return end < 0 ? null : output.slice(start + opening.length - 2, end + "\n  }".length);
}

/** How much of an answer that cannot be read is repeated. */
const SHOWN = 120;

function parse<T>(output: string, shape: z.ZodType<T>, opening = /^\{/m): Answer<T> {
  // Warnings may stand on lines of their own before the document.
  const start = output.search(opening);
  if (start < 0) return { silent: `answered without a JSON document: ${JSON.stringify(output.slice(0, SHOWN))}` };
  try {
    const parsed = shape.safeParse(JSON.parse(output.slice(start)));
    if (parsed.success) return { said: parsed.data };
    const [issue] = parsed.error.issues;
    return { silent: `answered in an unknown shape: ${issue?.path.join(".")}: ${issue?.message}` };
  } catch (error) {
    return { silent: `answered with broken JSON: ${(error as Error).message}` };
  }
}
