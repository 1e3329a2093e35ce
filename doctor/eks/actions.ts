import { partitionOf } from "../../components/cluster/eks/policyDocuments.ts";
import { type EksSettings, isGivenVpc } from "../../components/settingsEks.ts";

/** What kind of resource an action is allowed on, where a policy does not say "all". */
export type Kind = keyof typeof ARNS;

/** Actions that go together. */
interface Row {
  /** What they are for. */
  why: string;
  on: Kind;
  actions: readonly string[];
  /** Absent: always. */
  when?: (cluster: EksSettings) => boolean;
}

const ownVpc = (cluster: EksSettings) => !isGivenVpc(cluster);

/**
 * What whoever runs an update asks of AWS: to make, to read back, to change and to delete each type of resource of components/cluster/eks (Service Authorization
 * Reference, https://docs.aws.amazon.com/service-authorization/latest/reference/). docs/eks.md has the same list, for who writes the policy.
 */
export const ACTIONS: readonly Row[] = [
  {
    why: "the VPC, where none is given",
    on: "ec2",
    when: ownVpc,
    actions: [
      ...["ec2:CreateVpc", "ec2:ModifyVpcAttribute", "ec2:DescribeVpcAttribute", "ec2:DeleteVpc"],
      ...["ec2:CreateSubnet", "ec2:DeleteSubnet"],
      ...["ec2:CreateInternetGateway", "ec2:AttachInternetGateway", "ec2:DescribeInternetGateways"],
      ...["ec2:DetachInternetGateway", "ec2:DeleteInternetGateway"],
      ...["ec2:CreateRouteTable", "ec2:CreateRoute", "ec2:AssociateRouteTable", "ec2:DescribeRouteTables"],
      ...["ec2:DisassociateRouteTable", "ec2:DeleteRoute", "ec2:DeleteRouteTable"],
      ...["ec2:AllocateAddress", "ec2:DescribeAddresses", "ec2:DescribeAddressesAttribute", "ec2:ReleaseAddress"],
      ...["ec2:CreateNatGateway", "ec2:DescribeNatGateways", "ec2:DeleteNatGateway"],
    ],
  },
  {
    why: "the guard, which is rules of a security group; the provider takes away the rule that AWS begins with",
    on: "ec2",
    actions: [
      ...["ec2:CreateSecurityGroup", "ec2:DescribeSecurityGroups", "ec2:DescribeNetworkInterfaces"],
      "ec2:DeleteSecurityGroup",
      ...["ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress", "ec2:DescribeSecurityGroupRules"],
      ...["ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress", "ec2:ModifySecurityGroupRules"],
    ],
  },
  {
    why: "what a node is started with; EKS starts nodes of a launch template only for who may start them",
    on: "ec2",
    actions: [
      ...["ec2:CreateLaunchTemplate", "ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"],
      ...["ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions", "ec2:DeleteLaunchTemplate"],
      "ec2:RunInstances",
    ],
  },
  {
    why: "reading a VPC, and tags on everything",
    on: "ec2",
    actions: ["ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:CreateTags", "ec2:DeleteTags"],
  },
  {
    why: "the control plane",
    on: "cluster",
    actions: [
      ...["eks:CreateCluster", "eks:DescribeCluster", "eks:UpdateClusterConfig", "eks:UpdateClusterVersion"],
      ...["eks:DescribeUpdate", "eks:DeleteCluster", "eks:TagResource", "eks:CreateNodegroup", "eks:CreateAddon"],
    ],
  },
  {
    why: "the node groups",
    on: "nodegroup",
    actions: [
      ...["eks:DescribeNodegroup", "eks:UpdateNodegroupConfig", "eks:UpdateNodegroupVersion"],
      "eks:DeleteNodegroup",
    ],
  },
  {
    why: "CoreDNS, and in chaining Amazon's CNI",
    on: "addon",
    actions: ["eks:DescribeAddon", "eks:UpdateAddon", "eks:DeleteAddon"],
  },
  {
    why: "administrators beside whoever makes the cluster",
    on: "cluster",
    when: ({ admins }) => admins.length > 0,
    actions: ["eks:CreateAccessEntry"],
  },
  {
    why: "the same administrators",
    on: "accessEntry",
    when: ({ admins }) => admins.length > 0,
    actions: [
      ...["eks:DescribeAccessEntry", "eks:AssociateAccessPolicy", "eks:ListAssociatedAccessPolicies"],
      ...["eks:DisassociateAccessPolicy", "eks:DeleteAccessEntry"],
    ],
  },
  {
    why: "roles of the control plane, of nodes and of Cilium's operator",
    on: "role",
    actions: [
      ...["iam:CreateRole", "iam:GetRole", "iam:TagRole", "iam:UpdateAssumeRolePolicy", "iam:DeleteRole"],
      ...["iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:ListAttachedRolePolicies"],
      ...["iam:PutRolePolicy", "iam:GetRolePolicy", "iam:DeleteRolePolicy", "iam:ListRolePolicies"],
      "iam:ListInstanceProfilesForRole",
    ],
  },
  { why: "handing these roles to EKS and EC2", on: "role", actions: ["iam:PassRole"] },
  {
    why: "the identity by which service accounts take roles",
    on: "identity",
    actions: [
      ...["iam:CreateOpenIDConnectProvider", "iam:GetOpenIDConnectProvider", "iam:TagOpenIDConnectProvider"],
      "iam:DeleteOpenIDConnectProvider",
    ],
  },
  {
    why: "the key of the cluster's Secrets: to make it",
    on: "account",
    actions: ["kms:CreateKey"],
  },
  {
    why: "the same key: to keep it, to lend it to EKS, to let it go",
    on: "key",
    actions: [
      ...["kms:DescribeKey", "kms:EnableKeyRotation", "kms:GetKeyRotationStatus", "kms:GetKeyPolicy"],
      ...["kms:ListResourceTags", "kms:TagResource", "kms:CreateGrant", "kms:ScheduleKeyDeletion"],
    ],
  },
  {
    why: "the control plane's logs, kept for a time only",
    on: "logGroup",
    when: ({ logs }) => logs.length > 0,
    actions: [
      ...["logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:DescribeLogGroups", "logs:ListTagsForResource"],
      ...["logs:TagResource", "logs:DeleteLogGroup"],
    ],
  },
];

/** The actions that these settings take, by what they are on. */
export function actionsOf(cluster: EksSettings): Map<Kind, string[]> {
  const byKind = new Map<Kind, string[]>();
  for (const { on, actions, when } of ACTIONS) {
    if (when === undefined || when(cluster)) byKind.set(on, [...(byKind.get(on) ?? []), ...actions]);
  }
  return byKind;
}

interface Place {
  cluster: EksSettings;
  partition: string;
  account: string;
}

/** The resources as they will be called, as far as that is known before: Pulumi and AWS end some names with letters of their own. */
const ARNS = {
  /** Of the account as a whole: there is no resource that a policy could name. */
  account: () => "*",
  /** Nearly each action has its own kinds of resources. */
  ec2: () => "*",
  cluster: ({ partition, account, cluster: { region, name } }: Place) =>
    `arn:${partition}:eks:${region}:${account}:cluster/${name}`,
  nodegroup: ({ partition, account, cluster: { region, name } }: Place) =>
    `arn:${partition}:eks:${region}:${account}:nodegroup/${name}/${name}-nodes-workers-0000000/${SOME_ID}`,
  addon: ({ partition, account, cluster: { region, name } }: Place) =>
    `arn:${partition}:eks:${region}:${account}:addon/${name}/coredns/${SOME_ID}`,
  accessEntry: ({ partition, account, cluster: { region, name } }: Place) =>
    `arn:${partition}:eks:${region}:${account}:access-entry/${name}/role/${account}/admin/${SOME_ID}`,
  role: ({ partition, account, cluster: { name } }: Place) =>
    `arn:${partition}:iam::${account}:role/${name}-nodes-0000000`,
  identity: ({ partition, account, cluster: { region } }: Place) =>
    `arn:${partition}:iam::${account}:oidc-provider/oidc.eks.${region}.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF`,
  key: ({ partition, account, cluster: { region } }: Place) =>
    `arn:${partition}:kms:${region}:${account}:key/${SOME_ID}`,
  logGroup: ({ partition, account, cluster: { region, name } }: Place) =>
    `arn:${partition}:logs:${region}:${account}:log-group:/aws/eks/${name}/cluster`,
} satisfies Record<string, (place: Place) => string>;

const SOME_ID = "01234567-89ab-cdef-0123-456789abcdef";

/** The resource of a kind that an account's policies are asked about. */
export function resourceOf(kind: Kind, cluster: EksSettings, account: string): string {
  return ARNS[kind]({ cluster, account, partition: partitionOf(cluster.region) });
}
