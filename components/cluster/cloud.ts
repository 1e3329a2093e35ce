import { createRequire } from "node:module";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings.ts";
import { NAMESPACE } from "../settingsFields.ts";
import { type Problem, UserError } from "../userError.ts";
import type { Cluster } from "./cluster.ts";

/** Clouds whose clusters are made by a workspace of its own, a folder of this name beside this file. */
export type Cloud = keyof typeof SDK;

/** The SDK of each cloud; big, so that only who asks for the cloud has it. */
const SDK = { eks: "@pulumi/aws" } as const;

/** What the workspace of a cloud gives. */
export interface CloudModule {
  /** Makes the cluster that the settings ask for; its nodes come by `nodesAfter`. */
  createCluster(name: string, settings: Settings, opts?: pulumi.ComponentResourceOptions): Cluster;
}

/** What has been loaded so far. */
const loaded = new Map<Cloud, CloudModule>();

/**
 * Loads the workspace of a provider that is a cloud with its SDK installed, for a program that can wait. A constructor cannot, and so `loadCloud` requires what is not
 * loaded; that fails where ts-node is registered, as language hosts up to 3.68 do whatever `typescript` in Pulumi.yaml says.
 */
export async function loadCloudOf(provider: string): Promise<void> {
  if (!isCloud(provider) || missingSdk(provider)) return;
  loaded.set(provider, (await import(pathOf(provider))) as CloudModule);
}

/** The workspace of a cloud, loaded only now. Throws a UserError where its SDK is not installed. */
export function loadCloud(cloud: Cloud): CloudModule {
  const missing = missingSdk(cloud);
  if (missing) throw new UserError([missing]);
  return loaded.get(cloud) ?? (createRequire(import.meta.filename)(pathOf(cloud)) as CloudModule);
}

/** No literal in an import, since the type check must not need the SDK (tsconfig.json). */
function pathOf(cloud: Cloud): string {
  return join(import.meta.dirname, cloud, "index.ts");
}

function isCloud(provider: string): provider is Cloud {
  return provider in SDK;
}

/** What is wrong where the cloud's SDK is not installed. */
export function missingSdk(cloud: Cloud, folder = join(import.meta.dirname, cloud)): Problem | undefined {
  try {
    createRequire(join(folder, "index.ts")).resolve(`${SDK[cloud]}/package.json`);
    return undefined;
  } catch {
    return {
      key: `${NAMESPACE}:cluster.provider`,
      value: cloud,
      message: `Its SDK, ${SDK[cloud]}, is not installed; it is big, so that only who asks for this provider has it.`,
      fix: `./bin/setup ${cloud}`,
    };
  }
}
