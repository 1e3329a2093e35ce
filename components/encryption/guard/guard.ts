import { join } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { watchFolder } from "../../../tools/paths.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isBridge } from "../../cluster/guardPlace.ts";
import { kubeconfigPlace } from "../../cluster/place.ts";
import type { Settings } from "../../settings.ts";
import { formsOf } from "./forms.ts";
import type { GuardOrder } from "./order.ts";
import { GUARD_PROGRAM as PROGRAM } from "./question.ts";
import { tableOf } from "./table.ts";

/** Prints what a live cluster is like; the kubeconfig comes behind it. */
const LIVE = ["node", join(import.meta.dirname, "../../../prover/main.ts"), "live", "--kubeconfig"];

export interface GuardArgs {
  settings: Settings;
  cluster: Cluster;
  /** What must be there before the guard changes. */
  after?: pulumi.Resource[];
  /** Another one has the guard set again: see `Repairs`. Empty: nothing to repair. */
  repair?: string;
}

/**
 * Drops readable packets between the nodes, outside of them and whatever Cilium does. In two steps, since a resource has one state at the end of an update: the ciphertext of the
 * old and the new mode passes while nodes change, and after the proof only that of the new one. Empty where the settings want none, the cluster has no place for one, or its cloud carries it.
 */
export class Guard extends pulumi.ComponentResource {
  /** What must be there before Cilium starts or changes. */
  readonly widened: pulumi.Resource[];
  /** What must be there before a proof of allowed plaintext; empty in the other modes. */
  readonly opened: pulumi.Resource[] = [];
  /** All its steps; each tells something new on standard output when it has run. */
  readonly steps: local.Command[] = [];
  private readonly settings: Settings;
  private readonly narrow?: (after: pulumi.Resource) => pulumi.Resource;

  constructor(name: string, { settings, cluster, after, repair }: GuardArgs, opts?: pulumi.ComponentResourceOptions) {
    super("wirecloak:encryption:Guard", name, {}, opts);
    this.settings = settings;
    this.widened = [...(cluster.guarded ?? [])];
    const { guardPlace: place } = cluster;
    if (settings.guard && place !== undefined && isBridge(place)) {
      const order = cluster.incarnation.apply((generation) =>
        JSON.stringify({
          table: tableOf(settings.cluster.name),
          generation,
          forms: formsOf(settings),
          pods: podRanges(settings),
          place,
          live: [...LIVE, kubeconfigPlace(settings.cluster).kubeconfig, "--namespace", settings.cilium.namespace],
          ...(repair && { repair }),
        } satisfies GuardOrder),
      );
      const watch = watchFolder(settings.cluster.name);
      // By the cluster's name: another name is another table, and the old one goes with its own resource.
      const step = `${name}-${settings.cluster.provider}-${settings.cluster.name}`;
      // Neither is tied to the cluster's life: on kind the rules outlive it.
      const widened = new local.Command(
        `${step}-widen`,
        // No triggers: a change updates in place, since the delete of a replaced one would come after the create of the new.
        // Told what it printed before, so that the delete of a replaced one leaves the guard of the one in its place.
        { ...run("widen", watch, order), delete: 'node "$PROGRAM" remove', addPreviousOutputInEnv: true },
        { parent: this, dependsOn: after ?? [] },
      );
      this.widened.push(widened);
      this.steps.push(widened);
      this.narrow = (after) => {
        const narrowed = new local.Command(
          `${step}-narrow`,
          // Bound to each run of the first step, also where its own order is the same as before: after a change that failed and was taken back.
          { ...run("narrow", watch, order, { AFTER: widened.stdout }) },
          { parent: this, dependsOn: [after] },
        );
        this.steps.push(narrowed);
        return narrowed;
      };
    }
    this.registerOutputs({});
  }

  /** Cilium has changed. Where plaintext is allowed the guard opens now: else nothing of it could be proven. */
  released(cilium: pulumi.Resource): void {
    if (this.settings.encryption === "none" && this.narrow) this.opened.push(this.narrow(cilium));
  }

  /** The new state is proven: what only the old one sent passes no longer. */
  proven(proof: pulumi.Resource): void {
    if (this.settings.encryption !== "none") this.narrow?.(proof);
  }
}

/** Where pods have their addresses. */
function podRanges({ cluster }: Settings): string[] {
  return cluster.podCidr === undefined ? [] : [cluster.podCidr];
}

/** The order goes by stdin; there is nothing secret in it. */
function run(
  step: string,
  watch: string,
  order: pulumi.Output<string>,
  environment: Record<string, pulumi.Input<string>> = {},
) {
  return {
    create: `node "$PROGRAM" ${step}`,
    stdin: order,
    environment: { PROGRAM, WATCH: watch, ...environment },
    addPreviousOutputInEnv: false,
    logging: local.Logging.Stderr,
  };
}
