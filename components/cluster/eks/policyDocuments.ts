// What AWS's IAM is told, as JSON documents.

/** `aws` in most regions. */
export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

/** A policy that AWS keeps, by its name. */
export function managedPolicy(region: string, name: string): string {
  return `arn:${partitionOf(region)}:iam::aws:policy/${name}`;
}

/** Lets a service of AWS take a role. */
export function serviceTrust(service: "eks" | "ec2"): string {
  return document([allow(["sts:AssumeRole"], { Principal: { Service: `${service}.amazonaws.com` } })]);
}

/** Lets one service account of a cluster take a role, and no other. */
export function serviceAccountTrust(account: {
  /** The cluster's issuer, `https://...`, and the identity provider that IAM has for it. */
  issuer: string;
  provider: string;
  namespace: string;
  name: string;
}): string {
  const issuer = account.issuer.replace(/^https:\/\//, "");
  return document([
    allow(["sts:AssumeRoleWithWebIdentity"], {
      Principal: { Federated: account.provider },
      Condition: {
        StringEquals: {
          [`${issuer}:sub`]: `system:serviceaccount:${account.namespace}:${account.name}`,
          [`${issuer}:aud`]: "sts.amazonaws.com",
        },
      },
    }),
  ]);
}

/** Lets the control plane use the key of the cluster's Secrets. */
export function secretsKeyUse(key: string): string {
  return document([allow(["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"], { Resource: [key] })]);
}

/**
 * What Cilium's operator needs to give nodes network interfaces and addresses (Cilium's documentation, IPAM eni, "Required Privileges"): it reads anything,
 * and changes only what is of this VPC and this cluster's nodes.
 */
export function ciliumOperator({ region, vpc, cluster }: { region: string; vpc: string; cluster: string }): string {
  const ec2 = (type: string, id = "*") => `arn:${partitionOf(region)}:ec2:${region}:*:${type}/${id}`;
  const ofVpc = { ArnLike: { "ec2:Vpc": ec2("vpc", vpc) } };
  // Managed node groups tag their instances.
  const ofNodes = { StringEquals: { "aws:ResourceTag/eks:cluster-name": cluster } };
  return document([
    allow(
      [
        ...["ec2:DescribeInstances", "ec2:DescribeInstanceTypes", "ec2:DescribeNetworkInterfaces"],
        ...["ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets"],
        ...["ec2:DescribeTags", "ec2:DescribeVpcs"],
      ],
      { Resource: ["*"] },
    ),
    allow(["ec2:CreateNetworkInterface"], { Resource: [ec2("network-interface")] }),
    allow(["ec2:CreateNetworkInterface"], { Resource: [ec2("subnet"), ec2("security-group")], Condition: ofVpc }),
    allow(["ec2:CreateTags"], {
      Resource: [ec2("network-interface")],
      Condition: { StringEquals: { "ec2:CreateAction": "CreateNetworkInterface" } },
    }),
    allow(
      [
        ...["ec2:AttachNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute"],
        ...["ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"],
      ],
      { Resource: [ec2("network-interface")], Condition: ofVpc },
    ),
    allow(["ec2:ModifyNetworkInterfaceAttribute"], { Resource: [ec2("security-group")], Condition: ofVpc }),
    allow(["ec2:AttachNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute"], {
      Resource: [ec2("instance")],
      Condition: ofNodes,
    }),
  ]);
}

interface Statement {
  Effect: "Allow";
  Action: string[];
  Principal?: object;
  Resource?: string[];
  Condition?: object;
}

function allow(actions: string[], rest: Omit<Statement, "Effect" | "Action">): Statement {
  return { Effect: "Allow", Action: actions, ...rest };
}

function document(statements: Statement[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}
