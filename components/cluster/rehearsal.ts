import * as pulumi from "@pulumi/pulumi";
import type { OutsideVantage } from "../../prover/intent.ts";
import type { RehearsalSettings } from "../settings.ts";
import type { Cluster, Lifetime } from "./cluster.ts";
import { clusterCommand, clusterReport, lifetimeWith, scaleCommand } from "./clusterCommand.ts";
import { type BridgePlace, onRehearsalBridge, REHEARSAL_PROGRAM, rehearsalGuardPlace } from "./guardPlace.ts";
import { identityOf } from "./replacement.ts";

export interface RehearsalClusterArgs {
  cluster: RehearsalSettings;
}

/** A cluster for machines without Docker: a real Kubernetes API, simulated nodes. Workers come and go in place. */
export class RehearsalCluster extends pulumi.ComponentResource implements Cluster {
  readonly name: string;
  readonly kubeconfig: pulumi.Output<string>;
  readonly kubeconfigPath: pulumi.Output<string>;
  readonly apiServer: { host: pulumi.Output<string>; port: pulumi.Output<number> };
  readonly incarnation: pulumi.Output<string>;
  readonly lifetime: Lifetime;
  readonly nodes: number;
  readonly outside: () => OutsideVantage;
  readonly guardPlace: BridgePlace;
  readonly simulated = true;

  constructor(name: string, { cluster }: RehearsalClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("wirecloak:cluster:Rehearsal", name, { ...cluster }, opts);
    const identity = identityOf(cluster);
    const target = { program: REHEARSAL_PROGRAM, clusterName: cluster.name };

    // Made without workers, which then come by `scale`, so that their number is no part of what identifies the cluster.
    const command = clusterCommand(`${name}-cluster`, { ...target, identity: { ...identity, workers: 0 } }, this);
    const spec = { ...identity, workers: cluster.workers };
    const workers = scaleCommand(`${name}-workers`, { ...target, spec, cluster: command }, this);
    const report = clusterReport(command);

    this.name = cluster.name;
    this.nodes = cluster.workers + 1;
    this.kubeconfig = report.kubeconfig;
    this.kubeconfigPath = pulumi.all([report.kubeconfigPath, workers.id]).apply(([path]) => path);
    this.apiServer = { host: report.server.host, port: report.server.port };
    this.incarnation = report.incarnation;
    this.lifetime = lifetimeWith(`${name}-inside`, command, this);
    this.outside = () => ({ name: "the nodes' bridge", device: "lan0", command: onRehearsalBridge(cluster.name) });
    this.guardPlace = rehearsalGuardPlace(cluster.name);
    this.registerOutputs({ kubeconfig: this.kubeconfig, incarnation: this.incarnation });
  }
}
