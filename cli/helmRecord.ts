import { gunzipSync, gzipSync } from "node:zlib";
import { isTree, type Tree } from "../policies/resource.ts";

/** A Secret in which helm keeps one revision of a release (helm's pkg/storage/driver/secrets.go, in Helm 3 and 4). */
export interface HelmSecret {
  metadata: { name: string; labels: Record<string, string> };
  /** base64 of base64 of gzipped JSON. */
  data: { release: string };
}

/** What helm says of a revision. */
export interface HelmRecord {
  revision: number;
  /** `deployed`, `failed`, `pending-install`, ... */
  status: string;
  /** The values that it was given. */
  values: Tree;
}

/** Reads a revision. */
export function readHelmRecord({ data }: HelmSecret): HelmRecord {
  const { version, info, config } = decode(data.release);
  return { revision: Number(version), status: String(Object(info).status), values: isTree(config) ? config : {} };
}

/** The latest revision of those that there are; undefined where there is none. */
export function latestRevision(secrets: readonly HelmSecret[]): HelmSecret | undefined {
  return [...secrets].sort((a, b) => readHelmRecord(b).revision - readHelmRecord(a).revision)[0];
}

/** The same revision with another status, as helm itself would write it. */
export function withStatus(secret: HelmSecret, status: string, description: string): HelmSecret {
  const release = decode(secret.data.release);
  return {
    ...secret,
    metadata: { ...secret.metadata, labels: { ...secret.metadata.labels, status } },
    data: { ...secret.data, release: encode({ ...release, info: { ...Object(release.info), status, description } }) },
  };
}

function decode(text: string): Tree {
  const packed = Buffer.from(Buffer.from(text, "base64").toString(), "base64");
  return JSON.parse(gunzipSync(packed).toString()) as Tree;
}

function encode(release: Tree): string {
  const packed = gzipSync(JSON.stringify(release)).toString("base64");
  return Buffer.from(packed).toString("base64");
}
