import { z } from "zod";

/** ConfigMap in Cilium's namespace. Identity: never rename. */
export const RECORD_CONFIG_MAP = "wirecloak-record";
/** Its one key. */
export const RECORD_KEY = "record.json";

/**
 * What makes the parts of an update run that would have nothing to do: plain strings, where each change means once more. Empty as long
 * as nothing was ever repaired.
 */
export interface Repairs {
  /** The Secret is put back and all agents roll. */
  cilium: string;
  /** The guard is set. */
  guard: string;
  /** The parameter of the admission policies is set. */
  admission: string;
  /** The wire is proven. */
  proof: string;
}

/** How the last complete update left the cluster. Digests only, no key. */
export interface SettledRecord {
  schema: 1;
  /** A new one for each update that did anything. */
  run: string;
  at: string;
  digests: {
    config: string | null;
    /** Of the options that agents get from the DaemonSet. */
    agents: string | null;
    /** Of all CiliumNodeConfigs. */
    nodeConfigs: string;
    /** Null: there was none. Absent: it could not be read. */
    secret?: string | null | undefined;
    /** Null: there was none. Absent: nobody asked, or it could not be. */
    guard?: string | null | undefined;
    /** Of what the admission policies let through. Null: they had no parameter. Absent: nobody asked. */
    admission?: string | null | undefined;
    /** Of the admission policies. Absent: nobody asked, or it could not be. */
    policies?: string | undefined;
    nodes: Record<string, { boot: string | null; keys: string }>;
  };
  /** The options of cilium-config that have to do with encryption, for words about a change. */
  options: Record<string, string>;
  repairs: Repairs;
  /** Its proof was not proven, for reasons that may pass by themselves. */
  proveAgain: boolean;
  /** The IPsec key and when it was first seen; null in the other modes. */
  key: { id: number; digest: string; since: string } | null;
}

const schema: z.ZodType<SettledRecord> = z.object({
  schema: z.literal(1),
  run: z.string(),
  at: z.string(),
  digests: z.object({
    config: z.string().nullable(),
    agents: z.string().nullable(),
    nodeConfigs: z.string(),
    secret: z.string().nullable().optional(),
    guard: z.string().nullable().optional(),
    admission: z.string().nullable().optional(),
    policies: z.string().optional(),
    nodes: z.record(z.string(), z.object({ boot: z.string().nullable(), keys: z.string() })),
  }),
  options: z.record(z.string(), z.string()),
  repairs: z.object({ cilium: z.string(), guard: z.string(), admission: z.string().default(""), proof: z.string() }),
  proveAgain: z.boolean(),
  key: z.object({ id: z.int(), digest: z.string(), since: z.iso.datetime() }).nullable(),
});

/** Reads a record; null where there is none, or none that this version wrote. */
export function parseRecord(text: string | null): SettledRecord | null {
  try {
    return text === null ? null : schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
