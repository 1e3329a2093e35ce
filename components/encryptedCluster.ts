import type { Provider } from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import type { Summary } from "../prover/summary.ts";
import type { Lifetime } from "./cluster/cluster.ts";
import { clusterProvider } from "./cluster/provider.ts";
import type { EncryptedClusterArgs } from "./encryptedClusterArgs.ts";
import { nextKeyId } from "./encryption/ipsecKey.ts";
import { checkedArguments } from "./look/checked.ts";
import { wire } from "./wiring.ts";

/**
 * A cluster whose traffic is encrypted, and proven so, as one resource of another program: what this project's own program makes of its stack config, of
 * arguments. Whatever is wrong with them, with this machine or with a live cluster is one error of the constructor, before any resource of it exists; the
 * constructor looks at both, which takes seconds.
 *
 * Files of clusters (kubeconfig, evidence) are kept by this checkout and by the cluster's name: two programs that use it, and two clusters in one, need
 * clusters of different names.
 */
export class EncryptedCluster extends pulumi.ComponentResource {
  /** The cluster's own name, and the name in evidence. */
  readonly clusterName: string;
  /** Contents of a kubeconfig that reaches it. Secret. */
  readonly kubeconfig: pulumi.Output<string>;
  /** A file with that kubeconfig, on the machine that runs the update. */
  readonly kubeconfigPath: pulumi.Output<string>;
  /** The context in it; null: its current one. */
  readonly context: string | null;
  /** How many nodes it must have, control plane included; null where others decide that. */
  readonly nodes: number | null;
  /** `proven`, `not proven` or `failed`. */
  readonly verdict: pulumi.Output<string>;
  /** The verdict in a sentence, with what it rests on. */
  readonly statement: pulumi.Output<string>;
  /** Why the verdict is no better, each naming its evidence. */
  readonly reasons: pulumi.Output<string[]>;
  /** Nodes, node pairs, and packets between them: readable and encrypted. */
  readonly counts: pulumi.Output<Summary["counts"]>;
  /** Path of evidence.json on the machine that ran the update; evidence.html is beside it. */
  readonly evidence: pulumi.Output<string | null>;
  /** What the last change cost and showed, as JSON; null where none was watched. */
  readonly change: pulumi.Output<string | null>;
  /** Id of the IPsec key; null in the other modes. */
  readonly keyId: number | null;
  /** The id that a rotation takes. */
  readonly nextKeyId: number | null;
  /** What the live cluster is held against, as JSON. */
  readonly intent: string;
  /** For workloads. It is there after the proof, so that nothing of them runs in a cluster that is not proven. */
  readonly provider: Provider;
  /** Options for workloads beside the provider: they are replaced with the cluster, and not deleted one by one when it goes. */
  readonly lifetime: Lifetime;

  constructor(name: string, args: EncryptedClusterArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    const checked = checkedArguments(name, args);
    super("wirecloak:cluster:EncryptedCluster", name, { ...args }, opts);
    const { cluster, proof, watch, settled } = wire(checked, { prefix: `${name}-`, opts: { parent: this } });
    const { keyId } = proof.intent;

    this.clusterName = cluster.name;
    this.kubeconfig = cluster.kubeconfig;
    this.kubeconfigPath = cluster.kubeconfigPath;
    this.context = cluster.context ?? null;
    this.nodes = cluster.nodes ?? null;
    this.verdict = proof.verdict;
    this.statement = proof.statement;
    this.reasons = proof.reasons;
    this.counts = proof.counts;
    this.evidence = proof.evidence;
    this.change = watch.change;
    this.keyId = keyId;
    this.nextKeyId = keyId && nextKeyId(keyId);
    this.intent = JSON.stringify(proof.intent);
    this.provider = clusterProvider(`${name}-workloads`, cluster, { parent: this }, [settled]);
    this.lifetime = cluster.lifetime;
    this.registerOutputs({ kubeconfig: this.kubeconfig, verdict: this.verdict, evidence: this.evidence });
  }
}
