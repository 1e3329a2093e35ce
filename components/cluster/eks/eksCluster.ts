import { join } from "node:path";
import { Addon } from "@pulumi/aws/eks/addon.js";
import { Provider } from "@pulumi/aws/provider.js";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { clusterFiles, stateDir } from "../../../tools/paths.ts";
import type { EksSettings, Settings } from "../../settings.ts";
import type { Cluster, Lifetime } from "../cluster.ts";
import { lifetimeWith } from "../clusterCommand.ts";
import { eksKubeconfig } from "../eksKubeconfig.ts";
import { EksControlPlane } from "./controlPlane.ts";
import { guardLimits, guardRules } from "./guardRules.ts";
import { EksNetwork } from "./network.ts";
import { EksNodeGuard } from "./nodeGuard.ts";
import { tagsOf } from "./nodeSpec.ts";
import { EksNodes } from "./nodes.ts";
import { ciliumOperator, managedPolicy } from "./policyDocuments.ts";
import { ServiceAccountRole } from "./serviceAccountRole.ts";

/** Writes the kubeconfig's file; a program of its own, which knows nothing of Pulumi. */
const PROGRAM = join(import.meta.dirname, "../kubeconfigFile.ts");

/** Else pods may get addresses in other subnets that bear a tag of Amazon's CNI (its version 1.18), where the guard takes them for the world's. */
const NODE_SUBNETS_ONLY = { env: { ENABLE_SUBNET_DISCOVERY: "false" } };

export interface EksClusterArgs {
  settings: Settings;
  /** The same settings' cluster. */
  cluster: EksSettings;
}

/**
 * A cluster on EKS, in the order in which nothing is ever in clear: network, control plane without any add-on, the nodes' security group, then Cilium, and only then
 * (`nodesAfter`) nodes, and what needs them.
 */
export class EksCluster extends pulumi.ComponentResource implements Cluster {
  readonly name: string;
  readonly kubeconfig: pulumi.Output<string>;
  readonly kubeconfigPath: pulumi.Output<string>;
  readonly apiServer: { host: pulumi.Output<string>; port: number };
  readonly incarnation: pulumi.Output<string>;
  readonly lifetime: Lifetime;
  readonly guarded: readonly pulumi.Resource[];
  readonly guardLimits?: readonly string[];
  readonly operatorRole?: pulumi.Output<string>;
  readonly nodeSubnets?: readonly pulumi.Input<string>[];
  readonly simulated = false;
  private readonly logicalName: string;
  private readonly settings: EksSettings;
  private readonly provider: Provider;
  /** For components: what is in them takes the provider over. */
  private readonly inAws: pulumi.ComponentResourceOptions;
  private readonly network: EksNetwork;
  private readonly controlPlane: EksControlPlane;
  private readonly nodeGuard: EksNodeGuard;

  constructor(name: string, { settings, cluster }: EksClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("wirecloak:cluster:Eks", name, { ...cluster }, opts);
    this.provider = new Provider(
      `${name}-aws`,
      { region: cluster.region, defaultTags: { tags: tagsOf(cluster) } },
      { parent: this },
    );
    this.logicalName = name;
    this.settings = cluster;
    this.inAws = { parent: this, providers: { aws: this.provider } };
    this.network = new EksNetwork(`${name}-network`, cluster, this.inAws);
    this.controlPlane = new EksControlPlane(`${name}-cluster`, { cluster, network: this.network }, this.inAws);
    const { cluster: made, securityGroupId, issuer } = this.controlPlane;
    this.nodeGuard = new EksNodeGuard(
      `${name}-guard`,
      { vpcId: this.network.vpcId, controlPlane: securityGroupId, rules: guardRules(settings, cluster) },
      this.inAws,
    );

    this.name = cluster.name;
    this.incarnation = issuer;
    this.apiServer = { host: made.endpoint.apply((endpoint) => new URL(endpoint).hostname), port: 443 };
    this.kubeconfig = pulumi.secret(
      pulumi
        .all([made.endpoint, made.certificateAuthority.data])
        .apply(([endpoint, certificateAuthority]) => eksKubeconfig({ ...cluster, endpoint, certificateAuthority })),
    );
    this.kubeconfigPath = this.kubeconfigFile(`${name}-kubeconfig`);
    this.lifetime = lifetimeWith(`${name}-inside`, made, this);
    this.guarded = [...this.nodeGuard.rules, ...this.addonsBeforeCilium(settings)];
    const limits = guardLimits(settings);
    if (limits) this.guardLimits = limits;
    if (cluster.network === "eni") {
      this.nodeSubnets = this.network.subnetIds;
      const document = pulumi
        .output(this.network.vpcId)
        .apply((vpc) => ciliumOperator({ region: cluster.region, vpc, cluster: cluster.name }));
      this.operatorRole = this.roleFor("cilium-operator", settings.cilium.namespace, { document });
    }
    this.registerOutputs({ kubeconfig: this.kubeconfig, incarnation: this.incarnation });
  }

  /** Node groups, and DNS, which needs a node with a CNI to run on. */
  nodesAfter(cilium: pulumi.Resource): readonly pulumi.Resource[] {
    const { groups } = new EksNodes(
      `${this.logicalName}-nodes`,
      {
        cluster: this.settings,
        clusterName: this.controlPlane.cluster.name,
        subnetIds: this.network.subnetIds,
        securityGroupId: this.nodeGuard.securityGroupId,
        after: [...this.network.ways, ...this.guarded, ...this.nodeGuard.openedAfter(cilium), cilium],
      },
      this.inAws,
    );
    this.addon("coredns", groups);
    return groups;
  }

  /** What runs in the nodes' own network, so that it needs no CNI, and Cilium needs it. */
  private addonsBeforeCilium({ cilium }: Settings): pulumi.Resource[] {
    const proxy = cilium.kubeProxyReplacement ? [] : [this.addon("kube-proxy")];
    if (this.settings.network !== "chaining") return proxy;
    const managed = managedPolicy(this.settings.region, "AmazonEKS_CNI_Policy");
    return [
      ...proxy,
      this.addon("vpc-cni", [], this.roleFor("aws-node", "kube-system", { managed }), NODE_SUBNETS_ONLY),
    ];
  }

  private addon(
    addonName: string,
    dependsOn: pulumi.Resource[] = [],
    role?: pulumi.Output<string>,
    configuration?: object,
  ): Addon {
    return new Addon(
      `${this.logicalName}-${addonName}`,
      {
        addonName,
        clusterName: this.controlPlane.cluster.name,
        resolveConflictsOnCreate: "OVERWRITE",
        resolveConflictsOnUpdate: "OVERWRITE",
        ...(role !== undefined && { serviceAccountRoleArn: role }),
        ...(configuration && { configurationValues: JSON.stringify(configuration) }),
      },
      { parent: this, provider: this.provider, dependsOn, deletedWith: this.controlPlane.cluster },
    );
  }

  private roleFor(
    account: string,
    namespace: string,
    rights: { document: pulumi.Input<string> } | { managed: string },
  ) {
    const { issuer, identity } = this.controlPlane;
    const role = { issuer, identity, namespace, account, rights };
    return new ServiceAccountRole(`${this.logicalName}-${account}`, role, this.inAws).arn;
  }

  /** Its path does not wait for nodes: they come later, and what needs them depends on them. */
  private kubeconfigFile(name: string): pulumi.Output<string> {
    const file = clusterFiles(stateDir(), this.settings.name).kubeconfig;
    const written = new local.Command(
      name,
      {
        create: 'node "$PROGRAM" write "$FILE"',
        delete: 'node "$PROGRAM" delete "$FILE"',
        environment: { PROGRAM, FILE: file },
        stdin: this.kubeconfig,
        addPreviousOutputInEnv: false,
        logging: local.Logging.None,
      },
      { parent: this },
    );
    return written.id.apply(() => file);
  }
}
