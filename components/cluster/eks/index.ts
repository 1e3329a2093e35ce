import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings.ts";
import type { CloudModule } from "../cloud.ts";
import { EksCluster } from "./eksCluster.ts";

/** Makes the EKS cluster of these settings. */
export function createCluster(name: string, settings: Settings, opts?: pulumi.ComponentResourceOptions): EksCluster {
  const { cluster } = settings;
  if (cluster.provider !== "eks") throw new RangeError(`not an EKS cluster: ${cluster.provider}`);
  return new EksCluster(name, { settings, cluster }, opts);
}

// What cluster/cloud.ts expects here.
({ createCluster }) satisfies CloudModule;
