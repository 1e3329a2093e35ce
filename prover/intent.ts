import { z } from "zod";
import { ProverError } from "./proverError.ts";

/** What the cluster is meant to be, as one JSON document. It holds the id of the IPsec key, never the key. */
export interface Intent {
  /** Version of this document's shape. */
  schema: 1;
  /** Name for people and evidence. */
  cluster: string;
  /** Who made the cluster: `kind`, `existing`, `rehearsal`, ... For the report only. */
  provider: string;
  /** The nodes and agents are stand-ins; every verdict says so. */
  simulated: boolean;
  cilium: { version: string; namespace: string };
  encryption: "wireguard" | "ipsec" | "none";
  /** Node-to-node and hostNetwork traffic as well. WireGuard only. */
  nodeEncryption: boolean;
  strict: boolean;
  /** SPI of the IPsec key in use, 1 to 15; null in the other modes. */
  keyId: number | null;
  /** AES key size in bits, 128 or 256; null in the other modes. */
  keyBits: number | null;
  /** The encryption-related keys of ConfigMap cilium-config as they must read; null: the key must be absent. */
  config: Record<string, string | null>;
  /** How many nodes there must be; null: as many as there are. */
  nodes: number | null;
  routing: string;
}

const schema: z.ZodType<Intent> = z
  .strictObject({
    schema: z.literal(1),
    cluster: z.string().min(1),
    provider: z.string().min(1),
    simulated: z.boolean(),
    cilium: z.strictObject({ version: z.string().regex(/^\d+\.\d+\.\d+/), namespace: z.string().min(1) }),
    encryption: z.enum(["wireguard", "ipsec", "none"]),
    nodeEncryption: z.boolean(),
    strict: z.boolean(),
    keyId: z.int().min(1).max(15).nullable(),
    keyBits: z.union([z.literal(128), z.literal(256)]).nullable(),
    config: z.record(z.string(), z.string().nullable()),
    nodes: z.int().positive().nullable(),
    routing: z.string().min(1),
  })
  .refine((intent) => (intent.encryption === "ipsec") === (intent.keyId !== null), {
    path: ["keyId"],
    message: "must be a key id in ipsec mode, and null in the others",
  })
  .refine((intent) => !intent.nodeEncryption || intent.encryption === "wireguard", {
    path: ["nodeEncryption"],
    message: "exists in wireguard mode only",
  });

/** Reads an intent; `source` names it in the error. Throws a usage ProverError that lists every problem. */
export function parseIntent(text: string, source: string): Intent {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new ProverError("usage", `the intent in ${source} is not JSON: ${(error as Error).message}`);
  }
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `  ${issue.path.join(".") || "(document)"}: ${issue.message}`);
  throw new ProverError("usage", [`the intent in ${source} is not valid:`, ...problems].join("\n"));
}
