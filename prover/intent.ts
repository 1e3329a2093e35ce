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
  /** How pods' packets cross between nodes; null: routed as they are. */
  overlay: "vxlan" | "geneve" | null;
  /** What drops readable packets between the nodes, outside of them; null where nothing is meant to. */
  guard: GuardPlan | null;
  /** What a guard that the cloud carries cannot tell apart, and what it closes besides, as sentences; absent where there is none. */
  guardLimits?: string[];
  /** How it is to be proven. */
  proof: ProofPlan;
}

/** How to ask for a guard. */
export interface GuardQuestion {
  /** A program of this machine that prints the guard in force as JSON (GuardSeen), or null where there is none. */
  command: string[];
  /** Its standard input. */
  input: string;
}

/** A guard that is meant to be there. */
export interface GuardPlan extends GuardQuestion {
  /** The ciphertext that must pass, in the guard's own words. */
  forms: string[];
}

/** What a proof may cost, and where it looks from. */
export interface ProofPlan {
  /** Ordered node pairs that are tested at most; beyond that a sample in which every node sends and receives. */
  pairs: number | "all";
  /** Seconds for which packets are looked at, at the least. */
  seconds: number;
  /** Image of the probe pods: `sh`, `tcpdump`, `socat`, `ip` and `timeout` are in it. */
  image: string;
  /** A place between the nodes from which their packets are seen; null where this kind of cluster has none. */
  outside: OutsideVantage | null;
}

/** A capture outside of the nodes: a program of this machine, with tcpdump's command line after its own. */
export interface OutsideVantage {
  /** For people and evidence. */
  name: string;
  /** The device to capture on, there. */
  device: string;
  command: string[];
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
    overlay: z.enum(["vxlan", "geneve"]).nullable(),
    guard: z
      .strictObject({ command: z.array(z.string()).min(1), input: z.string(), forms: z.array(z.string()) })
      .nullable()
      // Of a stack that was deployed before there were guards.
      .default(null),
    guardLimits: z.exactOptional(z.array(z.string())),
    proof: z.strictObject({
      pairs: z.union([z.int().min(2), z.literal("all")]),
      seconds: z.int().min(1),
      image: z.string().min(1),
      outside: z
        .strictObject({ name: z.string().min(1), device: z.string().min(1), command: z.array(z.string()).min(1) })
        .nullable(),
    }),
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
