import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { OwnLifetime } from "./cluster.ts";

/** What a program that makes clusters prints on stdout when it is done: this, as one line of JSON. */
export interface ClusterReport {
  incarnation: string;
  /** The API server as the nodes reach it. */
  server: { host: string; port: number };
  kubeconfigPath: string;
  /** Its contents. Secret. */
  kubeconfig: string;
}

export interface ClusterCommandArgs {
  /** Path of the program: `node PROGRAM create|scale|delete --name NAME`, the spec on stdin, progress on stderr. */
  program: string;
  /** The cluster's own name. */
  clusterName: string;
  /** Told to `create` on stdin. Nothing but what identifies the cluster: a change replaces it. */
  identity: object;
}

/** The command that makes a cluster and removes it. Fixed names: the old one goes before the new one comes. */
export function clusterCommand(name: string, args: ClusterCommandArgs, parent: pulumi.Resource): local.Command {
  const identity = JSON.stringify(args.identity);
  return new local.Command(
    name,
    {
      create: 'node "$PROGRAM" create --name "$NAME"',
      delete: 'node "$PROGRAM" delete --name "$NAME"',
      environment: { PROGRAM: args.program, NAME: args.clusterName },
      stdin: identity,
      triggers: [identity],
      ...quiet,
    },
    { parent, deleteBeforeReplace: true, additionalSecretOutputs: ["stdout"] },
  );
}

/**
 * A command that brings a living cluster to its number of nodes. Of its own, since a change of it must leave the outputs of the
 * command that made the cluster known: else a preview shows everything inside the cluster as replaced.
 */
export function scaleCommand(
  name: string,
  args: Omit<ClusterCommandArgs, "identity"> & { spec: object; cluster: local.Command },
  parent: pulumi.Resource,
): local.Command {
  const { cluster } = args;
  return new local.Command(
    name,
    {
      create: 'node "$PROGRAM" scale --name "$NAME"',
      environment: { PROGRAM: args.program, NAME: args.clusterName },
      stdin: JSON.stringify(args.spec),
      ...quiet,
    },
    {
      parent,
      dependsOn: [cluster],
      deletedWith: cluster,
      replaceWith: [cluster],
      additionalSecretOutputs: ["stdout"],
    },
  );
}

/**
 * What ties everything inside a cluster to the command that made it, by way of a command that does nothing. Tied to the cluster's own, what is inside a replaced cluster would be
 * deleted before it one by one in no order (engine 3.259, findResourcesReplacedWith), and the admission policies refuse Cilium's removal as long as they are there. What is tied to
 * another resource that goes with the cluster is left alone, as it is when all of the stack is destroyed.
 */
export function lifetimeWith(name: string, cluster: pulumi.CustomResource, parent: pulumi.Resource): OwnLifetime {
  const inside = new local.Command(
    name,
    { create: "exit 0", ...quiet },
    {
      parent,
      dependsOn: [cluster],
      deletedWith: cluster,
      replaceWith: [cluster],
      additionalSecretOutputs: ["stdout"],
    },
  );
  return { deletedWith: inside, replaceWith: [cluster] };
}

/** The kubeconfig passes by stdout, which is neither logged nor handed to the next run; progress passes by stderr. */
const quiet = { addPreviousOutputInEnv: false, logging: local.Logging.Stderr } as const;

/** The report as outputs. Only the kubeconfig is secret; the rest must stay readable, for policies and for people. */
export function clusterReport(command: local.Command): {
  [key in keyof ClusterReport]: pulumi.Output<ClusterReport[key]>;
} {
  const report = pulumi.secret(command.stdout).apply((text) => JSON.parse(text) as ClusterReport);
  return {
    incarnation: pulumi.unsecret(report.incarnation),
    server: pulumi.unsecret(report.server),
    kubeconfigPath: pulumi.unsecret(report.kubeconfigPath),
    kubeconfig: report.kubeconfig,
  };
}
