import { join } from "node:path";
import { local } from "@pulumi/command";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import type { Provider } from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { RECORD_CONFIG_MAP, RECORD_KEY } from "../../prover/live/record.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { Settings } from "../settings.ts";
import { isLive, type Live, livePlace, type Repairs, type Unreachable } from "./live.ts";
import type { SettleOrder } from "./main.ts";

/** Looks at the cluster; a program of its own, which knows nothing of Pulumi. */
const PROGRAM = join(import.meta.dirname, "main.ts");

export interface SettledArgs {
  settings: Settings;
  cluster: Cluster;
  provider: Provider;
  /** The cluster as the program found it. */
  live: Live | Unreachable | undefined;
  repairs: Repairs;
  /** The proof of this update may say otherwise when it is done again. */
  proveAgain: pulumi.Input<boolean>;
  /** The last steps of the update. */
  after: pulumi.Resource[];
  /** Outputs that differ after each run of a step: whatever ran, the record is written anew. */
  ran: pulumi.Input<unknown>[];
}

/**
 * What this update has left, on record in the cluster: the next one repairs what is not so any more. The last step of all, so that
 * an update that fails or is cut short leaves the old record, and the next one does not trust what it finds.
 */
export class Settled extends pulumi.ComponentResource {
  constructor(name: string, args: SettledArgs, opts?: pulumi.ComponentResourceOptions) {
    super("wirecloak:live:Record", name, {}, opts);
    const { settings, cluster, provider, live, repairs } = args;
    const look = new local.Command(
      `${name}-look`,
      {
        create: 'node "$PROGRAM"',
        stdin: pulumi.all([cluster.kubeconfigPath, args.proveAgain]).apply(([kubeconfig, proveAgain]) =>
          JSON.stringify({
            place: { ...livePlace(settings), kubeconfig },
            repairs,
            proveAgain,
          } satisfies SettleOrder),
        ),
        // No triggers: a change updates in place, and says so in a preview.
        environment: {
          PROGRAM,
          AFTER: pulumi.all([cluster.incarnation, ...args.ran]).apply((ran) => JSON.stringify(ran)),
        },
        addPreviousOutputInEnv: false,
        logging: local.Logging.Stderr,
      },
      { parent: this, dependsOn: args.after, ...cluster.lifetime },
    );
    new ConfigMap(
      `${name}-configmap`,
      {
        metadata: { name: RECORD_CONFIG_MAP, namespace: settings.cilium.namespace, annotations: TAKEN_OVER },
        data: { [RECORD_KEY]: look.stdout },
      },
      { parent: this, provider, ...cluster.lifetime, ...(isLive(live) && live.record === null && MADE_ANEW) },
    );
    this.registerOutputs({});
  }
}

/**
 * Server-side apply refuses a field that another manager holds with another value. A run that is killed right after the API server has made the record leaves
 * it under its own random manager's name and out of the state; the next run has another name, and another text each time. In every run, or the second would
 * show a change.
 */
const TAKEN_OVER = { "pulumi.com/patchForce": "true" };

/** The official kubernetes plugin does not update what is not there any more. */
const MADE_ANEW: pulumi.CustomResourceOptions = { replaceOnChanges: ["*"], deleteBeforeReplace: true };
