import { join } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { watchFolder } from "../../../tools/paths.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { secondsOf } from "../../duration.ts";
import { intentOf } from "../../proof/intent.ts";
import type { Settings } from "../../settings.ts";

/** Waits, and restarts the agents where they do not agree; a program of its own, which knows nothing of Pulumi. */
const PROGRAM = join(import.meta.dirname, "main.ts");

/** Seconds for agents that have started to know each other. */
const AGREEMENT = 60;

/** Seconds until the kubelet has brought a changed Secret to every node's disk: it looks once a minute. */
const KUBELET = 90;

export interface AgentsArgs {
  settings: Settings;
  cluster: Cluster;
  /** Revision of the Helm release: agents are waited for after each new one. */
  revision: pulumi.Input<number>;
  /** What must be there before. */
  after?: readonly pulumi.Resource[];
  /** What else must have been done before, and each change of which is waited for. */
  triggers?: pulumi.Input<unknown>[];
}

/**
 * All agents on the new configuration, before anything is proven or the guard follows. Helm does not wait for that: it takes a DaemonSet for ready at
 * its number of nodes minus `maxUnavailable`, and knows nothing of a changed key.
 */
export class AgentsAgree extends pulumi.ComponentResource {
  constructor(name: string, args: AgentsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("wirecloak:encryption:AgentsAgree", name, {}, opts);
    const { settings, cluster } = args;
    const intent = JSON.stringify(intentOf(settings, cluster));
    const context = cluster.context === undefined ? "" : ' "$KUBECONFIG_CONTEXT"';
    new local.Command(
      `${name}-wait`,
      {
        create: `node "$PROGRAM" "$KUBECONFIG_FILE" ${agreementTime(settings)}${context}`,
        stdin: intent,
        environment: {
          PROGRAM,
          WATCH: watchFolder(settings.cluster.name),
          KUBECONFIG_FILE: cluster.kubeconfigPath,
          ...(cluster.context !== undefined && { KUBECONFIG_CONTEXT: cluster.context }),
        },
        // A Command runs again only when its triggers change.
        triggers: [args.revision, intent, cluster.incarnation, ...(args.triggers ?? [])],
        addPreviousOutputInEnv: false,
        logging: local.Logging.Stderr,
      },
      { parent: this, ...cluster.lifetime, dependsOn: [...(args.after ?? [])] },
    );
    this.registerOutputs({});
  }
}

/** Seconds for agents to agree: with IPsec they take a new key with a delay of up to a tenth of keyRotationDuration (cilium/cilium#44263). */
function agreementTime({ encryption, ipsec }: Settings): number {
  return encryption === "ipsec" ? KUBELET + Math.ceil(secondsOf(ipsec.keyRotationDuration) / 10) : AGREEMENT;
}
