import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { OutsideVantage } from "../../prover/intent.ts";
import type { KindSettings } from "../settings.ts";
import type { Cluster, Lifetime } from "./cluster.ts";
import { clusterCommand, clusterReport, lifetimeWith } from "./clusterCommand.ts";
import { type BridgePlace, kindGuardPlace } from "./guardPlace.ts";
import { BOOT_ID_FILE, kindNodeNames } from "./kindSpec.ts";
import { bridgeOf } from "./kindState.ts";
import { identityOf } from "./replacement.ts";

/** Makes and removes kind clusters; a program of its own, which knows nothing of Pulumi. */
const PROGRAM = join(import.meta.dirname, "kindCluster.ts");

export interface KindClusterArgs {
  cluster: KindSettings;
  /** True: the cluster is made without kube-proxy. */
  kubeProxyReplacement: boolean;
}

/**
 * A cluster in Docker on a network of its own, made by kind: one control plane and the workers, no CNI. kind cannot add or remove
 * workers, so their number is part of the identity: another number replaces the cluster, and the doctor says so before it happens.
 */
export class KindCluster extends pulumi.ComponentResource implements Cluster {
  readonly name: string;
  readonly kubeconfig: pulumi.Output<string>;
  readonly kubeconfigPath: pulumi.Output<string>;
  readonly apiServer: { host: pulumi.Output<string>; port: pulumi.Output<number> };
  readonly incarnation: pulumi.Output<string>;
  readonly lifetime: Lifetime;
  readonly bootIdFile = BOOT_ID_FILE;
  readonly nodes: number;
  readonly outside: (image: string) => OutsideVantage;
  readonly guardPlace: BridgePlace;
  readonly simulated = false;

  constructor(name: string, args: KindClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("wirecloak:cluster:Kind", name, { ...args }, opts);
    const identity = identityOf(args.cluster, args.kubeProxyReplacement);

    const command = clusterCommand(`${name}-cluster`, { program: PROGRAM, clusterName: identity.name, identity }, this);
    const report = clusterReport(command);

    this.name = identity.name;
    this.nodes = kindNodeNames(identity).length;
    this.kubeconfig = report.kubeconfig;
    this.kubeconfigPath = report.kubeconfigPath;
    this.apiServer = { host: report.server.host, port: report.server.port };
    this.incarnation = report.incarnation;
    this.lifetime = lifetimeWith(`${name}-inside`, command, this);
    this.outside = (image) => ({
      name: "the nodes' Docker bridge",
      device: bridgeOf(identity.name),
      // The same on Linux and Docker Desktop: a container in the network of Docker's own host, with no right but to capture.
      command: [
        ...["docker", "run", "--rm", "--network", "host", "--read-only"],
        ...[
          "--cap-drop",
          "ALL",
          "--cap-add",
          "NET_RAW",
          "--security-opt",
          "no-new-privileges",
          "--entrypoint",
          "",
          image,
        ],
      ],
    });
    this.guardPlace = kindGuardPlace(identity);
    this.registerOutputs({ kubeconfig: this.kubeconfig, incarnation: this.incarnation });
  }
}
