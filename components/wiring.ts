import type * as pulumi from "@pulumi/pulumi";
import { type Cluster, createCluster } from "./cluster/cluster.ts";
import { clusterProvider } from "./cluster/provider.ts";
import { Admission } from "./encryption/admission/admission.ts";
import { AgentsAgree } from "./encryption/agents/agents.ts";
import { Cilium } from "./encryption/cilium.ts";
import { Guard } from "./encryption/guard/guard.ts";
import { ciliumNamespace } from "./encryption/namespace.ts";
import { isSecretMissing, missingPolicies } from "./live/drift.ts";
import { Settled } from "./live/settled.ts";
import type { Checked } from "./look/judge.ts";
import { intentOf } from "./proof/intent.ts";
import { Proof } from "./proof/proof.ts";
import { Watch } from "./proof/watch.ts";

/** A cluster with everything that encrypts and proves it. */
export interface Wired {
  cluster: Cluster;
  watch: Watch;
  proof: Proof;
  /** The last step of all: what comes after it comes after the proof. */
  settled: Settled;
}

/** Where the components are in a program. */
export interface Place {
  /** Before their logical names, which carry identity; absent in our own program, whose stacks have them without. */
  prefix?: string;
  /** Of every component, and of the provider. */
  opts?: Pick<pulumi.ComponentResourceOptions, "parent" | "transformations">;
}

/** Makes the components and says which waits for which: cluster, watch, guard, admission, Cilium, agents, proof, record. */
export function wire({ settings, live, repairs }: Checked, { prefix = "", opts = {} }: Place = {}): Wired {
  // By the cluster's own name: two of one name would share their files, and Pulumi refuses the second's.
  const cluster = createCluster(settings.cluster.name, settings, opts);
  const intent = intentOf(settings, cluster);
  const watch = new Watch(`${prefix}watch`, { settings, cluster, intent, repairs }, opts);
  const guard = new Guard(`${prefix}guard`, { settings, cluster, after: watch.begun, repair: repairs.guard }, opts);
  const kubernetes = clusterProvider(settings.cluster.name, cluster, opts);
  const namespace = ciliumNamespace(`${prefix}cilium-namespace`, settings, cluster, kubernetes, opts);
  const admission = new Admission(
    `${prefix}admission`,
    {
      ...{ settings, cluster, provider: kubernetes, prefix },
      ...{ after: [...watch.begun, ...namespace], repair: repairs.admission, missing: missingPolicies(live) },
    },
    opts,
  );
  const cilium = new Cilium(
    `${prefix}cilium`,
    {
      ...{ settings, cluster, provider: kubernetes },
      repair: { token: repairs.cilium, secretMissing: isSecretMissing(live) },
      after: [...watch.begun, ...namespace, ...guard.widened, ...admission.widened],
    },
    opts,
  );
  admission.enforced(cilium);
  const joined = cluster.nodesAfter?.(cilium) ?? [];
  const { revision } = cilium;
  const agents = new AgentsAgree(`${prefix}agents`, { settings, cluster, revision, after: joined }, opts);
  guard.released(agents);
  const proof = new Proof(
    `${prefix}proof`,
    { settings, cluster, revision, repair: repairs.proof, after: [agents, ...guard.opened] },
    opts,
  );
  guard.proven(proof);
  admission.proven(proof);
  const watched = watch.ended([proof, guard]);
  const settled = new Settled(
    `${prefix}record`,
    {
      ...{ settings, cluster, provider: kubernetes, live, repairs, proveAgain: proof.mayPass },
      after: [proof, guard, admission, ...watched],
      ran: [
        ...[revision, proof.ran, watch.change, ...admission.generations],
        ...[...guard.steps, ...admission.steps].map(({ stdout }) => stdout),
      ],
    },
    opts,
  );
  return { cluster, watch, proof, settled };
}
