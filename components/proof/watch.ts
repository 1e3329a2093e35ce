import { join } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Intent } from "../../prover/intent.ts";
import { evidenceFolder, watchFolder } from "../../tools/paths.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { isBridge } from "../cluster/guardPlace.ts";
import { guardQuestion } from "../encryption/guard/question.ts";
import type { Repairs } from "../live/live.ts";
import type { Settings } from "../settings.ts";

/** Watches as a program of its own, which knows nothing of Pulumi. */
const PROVER = join(import.meta.dirname, "../../prover/main.ts");

export interface WatchArgs {
  settings: Settings;
  cluster: Cluster;
  intent: Intent;
  /** What makes this update repair something: empty texts where nothing is to be. */
  repairs?: Partial<Repairs>;
}

/**
 * Watches what crosses between the nodes while an update changes them, and how long pods cannot reach each other. It begins before anything is touched and ends after the
 * proof; its two commands run exactly when something changes that touches traffic.
 */
export class Watch extends pulumi.ComponentResource {
  /** What must be there before anything of the cluster changes; empty where the settings want no watch. */
  readonly begun: pulumi.Resource[] = [];
  /** What the last change cost and showed, as JSON (prover/watch/change.ts); null where none was watched. */
  change: pulumi.Output<string | null> = pulumi.output(null);
  private readonly name: string;
  private readonly folder: string;
  private readonly begin: local.Command | undefined;
  private readonly lifetime: Cluster["lifetime"];

  constructor(name: string, { settings, cluster, intent, repairs }: WatchArgs, opts?: pulumi.ComponentResourceOptions) {
    super("wirecloak:proof:Watch", name, {}, opts);
    this.name = name;
    this.folder = watchFolder(settings.cluster.name);
    this.lifetime = cluster.lifetime;
    if (settings.watch) {
      const context = cluster.context === undefined ? "" : ' --context "$KUBECONFIG_CONTEXT"';
      this.begin = new local.Command(
        `${name}-begin`,
        {
          // No triggers: a change runs it again in place. What it is told is all that makes a change, and nothing else is in it.
          create: `node "$PROVER" watch begin --update --kubeconfig "$KUBECONFIG_FILE"${context} --folder "$WATCH" --evidence "$EVIDENCE"`,
          stdin: JSON.stringify(watchOrder(settings, cluster, intent, repairs ?? {})),
          environment: {
            PROVER,
            KUBECONFIG_FILE: cluster.kubeconfigPath,
            EVIDENCE: evidenceFolder(settings.cluster.name),
            WATCH: this.folder,
            ...(cluster.context !== undefined && { KUBECONFIG_CONTEXT: cluster.context }),
          },
          addPreviousOutputInEnv: false,
          logging: local.Logging.Stderr,
        },
        { parent: this, ...cluster.lifetime },
      );
      this.begun = [this.begin];
    }
    this.registerOutputs({});
  }

  /** All is changed and proven: the watch ends, and fails the update where it saw a leak that must not be. */
  ended(after: pulumi.Resource[]): pulumi.Resource[] {
    if (!this.begin) return [];
    const end = new local.Command(
      `${this.name}-end`,
      {
        create: 'node "$PROVER" watch end --folder "$WATCH" -- "$AFTER"',
        environment: { PROVER, WATCH: this.folder, AFTER: this.begin.stdout },
        addPreviousOutputInEnv: false,
        logging: local.Logging.Stderr,
      },
      { parent: this, ...this.lifetime, dependsOn: after },
    );
    this.change = end.stdout.apply((text) => (text === "null" ? null : text));
    return [end];
  }
}

/** What the watch is told; that it differs is what makes a change. */
export function watchOrder(
  settings: Settings,
  cluster: Pick<Cluster, "guardPlace">,
  intent: Intent,
  repairs: Partial<Repairs>,
): object {
  const { enforce: _, ...proof } = settings.proof;
  return {
    intent,
    // A cloud's rules count nothing, and what passes them is seen nowhere.
    guard: cluster.guardPlace && isBridge(cluster.guardPlace) ? guardQuestion(settings, cluster.guardPlace) : null,
    pods: settings.cluster.podCidr === undefined ? [] : [settings.cluster.podCidr],
    repairs,
    // Whatever else of the settings touches traffic.
    settings: { cilium: settings.cilium, ipsec: settings.ipsec, wireguard: settings.wireguard, proof },
  };
}
