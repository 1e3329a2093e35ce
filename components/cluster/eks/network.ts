import { Eip } from "@pulumi/aws/ec2/eip.js";
import { InternetGateway } from "@pulumi/aws/ec2/internetGateway.js";
import { NatGateway } from "@pulumi/aws/ec2/natGateway.js";
import { Route } from "@pulumi/aws/ec2/route.js";
import { RouteTable } from "@pulumi/aws/ec2/routeTable.js";
import { RouteTableAssociation } from "@pulumi/aws/ec2/routeTableAssociation.js";
import { Subnet } from "@pulumi/aws/ec2/subnet.js";
import { Vpc } from "@pulumi/aws/ec2/vpc.js";
import * as pulumi from "@pulumi/pulumi";
import type { EksSettings } from "../../settings.ts";
import { givenSubnets } from "./givenSubnets.ts";
import { zoneSubnets, zonesOf } from "./subnets.ts";

/** Everywhere. */
const ANYWHERE = "0.0.0.0/0";

/**
 * Where the nodes are: the VPC that the settings name, or a new one with private subnets for the nodes, which reach the internet by NAT. One gateway for
 * all zones unless asked otherwise: it costs by the hour.
 */
export class EksNetwork extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Input<string>;
  /** Private subnets, in two zones or more. */
  readonly subnetIds: pulumi.Input<string>[];
  /** What must be there for a node to reach anything, which its subnet alone does not say. */
  readonly ways: pulumi.Resource[] = [];

  constructor(name: string, cluster: EksSettings, opts: pulumi.ComponentResourceOptions) {
    super("wirecloak:cluster:EksNetwork", name, {}, opts);
    const { vpc: given } = cluster;
    if (given.id !== undefined) {
      this.vpcId = given.id;
      this.subnetIds = givenSubnets(given.subnetIds ?? [], given, { parent: this });
    } else {
      const vpc = this.vpc(name, cluster);
      this.vpcId = vpc.id;
      this.subnetIds = this.subnets(name, cluster, vpc);
    }
    this.registerOutputs({ vpcId: this.vpcId, subnetIds: this.subnetIds });
  }

  private vpc(name: string, { vpc, protect }: EksSettings): Vpc {
    return new Vpc(
      name,
      // Nodes reach the control plane by its name.
      {
        ...(vpc.cidr !== undefined && { cidrBlock: vpc.cidr }),
        enableDnsHostnames: true,
        enableDnsSupport: true,
        tags: { Name: name },
      },
      { parent: this, protect },
    );
  }

  private subnets(name: string, cluster: EksSettings, { id: vpcId }: Vpc): pulumi.Output<string>[] {
    const { cidr = "", natGateways = "one" } = cluster.vpc;
    const internet = new InternetGateway(`${name}-internet`, { vpcId, tags: { Name: name } }, { parent: this });
    const outside = this.routes(`${name}-public`, vpcId, { gatewayId: internet.id });
    const gateways: NatGateway[] = [];
    return zoneSubnets(cidr, zonesOf(cluster)).map(({ zone, private: nodes, public: open }, index) => {
      const common = { vpcId, availabilityZone: zone };
      const publicSubnet = new Subnet(
        `${name}-public-${zone}`,
        { ...common, cidrBlock: open, tags: { Name: `${name}-public-${zone}`, "kubernetes.io/role/elb": "1" } },
        { parent: this },
      );
      this.associate(`${name}-public-${zone}`, publicSubnet, outside);
      if (index === 0 || natGateways === "per-zone")
        gateways.push(this.nat(`${name}-nat-${zone}`, publicSubnet, internet));

      const subnet = new Subnet(
        `${name}-private-${zone}`,
        {
          ...common,
          cidrBlock: nodes,
          tags: { Name: `${name}-private-${zone}`, "kubernetes.io/role/internal-elb": "1" },
        },
        { parent: this },
      );
      const gateway = gateways.at(-1);
      const inside = this.routes(`${name}-private-${zone}`, vpcId, gateway ? { natGatewayId: gateway.id } : {});
      this.associate(`${name}-private-${zone}`, subnet, inside);
      return subnet.id;
    });
  }

  private nat(name: string, { id: subnetId }: Subnet, internet: InternetGateway): NatGateway {
    const address = new Eip(name, { domain: "vpc", tags: { Name: name } }, { parent: this, dependsOn: [internet] });
    return new NatGateway(
      name,
      { subnetId, allocationId: address.id, tags: { Name: name } },
      { parent: this, dependsOn: [internet] },
    );
  }

  private routes(
    name: string,
    vpcId: pulumi.Input<string>,
    way: { gatewayId?: pulumi.Input<string>; natGatewayId?: pulumi.Input<string> },
  ) {
    const table = new RouteTable(name, { vpcId, tags: { Name: name } }, { parent: this });
    this.ways.push(
      new Route(name, { routeTableId: table.id, destinationCidrBlock: ANYWHERE, ...way }, { parent: this }),
    );
    return table;
  }

  private associate(name: string, { id: subnetId }: Subnet, { id: routeTableId }: RouteTable): void {
    this.ways.push(new RouteTableAssociation(name, { subnetId, routeTableId }, { parent: this }));
  }
}
