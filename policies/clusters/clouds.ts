import { at, listAt, type Resource, type Tree, textAt } from "../resource.ts";

/** A kind of resource that is a cluster in a cloud. */
export interface Cloud {
  /** `EKS cluster` */
  what: string;
  type: RegExp;
  /** Whether the cloud itself encrypts what pods send from node to node. */
  encrypts?: (props: Tree) => boolean;
  /** What of it puts another CNI beside Cilium; undefined where nothing does. */
  otherCni?: (props: Tree) => string | undefined;
  /** Whether its Secrets are encrypted with a key of one's own. Absent: not known how that would be said. */
  hasOwnKey?: (props: Tree) => boolean;
}

/** Pulumi's providers of Kubernetes clusters, classic and native. */
const CLOUDS: readonly Cloud[] = [
  {
    what: "EKS cluster",
    type: /^(aws:eks\/cluster|eks:index|aws-native:eks):Cluster$/,
    otherCni: (props) => {
      const removed = [...listAt(props, "defaultAddonsToRemoves"), ...listAt(props, "defaultAddonsToRemove")];
      if (at(props, "bootstrapSelfManagedAddons") === false || removed.includes("vpc-cni")) return undefined;
      return "bootstrapSelfManagedAddons is not false, so that it comes with the VPC CNI (aws-node)";
    },
    // The native provider has a list of one; the component takes the key alone.
    hasOwnKey: (props) =>
      at(props, "encryptionConfigKeyArn") !== undefined ||
      [at(props, "encryptionConfig"), ...listAt(props, "encryptionConfig")].some(
        (config) => listAt(config, "resources").includes("secrets") && at(config, "provider", "keyArn") !== undefined,
      ),
  },
  {
    what: "GKE cluster",
    type: /^(gcp:container\/cluster|google-native:container\/[^:]+):Cluster$/,
    // WireGuard in Dataplane V2: what pods send from node to node.
    encrypts: (props) =>
      [
        textAt(props, "inTransitEncryptionConfig"),
        textAt(props, "networkConfig", "inTransitEncryptionConfig"),
      ].includes("IN_TRANSIT_ENCRYPTION_INTER_NODE_TRANSPARENT"),
    otherCni: (props) => {
      const path = textAt(props, "datapathProvider") ?? textAt(props, "networkConfig", "datapathProvider");
      return path === "ADVANCED_DATAPATH" || at(props, "enableAutopilot") === true
        ? "it has Dataplane V2, which is a Cilium of Google's own"
        : undefined;
    },
    hasOwnKey: (props) =>
      textAt(props, "databaseEncryption", "state") === "ENCRYPTED" &&
      at(props, "databaseEncryption", "keyName") !== undefined,
  },
  {
    what: "AKS cluster",
    // With or without a version of the API: containerservice/v20240901, and azure-native_containerservice_v20240901.
    type: /^(azure-native(_\w+)?:containerservice(\/[^:]+)?:ManagedCluster|azure:containerservice\/kubernetesCluster:KubernetesCluster)$/,
    // Advanced Container Networking Services: what pods send from node to node, and nothing of the nodes themselves.
    encrypts: (props) => {
      const network = at(props, "networkProfile", "advancedNetworking");
      return (
        textAt(network, "security", "transitEncryption", "type") === "WireGuard" &&
        at(network, "enabled") === true &&
        at(network, "security", "enabled") !== false
      );
    },
    otherCni: (props) => {
      const plugin = textAt(props, "networkProfile", "networkPlugin");
      return plugin === "none" ? undefined : `networkPlugin is ${plugin ?? "not given"}, not none`;
    },
    hasOwnKey: (props) =>
      at(props, "securityProfile", "azureKeyVaultKms", "enabled") === true ||
      at(props, "keyManagementService", "keyVaultKeyId") !== undefined,
  },
  {
    what: "Kubernetes cluster",
    type: new RegExp(
      `^(${[
        "digitalocean:index/kubernetesCluster:KubernetesCluster",
        "linode:index/lkeCluster:LkeCluster",
        "civo:index/kubernetesCluster:KubernetesCluster",
        "vultr:index/kubernetes:Kubernetes",
        "oci:ContainerEngine/cluster:Cluster",
        "ovh:CloudProject/kube:Kube",
        "exoscale:index/sksCluster:SksCluster",
        "scaleway:(index|kubernetes)/\\w*[cC]luster:\\w*Cluster",
        "alicloud:cs/managedKubernetes:ManagedKubernetes",
        "ibm:index/containerVpcCluster:ContainerVpcCluster",
        "kind:\\w+(/\\w+)?:Cluster",
      ].join("|")})$`,
    ),
  },
];

/** What kind of cluster a resource is; undefined where it is none. */
export function cloudOf({ type }: Pick<Resource, "type">): Cloud | undefined {
  return CLOUDS.find((cloud) => cloud.type.test(type));
}
