import { join } from "node:path";
import { readNote, writeWhole } from "../tools/files.ts";
import { clusterFiles } from "../tools/paths.ts";
import type { ClusterSpec } from "./nodePlan.ts";

/** The ports of a cluster, all on loopback. */
export interface Ports {
  apiServer: number;
  etcd: number;
  etcdPeer: number;
  controllerManager: number;
  scheduler: number;
  kwok: number;
  kubelet: number;
}

/** What is kept of a rehearsal cluster. Written before anything is made, so a killed run leaves its mark. */
export interface RehearsalRecord {
  provider: "rehearsal";
  incarnation: string;
  spec: ClusterSpec;
  ports: Ports;
  /** True once the cluster is complete. */
  made: boolean;
}

/** kwokctl's own name for the cluster, inside our folder; short, since it is in every path. The agent knows it too. */
export const KWOK_NAME = "k";

/** Where the files of a cluster are. */
export function rehearsalFiles(stateDir: string, name: string) {
  const files = clusterFiles(stateDir, name);
  const { folder } = files;
  const kwok = join(folder, "kwok", "clusters", KWOK_NAME);
  return {
    ...files,
    /** Holds the incarnation. The agent ends all processes of the cluster when it is gone or another's. */
    lease: join(folder, "lease"),
    logs: join(folder, "logs"),
    /** Programs by their place in this folder, so that a process tells whose it is. */
    programs: join(folder, "bin"),
    kwokWorkdir: join(folder, "kwok"),
    kwokConfig: join(folder, "kwok.yaml"),
    kwokPrograms: join(kwok, "bin"),
    pids: join(kwok, "pids"),
    pki: join(kwok, "pki"),
  };
}

export type RehearsalFiles = ReturnType<typeof rehearsalFiles>;

/** The record of a cluster in this state folder; undefined where there is none, or where it is another provider's. */
export function readRecord(files: RehearsalFiles): RehearsalRecord | undefined {
  const record = readNote<RehearsalRecord>(files.record);
  return record?.provider === "rehearsal" ? record : undefined;
}

/** Replaces the record at once. */
export function writeRecord(files: RehearsalFiles, record: RehearsalRecord): void {
  writeWhole(files.record, `${JSON.stringify(record, undefined, 2)}\n`);
}
