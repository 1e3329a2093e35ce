import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./paths.ts";

/** Made by bin/setup from the package as npm has it. */
const IN_ONE_FILE = join(projectRoot, "node_modules/.kubernetes-client.mjs");

/** The official Kubernetes client. Its seven hundred files take 0.45 s of a core to load, in one 0.15 s, and five programs of an update load it. */
export async function kubernetesClient(): Promise<typeof import("@kubernetes/client-node")> {
  return import(existsSync(IN_ONE_FILE) ? IN_ONE_FILE : "@kubernetes/client-node");
}
