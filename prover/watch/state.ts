import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { WireState } from "./change.ts";
import type { WatchOrder } from "./order.ts";
import type { ProcessId } from "./updater.ts";

/** A watch that was begun: what its background process is told, and what finds it again. Nothing in it is secret. */
export interface Started {
  id: string;
  order: WatchOrder;
  from: WireState | null;
  kubeconfig: string;
  context?: string;
  /** Folder of the cluster's evidence. */
  evidence: string;
  folder: string;
  namespace: string;
  /** The update that it belongs to; null: none, it ends when it is told to. */
  updater: ProcessId | null;
  /** Why there is nothing to watch; null where there is. */
  idle: string | null;
}

/** Where a watch keeps what it has, in its cluster's folder. */
export function filesOf(folder: string) {
  return {
    started: join(folder, "started.json"),
    process: join(folder, "process.json"),
    ready: join(folder, "ready"),
    result: join(folder, "result.json"),
    log: join(folder, "watch.log"),
  };
}

/** Whole or not at all. */
export function writeWhole(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.part`, content, { mode: 0o600 });
  renameSync(`${file}.part`, file);
}

/** Undefined where there is none. */
export function readWhole<T>(file: string): T | undefined {
  // Written by this program alone, and whole.
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as T) : undefined;
}
