import type { Resource } from "../../policies/resource.ts";

/** What an audit has read, before any rule is asked. */
export interface Reading {
  source: { kind: "state" | "cluster" | "manifests"; of: string };
  resources: Resource[];
  /** What could not be read though a rule might rest on it, a sentence each: then the rules cannot all hold. */
  unread: string[];
}
