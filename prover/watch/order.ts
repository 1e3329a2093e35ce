import { text } from "node:stream/consumers";
import { z } from "zod";
import { encryptsOverlay } from "../checks/leaks.ts";
import { configuredMode } from "../configuredMode.ts";
import { type GuardQuestion, type Intent, parseIntent } from "../intent.ts";
import type { Observation } from "../observation.ts";
import { ProverError } from "../proverError.ts";
import type { WireState } from "./change.ts";

/** What a watch is told on stdin. Whatever else is in it only decides whether there is a change to watch. */
export interface WatchOrder {
  intent: Intent;
  /** How the guard between the nodes tells what it dropped; null where none is meant to stand there. */
  guard: GuardQuestion | null;
  /** Ranges that pods have their addresses in, also those of nodes that are yet to come. */
  pods: string[];
}

const shape = z.looseObject({
  intent: z.unknown(),
  guard: z.object({ command: z.array(z.string()).min(1), input: z.string() }).nullable(),
  pods: z.array(z.string()),
});

/** Reads an order from a stream. Throws a usage ProverError. */
export async function readOrder(input: NodeJS.ReadableStream): Promise<WatchOrder> {
  return parseOrder(await text(input));
}

export function parseOrder(order: string): WatchOrder {
  let document: unknown;
  try {
    document = JSON.parse(order);
  } catch (error) {
    throw new ProverError("usage", `the order of the watch is not JSON: ${(error as Error).message}`);
  }
  const parsed = shape.safeParse(document);
  if (!parsed.success) throw new ProverError("usage", `the order of the watch: ${z.prettifyError(parsed.error)}`);
  const { intent, guard, pods } = parsed.data;
  return { intent: parseIntent(JSON.stringify(intent), "the order of the watch"), guard, pods };
}

/** What the cluster is meant to be after the change. */
export function stateOf({ encryption, nodeEncryption, strict, keyId, cilium }: Intent): WireState {
  return { encryption, nodeEncryption, strict, keyId, cilium: cilium.version };
}

/** What the cluster was told to be before it; null where there is no Cilium. */
export function liveState(seen: Pick<Observation, "config" | "ciliumNodes">, version: string | null): WireState | null {
  const { data } = seen.config ?? {};
  if (data === undefined) return null;
  const on = (key: string): boolean => data[key] === "true";
  const encryption = configuredMode(data);
  const keys = seen.ciliumNodes.map((node) => node.encryptionKey).filter((key) => key >= 1 && key <= 15);
  return {
    encryption,
    nodeEncryption: encryption === "wireguard" && on("encrypt-node"),
    strict: Object.keys(data).some((key) => key.startsWith("enable-encryption-strict-mode") && on(key)),
    keyId: encryption === "ipsec" && keys.length > 0 ? Math.max(...keys) : null,
    cilium: version,
  };
}

/** Whether every mode of this change that encrypts hides all of the overlay. */
export function hidesOverlay(states: readonly WireState[]): boolean {
  return states
    .filter(({ encryption }) => encryption !== "none")
    .every(({ encryption, cilium }) =>
      encryptsOverlay({ encryption, cilium: { version: cilium ?? "", namespace: "" } }),
    );
}

/** `wireguard`, `ipsec (key 4)`: for people. */
export function stateText({ encryption, keyId, nodeEncryption, strict }: WireState): string {
  const more = [keyId === null ? "" : `key ${keyId}`, nodeEncryption ? "nodes too" : "", strict ? "strict" : ""];
  const said = more.filter((part) => part !== "");
  return said.length === 0 ? encryption : `${encryption} (${said.join(", ")})`;
}
