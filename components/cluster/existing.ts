import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { ExistingSettings } from "../settings.ts";
import type { Cluster, Lifetime } from "./cluster.ts";
import { kubeSystemUid, readKubeconfig } from "./kubeconfig.ts";

export interface ExistingClusterArgs {
  cluster: ExistingSettings;
}

/** A cluster that others made. Nothing of it is created or deleted here, and its kubeconfig is only read. */
export class ExistingCluster extends pulumi.ComponentResource implements Cluster {
  readonly name: string;
  readonly kubeconfig: pulumi.Output<string>;
  readonly kubeconfigPath: pulumi.Output<string>;
  readonly context: string;
  readonly apiServer: { host: string; port: number };
  readonly incarnation: pulumi.Output<string>;
  /** Empty: tied to anything, what we installed would stay behind when the stack is destroyed. */
  readonly lifetime: Lifetime = {};
  readonly simulated = false;

  constructor(name: string, { cluster }: ExistingClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("wirecloak:cluster:Existing", name, { ...cluster }, opts);
    const target = readKubeconfig(cluster.kubeconfig, cluster.context);

    this.name = cluster.name;
    this.kubeconfig = pulumi.secret(readFileSync(cluster.kubeconfig, "utf8"));
    this.kubeconfigPath = pulumi.output(cluster.kubeconfig);
    this.context = target.context;
    this.apiServer = target.apiServer;
    // Asked at preview too: it only reads, and a cluster built anew at the same address is told apart by it.
    this.incarnation = pulumi.output(kubeSystemUid(target));
    this.registerOutputs({ kubeconfig: this.kubeconfig, incarnation: this.incarnation });
  }
}
