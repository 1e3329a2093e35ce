import { z } from "zod";
import type { AgentStatus, Answer, EncryptionStatus } from "./observation.ts";

/** The commands that an agent's pod is asked, in its container `cilium-agent`. */
export const STATUS_COMMAND = ["cilium-dbg", "status", "-o", "json"];
export const ENCRYPTION_COMMAND = ["cilium-dbg", "encrypt", "status", "-o", "json"];

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

/** Reads what `cilium-dbg status -o json` printed. */
export function parseStatus(output: string): Answer<AgentStatus> {
  return parse(output, statusShape);
}

/** Reads what `cilium-dbg encrypt status -o json` printed. */
export function parseEncryption(output: string): Answer<EncryptionStatus> {
  return parse(output, encryptionShape);
}

/** How much of an answer that cannot be read is repeated. */
const SHOWN = 120;

function parse<T>(output: string, shape: z.ZodType<T>): Answer<T> {
  // Warnings may stand on lines of their own before the document.
  const start = output.search(/^\{/m);
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
