// A stand-in for pulumi-resource-aws, for tests alone: it makes nothing in AWS, and says so.
import { createHash } from "node:crypto";
import { detailedDiff } from "../../../rehearsal/plugins/plugin/diff.ts";
import {
  type DiffKind,
  type Provider,
  RequestError,
  type Resource,
} from "../../../rehearsal/plugins/plugin/provider.ts";
import { serve } from "../../../rehearsal/plugins/plugin/serve.ts";
import { isMap, type PropertyMap, unknown, type Value } from "../../../rehearsal/plugins/plugin/values.ts";

/** What stands in for a type of AWS. */
interface Kind {
  /** Property paths that change in place. Whatever is not here replaces, also what AWS would change: a plan is then never better than it looks. */
  inPlace?: readonly string[];
  /** Outputs beside the inputs, id and ARN. */
  computed?: (id: string, inputs: PropertyMap) => PropertyMap;
}

/** What a kind has that people name, or that AWS does where they do not. */
const named = (id: string, { name }: PropertyMap): PropertyMap => ({ name: name ?? id });

const KINDS: Readonly<Record<string, Kind>> = {
  "aws:cloudwatch/logGroup:LogGroup": {},
  "aws:ec2/eip:Eip": {},
  "aws:ec2/internetGateway:InternetGateway": {},
  "aws:ec2/launchTemplate:LaunchTemplate": { computed: () => ({ latestVersion: 1 }) },
  "aws:ec2/natGateway:NatGateway": {},
  "aws:ec2/route:Route": {},
  "aws:ec2/routeTable:RouteTable": {},
  "aws:ec2/routeTableAssociation:RouteTableAssociation": {},
  "aws:ec2/securityGroup:SecurityGroup": {},
  "aws:ec2/subnet:Subnet": {},
  "aws:ec2/vpc:Vpc": {},
  "aws:eks/addon:Addon": {},
  "aws:eks/cluster:Cluster": {
    // Without ForceNew in the provider's schema (hashicorp/terraform-provider-aws, internal/service/eks/cluster.go).
    inPlace: ["enabledClusterLogTypes", "tags", "version"],
    computed: (id, { vpcConfig = {} }) => ({
      // Nothing listens there.
      endpoint: "https://127.0.0.1:1",
      certificateAuthority: { data: Buffer.from("a stand-in").toString("base64") },
      identities: [{ oidcs: [{ issuer: `https://oidc.eks.us-west-2.amazonaws.com/id/${id}` }] }],
      vpcConfig: { ...(isMap(vpcConfig) ? vpcConfig : {}), clusterSecurityGroupId: `sg-of-${id}` },
    }),
  },
  "aws:eks/nodeGroup:NodeGroup": {
    // The same of node_group.go; of a launch template its id has ForceNew and its version not.
    inPlace: ["labels", "launchTemplate.version", "scalingConfig", "tags", "taints", "updateConfig", "version"],
  },
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": {},
  "aws:iam/role:Role": { computed: named },
  "aws:iam/rolePolicy:RolePolicy": { computed: named },
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {},
  "aws:kms/key:Key": {},
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {},
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {},
};

function resource({ inPlace = [], computed = () => ({}) }: Kind): Resource {
  /** All that is known of a resource once it is there; the same as long as it is. */
  const outputs = (id: string, inputs: PropertyMap): PropertyMap => ({
    ...inputs,
    arn: `arn:aws:stand-in:us-west-2:000000000000:${id}`,
    ...computed(id, inputs),
  });
  return {
    check: ({ news }) => ({ inputs: news }),
    diff: ({ oldInputs, news }) => ({
      detailed: inPlaceWhere(
        inPlace,
        detailedDiff(oldInputs, news, () => true),
      ),
    }),
    create: ({ urn, name, inputs, preview }) => {
      // Another one where it is made anew with other inputs, and the same in each run of a test.
      const id = `${name}-${createHash("sha256")
        .update(JSON.stringify([urn, inputs]))
        .digest("hex")
        .slice(0, 8)}`;
      return preview ? { id: "", outputs: still(inputs, outputs(id, inputs)) } : { id, outputs: outputs(id, inputs) };
    },
    read: (found) => found,
    update: ({ id, news }) => outputs(id, news),
    delete: () => undefined,
  };
}

/** The diff with what does not replace. */
function inPlaceWhere(paths: readonly string[], detailed: Record<string, DiffKind>): Record<string, DiffKind> {
  const isIn = (path: string) =>
    paths.some((each) => path === each || path.startsWith(`${each}.`) || path.startsWith(`${each}[`));
  return Object.fromEntries(
    Object.entries(detailed).map(([path, kind]) => [
      path,
      isIn(path) ? (kind.replace("-replace", "") as DiffKind) : kind,
    ]),
  );
}

/** What a preview knows of these outputs: the inputs. */
function still(inputs: PropertyMap, outputs: PropertyMap): PropertyMap {
  const hide = (value: Value, input: Value | undefined): Value => {
    if (isMap(value) && isMap(input)) return still(input, value);
    return input === undefined ? unknown : input;
  };
  return Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, hide(value, inputs[key])]));
}

const aws: Provider = {
  name: "aws",
  version: "7.48.0",
  configure: (_, { log }) => log("info", "a stand-in for tests: nothing is made in AWS"),
  resource: (type) => {
    const kind = KINDS[type];
    if (kind === undefined) throw new RequestError(`the stand-in for aws knows no ${type}`);
    return resource(kind);
  },
  invoke: (token, { id = null }) => {
    if (token !== "aws:ec2/getSubnet:getSubnet") throw new RequestError(`the stand-in for aws knows no ${token}`);
    return { outputs: { id, vpcId: "vpc-0123456789abcdef0", cidrBlock: "10.8.32.0/20" } };
  },
};

await serve(aws);
