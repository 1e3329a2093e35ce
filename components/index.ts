/** Wirecloak's components, for other Pulumi programs: EncryptedCluster is all of them; examples/library shows its use, `wire` how they go together. */
export { type Cluster, createCluster } from "./cluster/cluster.ts";
export { ExistingCluster } from "./cluster/existing.ts";
export { KindCluster } from "./cluster/kind.ts";
export { clusterProvider } from "./cluster/provider.ts";
export { RehearsalCluster } from "./cluster/rehearsal.ts";
export { EncryptedCluster } from "./encryptedCluster.ts";
export type { EncryptedClusterArgs } from "./encryptedClusterArgs.ts";
export { Cilium, type CiliumArgs } from "./encryption/cilium.ts";
export { nextKeyId } from "./encryption/ipsecKey.ts";
export { type ClusterFacts, ciliumValues, expectedConfig } from "./encryption/values.ts";
export { Proof, type ProofArgs } from "./proof/proof.ts";
export { type LoadOptions, loadSettings, type Settings } from "./settings.ts";
export { type Problem, UserError } from "./userError.ts";
export { type Wired, wire } from "./wiring.ts";
