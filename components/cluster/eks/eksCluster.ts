import { Provider } from "@pulumi/aws/provider.js";
import * as pulumi from "@pulumi/pulumi";
import type { EksSettings, Settings } from "../../settings.ts";
import type { Cluster, Lifetime } from "../cluster.ts";
import { lifetimeWith } from "../clusterCommand.ts";
import { eksKubeconfig } from "../eksKubeconfig.ts";
import { eksGuardPlace, type SecurityGroupPlace } from "../guardPlace.ts";
import { type AddonsArgs, addonsAfterNodes, addonsBeforeCilium, type RoleFor } from "./addons.ts";
import { EksControlPlane } from "./controlPlane.ts";
import { guardLimits, guardRules } from "./guardRules.ts";
import { kubeconfigFile } from "./kubeconfigFile.ts";
import { EksNetwork } from "./network.ts";
import { EksNodeGuard } from "./nodeGuard.ts";
import { tagsOf } from "./nodeSpec.ts";
import { EksNodes } from "./nodes.ts";
import { ciliumOperator } from "./policyDocuments.ts";
import { ServiceAccountRole } from "./serviceAccountRole.ts";

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
  readonly guardPlace: SecurityGroupPlace;
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
  private readonly addons: AddonsArgs;

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
    this.kubeconfigPath = kubeconfigFile(
      `${name}-kubeconfig`,
      { cluster: cluster.name, kubeconfig: this.kubeconfig },
      { parent: this },
    );
    this.lifetime = lifetimeWith(`${name}-inside`, made, this);
    this.addons = { name, made, opts: { parent: this, provider: this.provider } };
    this.guardPlace = eksGuardPlace(cluster);
    this.guarded = [...this.nodeGuard.rules, ...addonsBeforeCilium(this.addons, settings, cluster, this.roleFor)];
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
    addonsAfterNodes(this.addons, groups);
    return groups;
  }

  private readonly roleFor: RoleFor = (account, namespace, rights) => {
    const { issuer, identity } = this.controlPlane;
    const role = { issuer, identity, namespace, account, rights };
    return new ServiceAccountRole(`${this.logicalName}-${account}`, role, this.inAws).arn;
  };
}
